"""What people do with their account: ask for a code, log in, leave. For the API and the pages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from contracts.comptes import CompteEfface, CompteEnregistre, EtatCompte
from contracts.effacement import sans_compte
from gateway.codes import Codes
from gateway.consentements import tell_contact
from gateway.domain import (
    CODE_LIFETIME_S,
    CompteConnu,
    Role,
    avec_roles,
    consentements_pour,
    effacer,
    empreinte,
    lire_code,
)
from gateway.door_rules import Limit
from gateway.limits import Limits
from gateway.rights import DroitsDesComptes
from gateway.sessions import Opened, Sessions
from gateway.store import Comptes
from gateway.upstream import SYSTEM, Services
from kit.addresses import normalize
from kit.clock import Clock
from kit.database.mongo import DuplicateKeyError
from kit.http.problems import FieldProblem, Problem, not_found
from kit.ids import new_id
from kit.messaging.outbox import Outbox, Tx

CODE_MINUTES = CODE_LIFETIME_S // 60


@dataclass(frozen=True)
class LoggedIn:
    compte: CompteConnu
    session: Opened


class GestionComptes:
    def __init__(
        self,
        *,
        key: bytes,
        comptes: Comptes,
        codes: Codes,
        sessions: Sessions,
        limits: Limits,
        per_address: Limit,
        per_pair: Limit,
        per_ip: Limit,
        tries: Limit,
        droits: DroitsDesComptes,
        services: Services,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        """`key` keys the hashes of addresses. `per_ip` limits how many codes a source asks for, `tries` how many it
        tries, right ones too: else a refusal would tell which was wrong. Above `per_address`, or above `per_pair` of a
        source, an address is sent a code only when no long one is valid."""
        self._key = key
        self._comptes = comptes
        self._codes = codes
        self._sessions = sessions
        self._limits = limits
        self._per_address = per_address
        self._per_pair = per_pair
        self._per_ip = per_ip
        self._tries = tries
        self._droits = droits
        self._services = services
        self._outbox = outbox
        self._clock = clock

    async def demander_code(self, adresse: str, who: str) -> str:
        """Sends a code and returns the demande that it is bound to; neither tells whether an account exists.

        When many were sent the last one serves again: who floods an address fills no mailbox, and its owner gets in.

        `who` is the client, as limits know it.
        """
        normalisee = _address(adresse)
        known_as = empreinte(self._key, normalisee)
        await self._limits.check(self._per_ip, who)
        # A single source leaves some of what an address may be sent to the others.
        few = await self._limits.within(self._per_pair, f"{who}:{known_as}") and await self._limits.within(
            self._per_address, known_as
        )
        asked = await self._codes.join(known_as, who)
        if asked is None:
            compte = await self._comptes.by_empreinte(known_as)
            # Asked for in both cases, so that both take the same steps.
            pending = await self._codes.pending_id(known_as, new_id())
            make = self._codes.make if few else self._codes.make_long
            asked = await make(known_as, compte.compte_id if compte is not None else pending, who)
        elif not few:
            return asked.demande
        content = {"compte_id": asked.compte_id, "email": normalisee, "code": asked.code}
        await self._services.ask_or_fail("notifications", "POST", "/v1/interne/codes", SYSTEM, content)
        if asked.seed:
            await self._codes.sent(known_as, asked)
        return asked.demande

    async def ouvrir_session(self, adresse: str, code: str, demande: str, who: str) -> LoggedIn:
        """Logs in with a code; the first time makes the account. `demande` is "" for a program that kept none.

        Raises a 422 problem for a wrong or old code, a 429 one when `who` has tried too many.
        """
        normalisee = _address(adresse)
        known_as = empreinte(self._key, normalisee)
        await self._limits.check(self._tries, who)
        attempt = await self._codes.attempt(known_as, lire_code(code), demande, who)
        if attempt is None:
            raise _wrong_code()
        compte = await self._comptes.by_empreinte(known_as)
        if compte is None:
            now = self._clock.now()
            compte = CompteConnu(attempt.compte_id, known_as, cree_at=now, verifie_at=now)
            # Before the account: one whose address nobody knows could never be alerted.
            await tell_contact(self._services, compte, normalisee)
            compte = await self._make(replace(compte, contact_version=compte.version))
        elif compte.contact_version < compte.version or compte.verifie_at is None:
            await tell_contact(self._services, compte, normalisee)
            await self._comptes.contact_told(compte.compte_id, compte.version)
            await self._comptes.verified(compte.compte_id, self._clock.now())
        if not await self._codes.use(attempt):
            raise _wrong_code()
        return LoggedIn(compte, await self._sessions.open(compte.compte_id, compte.roles, self._clock.now()))

    async def lire(self, compte_id: str) -> CompteConnu:
        """Raises a 404 problem for an account that is erased."""
        compte = await self._comptes.by_id(compte_id)
        if compte is None or compte.etat is EtatCompte.EFFACE:
            raise not_found("Ce compte")
        return compte

    async def effacer(self, compte_id: str) -> None:
        """Erasure by the person alone: every service hears of it and erases; no session outlives the account."""

        async def work(tx: Tx) -> tuple[CompteConnu, CompteConnu] | None:
            compte = await self._comptes.by_id(compte_id, tx.session)
            if compte is None or compte.etat is EtatCompte.EFFACE:
                return None
            erased = effacer(compte)
            await self._comptes.replace(erased, tx.session)
            await tx.forget(compte_id, sans_compte)
            tx.emit(CompteEfface(compte=erased.public()))
            return compte, erased

        done = await self._outbox.run(work)
        if done is not None:
            before, erased = done
            await self._droits.changer(erased)
            await self._codes.forget(before.empreinte or "")

    async def nommer_moderateur(self, adresse: str) -> CompteConnu:
        """Grants the role, making the account if need be. A session that runs has it at once."""
        known_as = empreinte(self._key, _address(adresse))
        fresh_id = await self._codes.pending_id(known_as, new_id())

        async def work(tx: Tx) -> CompteConnu:
            compte = await self._comptes.by_empreinte(known_as, tx.session)
            if compte is None:
                # Never verified, contact unknown: its first login tells notifications the address.
                made = CompteConnu(
                    fresh_id, known_as, cree_at=self._clock.now(), roles=frozenset({Role.MODERATEUR.value})
                )
                await self._comptes.insert(made, tx.session)
                tx.emit(CompteEnregistre(compte=made.public()))
                return made
            return await self._with_roles(compte, compte.roles | {Role.MODERATEUR.value}, tx)

        compte = await self._outbox.run(work)
        await self._droits.changer(compte)
        return compte

    async def retirer_moderateur(self, adresse: str) -> CompteConnu:
        """Takes the role back; sessions that run go on without it. Raises a 404 problem for an unknown address."""
        known_as = empreinte(self._key, _address(adresse))

        async def work(tx: Tx) -> CompteConnu:
            compte = await self._comptes.by_empreinte(known_as, tx.session)
            if compte is None:
                raise not_found("Le compte de cette adresse")
            return await self._with_roles(compte, compte.roles - {Role.MODERATEUR.value}, tx)

        compte = await self._outbox.run(work)
        await self._droits.changer(compte)
        return compte

    async def _with_roles(self, compte: CompteConnu, roles: frozenset[str], tx: Tx) -> CompteConnu:
        """The event tells every gateway that what it keeps of this account is out of date."""
        changed = avec_roles(compte, roles)
        if changed is not compte:
            await self._comptes.replace(changed, tx.session)
            tx.emit(CompteEnregistre(compte=changed.public()))
        return changed

    async def _make(self, compte: CompteConnu) -> CompteConnu:
        async def work(tx: Tx) -> CompteConnu:
            await self._comptes.insert(compte, tx.session)
            tx.emit(CompteEnregistre(compte=compte.public()))
            return compte

        try:
            return await self._outbox.run(work)
        except DuplicateKeyError:
            # Two logins at once with the same new address: the account exists, which is what was wanted.
            made = await self._comptes.by_empreinte(compte.empreinte or "")
            if made is None:
                raise
            return made


def view(compte: CompteConnu) -> Mapping[str, object]:
    """The account as its holder sees it."""
    return {
        "compte_id": compte.compte_id,
        "roles": sorted(compte.roles),
        "consentements": consentements_pour(compte),
        "cree_at": compte.cree_at,
    }


def _address(adresse: str) -> str:
    try:
        return normalize(adresse)
    except ValueError as error:
        raise FieldProblem("email", str(error)) from error


def _wrong_code() -> Problem:
    message = "Ce code n’est pas le bon, ou il n’est plus valable. Vérifiez-le ou demandez-en un autre."
    return FieldProblem("code", message)
