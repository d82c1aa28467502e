"""Consents to alerts, channel by channel: given, taken back, each with its proof; notifications knows at once."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from contracts.comptes import CompteEnregistre, EtatCompte
from contracts.notifications import Canal
from gateway.domain import (
    PREUVE_ABONNEMENT,
    CompteConnu,
    accordes,
    consentement,
    consentements_pour,
    consentir,
    retirer,
    revenir,
)
from gateway.memory import Memory
from gateway.store import Comptes
from gateway.upstream import SYSTEM, Services
from kit.clock import Clock
from kit.http.problems import Problem, not_found
from kit.messaging.outbox import Outbox, Tx

# Longer than the calls of a subscription may take together; a gateway that dies in one blocks its account as long.
_TURN_S = 60.0
_WAIT_S = 20.0


class Outcome(Protocol):
    """An answer, or the refusal that was made of it."""

    @property
    def status(self) -> int: ...


O = TypeVar("O", bound=Outcome)  # noqa: E741  # an outcome


class Consentements:
    def __init__(self, *, comptes: Comptes, services: Services, outbox: Outbox, memory: Memory, clock: Clock) -> None:
        self._comptes = comptes
        self._services = services
        self._outbox = outbox
        self._memory = memory
        self._clock = clock

    async def accordes(self, compte_id: str) -> frozenset[Canal]:
        """The channels that the account has agreed to. Raises a 404 problem for an account that is erased."""
        return accordes(_active(await self._comptes.by_id(compte_id)))

    async def donner(self, compte_id: str, canal: Canal, preuve: str, *, renouveler: bool = False) -> CompteConnu:
        """Records the consent and tells notifications before it returns; given already, it stays with its proof.

        `renouveler`: the person says it again after a STOP, of which notifications alone knows.
        """
        now = self._clock.now()
        return await self._change(compte_id, lambda c: consentir(c, canal, preuve, now, renouveler=renouveler))

    async def retirer(self, compte_id: str, canal: Canal, preuve: str) -> None:
        now = self._clock.now()
        await self._change(compte_id, lambda c: retirer(c, canal, preuve, now))

    async def abonner(self, compte_id: str, creer: Callable[[], Awaitable[O]]) -> O:
        """Subscribing is the opt-in to e-mail: `creer` asks matching for the profil, around it the consent is kept.

        Recorded first and taken back on refusal, not recorded after the 201: the profil is in the index of matching
        some milliseconds after its commit, so an alert could overtake the consent, its row would say
        `sans_consentement` for good, and a gateway that dies in between would leave a profil that never alerts. The
        other way round what is left by such a death is a consent without a profil, by which nothing is ever sent.
        Without an answer nobody knows whether the profil exists: the consent stays.

        One subscription of an account at a time: a refused one must not take back what another rests upon.
        """
        async with self._memory.turn(f"abonnement:{compte_id}", _TURN_S, _WAIT_S):
            before = _active(await self._comptes.by_id(compte_id))
            after = await self.donner(compte_id, Canal.EMAIL, PREUVE_ABONNEMENT)
            try:
                outcome = await creer()
            except Problem as problem:
                if problem.status < 500:
                    await self._take_back(before, after)
                raise
            if 400 <= outcome.status < 500:
                await self._take_back(before, after)
            return outcome

    async def _take_back(self, before: CompteConnu, after: CompteConnu) -> None:
        given = consentement(after, Canal.EMAIL)
        if given is not None and given != (earlier := consentement(before, Canal.EMAIL)):
            await self._change(before.compte_id, lambda c: revenir(c, given, earlier))

    async def _change(self, compte_id: str, decide: Callable[[CompteConnu], CompteConnu]) -> CompteConnu:
        async def work(tx: Tx) -> CompteConnu:
            compte = _active(await self._comptes.by_id(compte_id, tx.session))
            changed = decide(compte)
            if changed is not compte:
                await self._comptes.replace(changed, tx.session)
                tx.emit(CompteEnregistre(compte=changed.public()))
            return changed

        known = _active(await self._comptes.by_id(compte_id))
        # Most calls change nothing: they need no transaction.
        compte = known if decide(known) is known else await self._outbox.run(work)
        if compte.contact_version < compte.version:
            await tell_contact(self._services, compte)
            await self._comptes.contact_told(compte_id, compte.version)
        return compte


async def tell_contact(services: Services, compte: CompteConnu, adresse: str | None = None) -> None:
    """Notifications learns the consents, and the address when it is known here; raises a 503 problem if it cannot."""
    content: dict[str, object] = {"consentements": consentements_pour(compte), "version": compte.version}
    if adresse is not None:
        content["email"] = adresse
    await services.ask_or_fail("notifications", "PUT", f"/v1/interne/contacts/{compte.compte_id}", SYSTEM, content)


def _active(compte: CompteConnu | None) -> CompteConnu:
    if compte is None or compte.etat is EtatCompte.EFFACE:
        raise not_found("Ce compte")
    return compte
