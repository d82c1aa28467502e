"""The life of an envoi: its states, which only go forwards, and what becomes of it after each outcome. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from services.notifications.canaux.base import Recu


class Genre(StrEnum):
    """What a message is about; catalogue.py says how each is written and whether it needs a consent."""

    ALERTE = "alerte"
    CODE = "code"
    ANNONCE_PUBLIEE = "annonce_publiee"
    ANNONCE_A_CORRIGER = "annonce_a_corriger"
    ANNONCE_REFUSEE = "annonce_refusee"
    ANNONCE_RETIREE = "annonce_retiree"
    CORRECTION_PUBLIEE = "correction_publiee"
    CORRECTION_A_CORRIGER = "correction_a_corriger"
    CORRECTION_REFUSEE = "correction_refusee"
    """The text that was approved before is still online."""
    ASSOCIATION_VALIDEE = "association_validee"
    ASSOCIATION_A_CORRIGER = "association_a_corriger"
    ASSOCIATION_REFUSEE = "association_refusee"
    ASSOCIATION_RETIREE = "association_retiree"
    REPONSE_RECUE = "reponse_recue"
    REPONSE_ACCEPTEE = "reponse_acceptee"
    REPONSE_DECLINEE = "reponse_declinee"
    REPONSE_DECLINEE_MOT = "reponse_declinee_mot"
    """With a word of the author, which waits in the account of whoever answered."""
    PLACE_LIBEREE = "place_liberee"
    """The author took an acceptance back."""
    REPONSE_ANNULEE = "reponse_annulee"
    REPONSE_NOTEE = "reponse_notee"
    """To who answered by a message: the place that is theirs."""
    REPONSE_EN_ATTENTE = "reponse_en_attente"
    REPONSE_PROMUE = "reponse_promue"
    REPONSE_SANS_EFFET = "reponse_sans_effet"
    CIRCONSTANCES_CHANGEES = "circonstances_changees"
    """Days or place changed: does the answer still hold?"""
    REPONSE_CONFIRMEE = "reponse_confirmee"
    """To who said by a message that it does."""
    BESOIN_RETIRE = "besoin_retire"
    RAPPEL = "rappel"
    RESUME = "resume"
    MESSAGE_RECU = "message_recu"
    """What the other side of a conversation has written."""
    COURRIEL_NON_TRANSMIS = "courriel_non_transmis"
    """Why a mail to a conversation was not passed on."""
    REGROUPEMENT = "regroupement"
    """It counts what was over somebody's limit (limits.py)."""
    CODE_TELEPHONE = "code_telephone"
    STOP_CONFIRME = "stop_confirme"
    PAUSE_CONFIRMEE = "pause_confirmee"
    REPRISE_CONFIRMEE = "reprise_confirmee"
    NON_CONFIRME = "non_confirme"
    AIDE_SMS = "aide_sms"
    QUELLE_ANNONCE = "quelle_annonce"


FINS_SANS_REMISE = frozenset({Etat.ANNULEE, Etat.SANS_CONSENTEMENT})
_MOTIFS = frozenset(Motif)
_APRES_REMISE = frozenset({Etat.LIVRE, Etat.NON_LIVRE, Etat.ECHEC_PERMANENT})

TRANSITIONS: dict[Etat, frozenset[Etat]] = {
    Etat.EN_FILE: frozenset({Etat.REMISE, Etat.REGROUPEE}) | FINS_SANS_REMISE,
    Etat.REMISE: frozenset(
        {Etat.REMIS, Etat.EN_FILE, Etat.ECHEC_TEMPORAIRE, Etat.INCERTAIN, Etat.ECHEC_PERMANENT, Etat.ECHEC_TECHNIQUE}
    )
    | FINS_SANS_REMISE,
    Etat.ECHEC_TEMPORAIRE: frozenset({Etat.REMISE}) | FINS_SANS_REMISE,
    # A receipt may tell what became of it after all.
    Etat.INCERTAIN: frozenset({Etat.REMISE}) | _APRES_REMISE | FINS_SANS_REMISE,
    Etat.REMIS: _APRES_REMISE,
    Etat.LIVRE: frozenset(),
    # A bounce may tell more than « given up »; a late « delivered » is the better news, and true.
    Etat.NON_LIVRE: frozenset({Etat.LIVRE, Etat.ECHEC_PERMANENT}),
    Etat.ECHEC_PERMANENT: frozenset(),
    Etat.ECHEC_TECHNIQUE: frozenset(),
    Etat.REGROUPEE: frozenset(),
    Etat.ANNULEE: frozenset(),
    Etat.SANS_CONSENTEMENT: frozenset(),
}
"""From → to. A hand-off goes back to `remise` only by way of a failure or an unknown outcome."""

OUVERTS = frozenset({Etat.EN_FILE, Etat.REMISE, Etat.ECHEC_TEMPORAIRE, Etat.INCERTAIN})
"""Something is still ours to do. After the others only a provider's word may follow."""

TENTATIVES_MAX = 5
REPRISES = tuple(dt.timedelta(seconds=s) for s in (1, 5, 30, 300))
"""The pause after the first, second … failed attempt."""


PROGRAMMES = frozenset({Motif.HEURES_CALMES, Motif.RESUME, Motif.BUDGET, Motif.REGROUPEMENT, Motif.MESSAGES_GROUPES})
"""A row in the queue for one of these has its hour: nobody is late with it."""


def en_route(etat: Etat, motif: str | None, *, reprise: bool) -> bool:
    """Whether something is to happen to a row now. `reprise`: somebody is to take it up again; what stayed unknown
    after its last attempt has none, and is done."""
    if etat is Etat.EN_FILE and motif in PROGRAMMES:
        return False
    return etat in OUVERTS and (reprise or etat is not Etat.INCERTAIN)


RENVOYES = frozenset({Canal.EMAIL})
"""Channels on which what may be out already is sent again: a second mail costs nothing, a second SMS does."""

LOT_MAX: Mapping[Canal, int] = {Canal.EMAIL: 16, Canal.SMS: 8, Canal.PUSH: 8}
"""Rows claimed together. It bounds what a crash leaves unknown: so many per lot that a connection has in hand."""

AVANCE_MAX = 6000
"""Rows of mails that one process holds claimed before their turn. They cost no double: a crash leaves them unknown,
they are sent then, and none of them was out. An SMS of unknown outcome is not sent again: none is held so."""

BAIL = dt.timedelta(seconds=20)
"""How long a claim is respected after its last prolongation: as long as a crash goes unnoticed."""

PROLONGATION_S = 5.0
"""How often the claim on a lot in hand is prolonged."""

REPIT_S = 5.0
"""After the database was away, claims are not declared over for so long: whoever holds them marks them first."""

REPRISE_EN_FILE = dt.timedelta(seconds=3)
"""A row that waits longer than this has lost the deliverer that was to take it."""

PRESSES = frozenset(
    {
        Genre.ALERTE,
        Genre.CODE,
        Genre.CODE_TELEPHONE,
        Genre.REPONSE_NOTEE,
        Genre.REPONSE_CONFIRMEE,
        Genre.REPONSE_EN_ATTENTE,
        Genre.REPONSE_SANS_EFFET,
        Genre.STOP_CONFIRME,
        Genre.PAUSE_CONFIRMEE,
        Genre.REPRISE_CONFIRMEE,
        Genre.NON_CONFIRME,
        Genre.AIDE_SMS,
        Genre.QUELLE_ANNONCE,
        Genre.MESSAGE_RECU,
        Genre.COURRIEL_NON_TRANSMIS,
    }
)
"""For these somebody waits: they leave at once. The others leave them the way free, a second later and in lots."""

A_HEURES_OUVRABLES = frozenset(
    {
        Genre.ALERTE,
        Genre.RAPPEL,
        Genre.BESOIN_RETIRE,
        Genre.REPONSE_PROMUE,
        Genre.REPONSE_ACCEPTEE,
        Genre.PLACE_LIBEREE,
        Genre.CIRCONSTANCES_CHANGEES,
        Genre.MESSAGE_RECU,
    }
)
"""By SMS they wait for the hours in which one may write. The others answer what somebody has just done."""

REPONDABLES = frozenset({Genre.ALERTE, Genre.CIRCONSTANCES_CHANGEES})
"""They ask something: yes or no by their link, or by an SMS."""

SUR_ACCORD = frozenset({Genre.ALERTE, Genre.RESUME})
"""They need an agreement, and keep silent during a pause; the others answer what somebody did themselves."""

CODES = frozenset({Genre.CODE, Genre.CODE_TELEPHONE})

SANS_FOURNISSEUR = frozenset({Motif.INJOIGNABLE, Motif.NOUS_REFUSE})
"""Nothing could be handed over, whatever the message."""

REPRISE_SANS_HATE = dt.timedelta(seconds=1)

CODE_VALABLE = dt.timedelta(minutes=15)


def premiere_reprise(genre: Genre) -> dt.timedelta:
    """After how long the sweeper takes up a new row."""
    return REPRISE_EN_FILE if genre in PRESSES else REPRISE_SANS_HATE


REFUSE, ESSAIS_EPUISES = "refuse", "essais_epuises"
"""Why a message is not sent, where the reason is a code of its provider, of which there are too many to count."""


def non_envoye(etat: Etat, motif: str | None) -> str | None:
    """The reason for which a message ends unsent; None of one that was sent, is merged, or may still be."""
    if etat is Etat.ECHEC_TECHNIQUE:
        return ESSAIS_EPUISES
    if etat in FINS_SANS_REMISE or etat is Etat.ECHEC_PERMANENT:
        return motif if motif in _MOTIFS else REFUSE
    return None


def part_tout_de_suite(etat: Etat, reprise_at: dt.datetime | None, now: dt.datetime) -> bool:
    """False of a new row that waits for its hour or for a digest, or that is done already."""
    return etat is Etat.EN_FILE and reprise_at is not None and reprise_at <= now + REPRISE_EN_FILE


def venant_de(vers: Etat) -> list[str]:
    """The states from which `vers` can be reached: the filter of an update."""
    return sorted(de.value for de, suites in TRANSITIONS.items() if vers in suites)


@dataclass(frozen=True)
class Suite:
    """What becomes of an envoi. `reprise_at`: from when anybody may take it up again; None: never.

    `rendue`: the attempt is given back, since nothing was handed to the provider. `recu`: what the provider answered;
    `centimes`: what that costs.
    """

    etat: Etat
    motif: str | None = None
    reprise_at: dt.datetime | None = None
    rendue: bool = False
    recu: Recu | None = None
    centimes: float = 0.0


def apres_remise(recu: Recu, centimes: float = 0.0) -> Suite:
    return Suite(Etat.REMIS, recu=recu, centimes=centimes)


def apres_refus(motif: str) -> Suite:
    """The provider will never take it."""
    return Suite(Etat.ECHEC_PERMANENT, motif)


def apres_report(tentatives: int, motif: str, now: dt.datetime) -> Suite:
    """The provider refuses for now. `tentatives` counts this one."""
    if tentatives >= TENTATIVES_MAX:
        return Suite(Etat.ECHEC_TECHNIQUE, motif)
    return Suite(Etat.ECHEC_TEMPORAIRE, motif, now + _pause(tentatives))


def non_commencee(now: dt.datetime) -> Suite:
    """Claimed, but nothing was handed over (the provider went away): it costs no attempt."""
    return Suite(Etat.ECHEC_TEMPORAIRE, Motif.INJOIGNABLE, now + REPRISES[0], rendue=True)


def retenue(now: dt.datetime) -> Suite:
    """The provider refuses us, whatever the message: it costs no attempt. Behind those that were not begun, so that one
    message that is always misjudged does not stand before them."""
    return Suite(Etat.ECHEC_TEMPORAIRE, Motif.NOUS_REFUSE, now + REPRISES[1], rendue=True)


def apres_saturation(motif: str, now: dt.datetime) -> Suite:
    """The provider has a passing trouble of its own: it costs no attempt."""
    return Suite(Etat.ECHEC_TEMPORAIRE, motif, now + REPRISES[1], rendue=True)


def contenu_absent(now: dt.datetime) -> Suite:
    """Whoever knows what is to be said is away: nothing was handed over, and it costs no attempt."""
    return Suite(Etat.ECHEC_TEMPORAIRE, Motif.CONTENU_ABSENT, now + REPRISES[1], rendue=True)


def rendue(now: dt.datetime) -> Suite:
    """Claimed before its turn, which did not come here: anybody's again."""
    return Suite(Etat.EN_FILE, reprise_at=now, rendue=True)


def plus_tard(motif: Motif, a: dt.datetime) -> Suite:
    """Claimed too early: back to the queue until `a`."""
    return Suite(Etat.EN_FILE, motif, a, rendue=True)


def apres_inconnue(canal: Canal, tentatives: int, motif: Motif, now: dt.datetime) -> Suite:
    """Nobody knows whether the provider took it. An e-mail costs nothing: it is sent again, as long as attempts last;
    what remains unknown then stays so."""
    encore = canal in RENVOYES and tentatives < TENTATIVES_MAX
    return Suite(Etat.INCERTAIN, motif, now + _pause(tentatives) if encore else None)


def dispense(
    genre: Genre,
    *,
    desabonne: bool,
    declinee: bool,
    close: bool,
    joignable: bool,
    accord: bool,
    pause: bool,
    age: dt.timedelta,
    ouvert_at: dt.datetime | None,
) -> Suite | None:
    """Why a message is not to be sent after all, or not yet, seen at the moment of its claim; None: send it.

    `accord`, `pause`: what the person wants now, for the messages of SUR_ACCORD. `declinee`: they have said no to this
    annonce. `ouvert_at`: from when this channel may be used; None: now.
    """
    if genre in CODES and age > CODE_VALABLE:
        return Suite(Etat.ANNULEE, Motif.CODE_EXPIRE)
    if desabonne:
        return Suite(Etat.ANNULEE, Motif.DESABONNE)
    if close:
        return Suite(Etat.ANNULEE, Motif.ANNONCE_CLOSE)
    if not joignable:
        return Suite(Etat.SANS_CONSENTEMENT, Motif.SANS_ADRESSE)
    if genre in SUR_ACCORD and not accord:
        return Suite(Etat.SANS_CONSENTEMENT, Motif.CONSENTEMENT_ABSENT)
    if genre in SUR_ACCORD and pause:
        return Suite(Etat.ANNULEE, Motif.PAUSE)
    if declinee:
        return Suite(Etat.ANNULEE, Motif.ANNONCE_DECLINEE)
    if ouvert_at is not None and genre in A_HEURES_OUVRABLES:
        return plus_tard(Motif.HEURES_CALMES, ouvert_at)
    return None


def _pause(tentatives: int) -> dt.timedelta:
    return REPRISES[min(max(tentatives, 1), len(REPRISES)) - 1]


@dataclass(frozen=True)
class Cloture:
    """An annonce that needs nobody any more. `definitive`: whatever version comes later; else up to `version`.
    `effacee`: its words are erased too, and must not be stored again."""

    version: int
    definitive: bool
    effacee: bool = False

    def couvre(self, version: int) -> bool:
        return self.definitive or version <= self.version


def taille_lot(canal: Canal, en_attente: int, connexions: int) -> int:
    """How many rows one connection takes: what waits is shared out, so that ten mails do not queue behind one."""
    return max(1, min(LOT_MAX[canal], -(-en_attente // connexions)))


def lots_par_connexion(canal: Canal) -> int:
    """How many lots a connection has in hand: the next one is handed over while the outcome of another is written. What
    a crash leaves unknown grows with them, so one only where that is not sent again."""
    return 2 if canal in RENVOYES else 1
