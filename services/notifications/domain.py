"""The life of an envoi: its states, which only go forwards, and what becomes of it after each outcome. Pure."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from contracts.notifications import Canal
from kit.ids import stable_id


class Genre(StrEnum):
    """What a message is about; messages.py says how each is written and whether it needs a consent."""

    ALERTE = "alerte"
    CODE = "code"
    ANNONCE_PUBLIEE = "annonce_publiee"
    ANNONCE_A_CORRIGER = "annonce_a_corriger"
    ANNONCE_REFUSEE = "annonce_refusee"
    ANNONCE_RETIREE = "annonce_retiree"
    ASSOCIATION_VALIDEE = "association_validee"
    ASSOCIATION_A_CORRIGER = "association_a_corriger"
    ASSOCIATION_REFUSEE = "association_refusee"
    ASSOCIATION_RETIREE = "association_retiree"
    REPONSE_RECUE = "reponse_recue"
    REPONSE_ACCEPTEE = "reponse_acceptee"
    REPONSE_DECLINEE = "reponse_declinee"
    REPONSE_ANNULEE = "reponse_annulee"


class Etat(StrEnum):
    EN_FILE = "en_file"
    REMISE = "remise"
    REMIS = "remis"
    ECHEC_TEMPORAIRE = "echec_temporaire"
    INCERTAIN = "incertain"
    ECHEC_PERMANENT = "echec_permanent"
    ANNULEE = "annulee"
    SANS_CONSENTEMENT = "sans_consentement"


class Motif(StrEnum):
    """Why an envoi is where it is, besides what the provider answered ("smtp 550 5.1.1")."""

    DESABONNE = "desabonne"
    ANNONCE_CLOSE = "annonce_close"
    COMPTE_EFFACE = "compte_efface"
    CODE_EXPIRE = "code_expire"
    SANS_ADRESSE = "sans_adresse"
    CONSENTEMENT_ABSENT = "consentement_absent"
    INJOIGNABLE = "injoignable"
    BAIL_ECHU = "bail_echu"
    ISSUE_INCONNUE = "issue_inconnue"
    MESSAGE_IMPOSSIBLE = "message_impossible"


_FINS_SANS_REMISE = frozenset({Etat.ANNULEE, Etat.SANS_CONSENTEMENT})

TRANSITIONS: dict[Etat, frozenset[Etat]] = {
    Etat.EN_FILE: frozenset({Etat.REMISE}) | _FINS_SANS_REMISE,
    Etat.REMISE: frozenset({Etat.REMIS, Etat.ECHEC_TEMPORAIRE, Etat.INCERTAIN, Etat.ECHEC_PERMANENT})
    | _FINS_SANS_REMISE,
    Etat.ECHEC_TEMPORAIRE: frozenset({Etat.REMISE}) | _FINS_SANS_REMISE,
    Etat.INCERTAIN: frozenset({Etat.REMISE}) | _FINS_SANS_REMISE,
    Etat.REMIS: frozenset(),
    Etat.ECHEC_PERMANENT: frozenset(),
    Etat.ANNULEE: frozenset(),
    Etat.SANS_CONSENTEMENT: frozenset(),
}
"""From → to. A hand-off goes back to `remise` only by way of a failure or an unknown outcome."""

TERMINAUX = frozenset(etat for etat, suites in TRANSITIONS.items() if not suites)
PRENABLES = frozenset(etat for etat, suites in TRANSITIONS.items() if Etat.REMISE in suites)

TENTATIVES_MAX = 5
REPRISES = tuple(dt.timedelta(seconds=s) for s in (1, 5, 30, 300))
"""The pause after the first, second … failed attempt."""


def en_route(etat: Etat, *, reprise: bool) -> bool:
    """Whether something is still to happen to a row. `reprise`: somebody is to take it up again; what stayed unknown
    after its last attempt has none, and is done."""
    return etat not in TERMINAUX and (reprise or etat is not Etat.INCERTAIN)


LOT_MAX = 16
"""Rows claimed together by one connection. It bounds what a crash leaves unknown: at most so many per connection."""

BAIL = dt.timedelta(seconds=20)
"""How long a claim is respected after its last prolongation: as long as a crash goes unnoticed."""

PROLONGATION_S = 5.0
"""How often the claim on a lot in hand is prolonged."""

REPIT_S = 5.0
"""After the database was away, claims are not declared over for so long: whoever holds them marks them first."""

REPRISE_EN_FILE = dt.timedelta(seconds=3)
"""A row that waits longer than this has lost the deliverer that was to take it."""

PRESSES = frozenset({Genre.ALERTE, Genre.CODE})
"""For these somebody waits: they leave at once. The others leave them the way free, a second later and in lots."""

REPRISE_SANS_HATE = dt.timedelta(seconds=1)

CODE_VALABLE = dt.timedelta(minutes=15)


def premiere_reprise(genre: Genre) -> dt.timedelta:
    """After how long the sweeper takes up a new row."""
    return REPRISE_EN_FILE if genre in PRESSES else REPRISE_SANS_HATE


class TransitionInterdite(Exception):
    """The table has no such step."""


def verifier(de: Etat, vers: Etat) -> None:
    """Raises TransitionInterdite."""
    if vers not in TRANSITIONS[de]:
        raise TransitionInterdite(f"{de} → {vers}")


def venant_de(vers: Etat) -> list[str]:
    """The states from which `vers` can be reached: the filter of an update."""
    return sorted(de.value for de, suites in TRANSITIONS.items() if vers in suites)


@dataclass(frozen=True)
class Suite:
    """What becomes of an envoi. `reprise_at`: from when anybody may take it up again; None: never.

    `rendue`: the attempt is given back, since nothing was handed to the provider.
    """

    etat: Etat
    motif: str | None = None
    reprise_at: dt.datetime | None = None
    rendue: bool = False


def apres_remise() -> Suite:
    return Suite(Etat.REMIS)


def apres_refus(motif: str) -> Suite:
    """The provider will never take it."""
    return Suite(Etat.ECHEC_PERMANENT, motif)


def apres_report(tentatives: int, motif: str, now: dt.datetime) -> Suite:
    """The provider refuses for now. `tentatives` counts this one."""
    if tentatives >= TENTATIVES_MAX:
        return Suite(Etat.ECHEC_PERMANENT, motif)
    return Suite(Etat.ECHEC_TEMPORAIRE, motif, now + _pause(tentatives))


def non_commencee(now: dt.datetime) -> Suite:
    """Claimed, but nothing was handed over (the provider went away): it costs no attempt."""
    return Suite(Etat.ECHEC_TEMPORAIRE, Motif.INJOIGNABLE, now + REPRISES[0], rendue=True)


def apres_inconnue(canal: Canal, tentatives: int, motif: Motif, now: dt.datetime) -> Suite:
    """Nobody knows whether the provider took it. An e-mail costs nothing: it is sent again, as long as attempts last;
    what remains unknown then stays so."""
    encore = canal is Canal.EMAIL and tentatives < TENTATIVES_MAX
    return Suite(Etat.INCERTAIN, motif, now + _pause(tentatives) if encore else None)


def dispense(
    genre: Genre, *, desabonne: bool, close: bool, joignable: bool, accord: bool, age: dt.timedelta
) -> Suite | None:
    """Why a message is not to be sent after all, seen at the moment of its claim; None when it is to be sent.

    Only an alert needs an agreement (`accord`): the other messages answer what somebody did themselves.
    """
    if genre is Genre.CODE and age > CODE_VALABLE:
        return Suite(Etat.ANNULEE, Motif.CODE_EXPIRE)
    if desabonne:
        return Suite(Etat.ANNULEE, Motif.DESABONNE)
    if close:
        return Suite(Etat.ANNULEE, Motif.ANNONCE_CLOSE)
    if not joignable:
        return Suite(Etat.SANS_CONSENTEMENT, Motif.SANS_ADRESSE)
    if genre is Genre.ALERTE and not accord:
        return Suite(Etat.SANS_CONSENTEMENT, Motif.CONSENTEMENT_ABSENT)
    return None


def _pause(tentatives: int) -> dt.timedelta:
    return REPRISES[min(max(tentatives, 1), len(REPRISES)) - 1]


@dataclass(frozen=True)
class Cloture:
    """An annonce that needs nobody any more. `definitive`: whatever version comes later; else up to `version`."""

    version: int
    definitive: bool

    def couvre(self, version: int) -> bool:
        return self.definitive or version <= self.version


def taille_lot(en_attente: int, connexions: int) -> int:
    """How many rows one connection takes: what waits is shared out, so that ten mails do not queue behind one."""
    return max(1, min(LOT_MAX, -(-en_attente // connexions)))


def id_alerte(annonce_id: str, version: int, profil_id: str, canal: Canal) -> str:
    """One row per version of an annonce, profil and channel, however often the match is repeated."""
    return stable_id(Genre.ALERTE, annonce_id, version, profil_id, canal)


def id_message(genre: Genre, cause_id: str, compte_id: str, canal: Canal) -> str:
    """One row per cause (a decision, a reponse), person and channel."""
    return stable_id(genre, cause_id, compte_id, canal)
