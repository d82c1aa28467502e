"""Accounts: addresses known by a keyed hash alone, codes of six digits, consents. Pure."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from contracts.comptes import Compte, Consentement, EtatCompte
from contracts.notifications import Canal

CODE_LIFETIME_S = 600
CODE_TRIES = 5
CODE_COURT, CODE_LONG = 6, 10
"""Digits of a code that one demande may try, and of one that many may."""
CODES_ASSURES_PAR_HEURE = 3600 // CODE_LIFETIME_S
"""Long codes that an address is sent at most: a new one once the last is no longer valid."""
CODES_PAR_SOURCE = 3
"""Short codes an hour that one source may have sent to one address."""
SESSION_LIFETIME_S = 30 * 24 * 3600
SESSION_MODERATEUR_S = 12 * 3600
PREUVE_ABONNEMENT = "abonnement aux alertes"
PREUVE_CODE_SMS = "code reçu par SMS"
PREUVE_PREFERENCES = "préférences d’alerte"
PREUVE_NAVIGATEUR = "autorisation du navigateur"
PREUVE_NAVIGATEUR_RETIRE = "notifications du navigateur arrêtées"
PREUVE_NUMERO_RETIRE = "numéro de téléphone retiré"


class Role(StrEnum):
    """Roles that the gateway grants to people; `systeme` is its own voice when it calls a service itself."""

    MODERATEUR = "moderateur"
    SYSTEME = "systeme"


def duree_session(roles: Iterable[str]) -> int:
    """Seconds after its login in which a session ends, whatever is done in it: a day of work for who decides."""
    return SESSION_MODERATEUR_S if Role.MODERATEUR.value in roles else SESSION_LIFETIME_S


@dataclass(frozen=True)
class CompteConnu:
    """An account as stored. `contact_version` is the last version that notifications has confirmed."""

    compte_id: str
    empreinte: str | None
    cree_at: dt.datetime
    version: int = 1
    etat: EtatCompte = EtatCompte.ACTIF
    roles: frozenset[str] = frozenset()
    consentements: tuple[Consentement, ...] = field(default=())
    verifie_at: dt.datetime | None = None
    contact_version: int = 0

    def public(self) -> Compte:
        """What events say of the account."""
        return Compte(
            compte_id=self.compte_id,
            version=self.version,
            etat=self.etat,
            consentements=list(self.consentements),
            cree_at=self.cree_at,
        )


def empreinte(key: bytes, adresse_normalisee: str) -> str:
    """The keyed hash by which an account is found; without the key nobody can test a guess."""
    return hmac.new(key, b"adresse\x1f" + adresse_normalisee.encode(), hashlib.sha256).hexdigest()


def codes_courts(par_heure: int) -> int:
    """How many short codes an hour an address is sent, so that with the long ones it gets `par_heure` at most; 0: no
    limit."""
    return max(1, par_heure - CODES_ASSURES_PAR_HEURE) if par_heure > 0 else 0


def hash_code(key: bytes, empreinte_: str, code: str) -> str:
    """What is kept of a code: it opens nothing but the account of that address."""
    return hmac.new(key, f"code\x1f{empreinte_}\x1f{code}".encode(), hashlib.sha256).hexdigest()


def code_depuis(nombre: int, chiffres: int) -> str:
    """The last digits of a random number."""
    return f"{nombre % 10**chiffres:0{chiffres}d}"


def code_long(key: bytes, empreinte_: str, graine: str) -> str:
    """The long code that belongs to a random `graine`: nobody without the key can make it."""
    digest = hmac.new(key, f"code-long\x1f{empreinte_}\x1f{graine}".encode(), hashlib.sha256).digest()
    return code_depuis(int.from_bytes(digest), CODE_LONG)


def lire_code(texte: str) -> str:
    """The digits of what somebody typed or pasted ("123 456")."""
    return "".join(character for character in texte if character.isascii() and character.isdigit())


def consentement(compte: CompteConnu, canal: Canal) -> Consentement | None:
    """The last word about `canal`, given or withdrawn; None when there was none."""
    return next((c for c in compte.consentements if c.canal == canal), None)


def accordes(compte: CompteConnu) -> frozenset[Canal]:
    """The channels that the account has agreed to."""
    return frozenset(c.canal for c in compte.consentements if c.accorde)


def consentir(
    compte: CompteConnu, canal: Canal, preuve: str, at: dt.datetime, *, renouveler: bool = False
) -> CompteConnu:
    """The account with its consent to `canal`; the same object when it was given already.

    `renouveler` dates it anew all the same: notifications lets a STOP win over every consent that is not younger.
    """
    if canal in accordes(compte) and not renouveler:
        return compte
    return _avec(compte, canal, Consentement(canal=canal, accorde=True, preuve=preuve, at=at))


def retirer(compte: CompteConnu, canal: Canal, preuve: str, at: dt.datetime) -> CompteConnu:
    """The account after it took its consent back, which is recorded as well; the same object when there was none."""
    if canal not in accordes(compte):
        return compte
    return _avec(compte, canal, Consentement(canal=canal, accorde=False, preuve=preuve, at=at))


def revenir(compte: CompteConnu, donne: Consentement, avant: Consentement | None) -> CompteConnu:
    """The account as if `donne` had not been given; the same object when another word came after it."""
    if consentement(compte, donne.canal) != donne:
        return compte
    return _avec(compte, donne.canal, avant)


def _avec(compte: CompteConnu, canal: Canal, mot: Consentement | None) -> CompteConnu:
    others = tuple(c for c in compte.consentements if c.canal != canal)
    words = others if mot is None else (*others, mot)
    return replace(compte, consentements=words, version=compte.version + 1)


def avec_roles(compte: CompteConnu, roles: frozenset[str]) -> CompteConnu:
    """The account with these roles; the same object when it has them already."""
    return compte if roles == compte.roles else replace(compte, roles=roles, version=compte.version + 1)


def effacer(compte: CompteConnu) -> CompteConnu:
    """What remains of an erased account: an id without a person, so that its erasure can be told again."""
    return replace(
        compte,
        empreinte=None,
        etat=EtatCompte.EFFACE,
        roles=frozenset(),
        consentements=(),
        verifie_at=None,
        version=compte.version + 1,
    )


def consentements_pour(compte: CompteConnu) -> Sequence[dict[str, object]]:
    """The consents as the service notifications takes them."""
    return [c.model_dump(mode="json") for c in compte.consentements]
