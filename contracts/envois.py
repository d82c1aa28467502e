"""The ledger of notifications as other parts may read it: states, motives, and the id of an alert."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from contracts.notifications import Canal


class Etat(StrEnum):
    """State of a message to one person on one channel. The transitions are in the domain of notifications."""

    EN_FILE = "en_file"
    REMISE = "remise"
    """A process is handing it over."""
    REMIS = "remis"
    """The provider has accepted it."""
    LIVRE = "livre"
    NON_LIVRE = "non_livre"
    """The provider accepted it, then gave up for a temporary reason."""
    ECHEC_TEMPORAIRE = "echec_temporaire"
    INCERTAIN = "incertain"
    """It is not known whether the provider has accepted it."""
    ECHEC_PERMANENT = "echec_permanent"
    """The provider has refused it for good."""
    ECHEC_TECHNIQUE = "echec_technique"
    """All attempts are used up, and no provider has refused it."""
    ANNULEE = "annulee"
    SANS_CONSENTEMENT = "sans_consentement"
    REGROUPEE = "regroupee"
    """Its content is in a digest, or in a message that counts several."""


class Motif(StrEnum):
    """Why a message is in its state. The motive may also be a code of the provider, such as "smtp 550 5.1.1"."""

    DESABONNE = "desabonne"
    ANNONCE_CLOSE = "annonce_close"
    COMPTE_EFFACE = "compte_efface"
    CODE_EXPIRE = "code_expire"
    SANS_ADRESSE = "sans_adresse"
    CONSENTEMENT_ABSENT = "consentement_absent"
    INJOIGNABLE = "injoignable"
    NOUS_REFUSE = "nous_refuse"
    """The provider refuses us: settings, password, credit, quota or sender."""
    BAIL_ECHU = "bail_echu"
    """The process stopped during the hand-over, and its lease has expired."""
    ISSUE_INCONNUE = "issue_inconnue"
    MESSAGE_IMPOSSIBLE = "message_impossible"
    HEURES_CALMES = "heures_calmes"
    BUDGET = "budget"
    """The person has received enough alerts this week."""
    PAUSE = "pause"
    ANNONCE_DECLINEE = "annonce_declinee"
    RESUME = "resume"
    REGROUPEMENT = "regroupement"
    """Over the limit of messages per person: it waits to be counted together with others."""
    MESSAGES_GROUPES = "messages_groupes"
    """Others of the same conversation may follow: it waits for a quiet moment."""
    HORS_CONVERSATION = "hors_conversation"
    """The person is no longer part of the conversation."""
    CONTENU_ABSENT = "contenu_absent"
    """Only the service annonces knows its text, and that service is away."""
    PLAFOND_SMS = "plafond_sms"
    PAYS_NON_DESSERVI = "pays_non_desservi"
    """No price is known for SMS to this country."""
    CADENCE = "cadence"
    """The person wants digests, which exist as e-mails only."""
    HEURES_IMPOSSIBLES = "heures_impossibles"


ETATS: Mapping[str, str] = {
    Etat.EN_FILE: "en file d’attente",
    Etat.REMISE: "remise en cours",
    Etat.REMIS: "remise au fournisseur",
    Etat.LIVRE: "livrée",
    Etat.NON_LIVRE: "non livrée",
    Etat.ECHEC_TEMPORAIRE: "échec passager",
    Etat.INCERTAIN: "issue inconnue",
    Etat.ECHEC_PERMANENT: "échec définitif",
    Etat.ECHEC_TECHNIQUE: "échec technique",
    Etat.ANNULEE: "annulée",
    Etat.SANS_CONSENTEMENT: "sans consentement",
    Etat.REGROUPEE: "dans un résumé",
}
"""State → its name for the staff and for operators."""

MOTIFS: Mapping[str, str] = {
    Motif.DESABONNE: "désabonnement",
    Motif.ANNONCE_CLOSE: "annonce pourvue, retirée ou expirée",
    Motif.COMPTE_EFFACE: "compte effacé",
    Motif.CODE_EXPIRE: "code expiré",
    Motif.SANS_ADRESSE: "pas d’adresse pour ce canal",
    Motif.CONSENTEMENT_ABSENT: "pas d’accord pour ce canal",
    Motif.INJOIGNABLE: "fournisseur injoignable",
    Motif.NOUS_REFUSE: "fournisseur qui refuse notre compte ou nos réglages",
    Motif.BAIL_ECHU: "processus arrêté pendant la remise",
    Motif.ISSUE_INCONNUE: "fournisseur sans réponse",
    Motif.MESSAGE_IMPOSSIBLE: "message impossible à écrire",
    Motif.HEURES_CALMES: "attend l’heure permise",
    Motif.BUDGET: "budget de sollicitations atteint",
    Motif.PAUSE: "pause demandée",
    Motif.ANNONCE_DECLINEE: "annonce écartée par la personne",
    Motif.RESUME: "destinée à un résumé",
    Motif.REGROUPEMENT: "beaucoup de messages à la fois : compté avec d’autres",
    Motif.MESSAGES_GROUPES: "d’autres messages de la conversation peuvent suivre",
    Motif.HORS_CONVERSATION: "personne sortie de la conversation",
    Motif.CONTENU_ABSENT: "contenu en attente : le service des annonces ne répond pas",
    Motif.PLAFOND_SMS: "plafond de dépense des SMS atteint",
    Motif.PAYS_NON_DESSERVI: "pays où nous n’envoyons pas de SMS",
    Motif.CADENCE: "résumés choisis, par courriel seulement",
    Motif.HEURES_IMPOSSIBLES: "aucune heure permise",
}
"""Motive → its words for the staff and for operators. Any other motive is a code of a provider, shown unchanged."""

CHIFFRES_DE_L_ANNONCE = 12
"""Hexadecimal digits at the beginning of the id of an alert that depend on its annonce alone."""


def id_alerte(annonce_id: str, version: int, profil_id: str, canal: Canal) -> str:
    """The id in the ledger of the alert of a person on a channel about a version of an annonce: 32 hexadecimal digits.

    `profil_id`, the best of the profils that the annonce concerns, stands for the person.
    Processing a match again gives the same id, so nobody is alerted twice. The digits of the annonce come first, so
    that the ledger finds and inserts its alerts side by side without another index. The other 80 bits tell them apart.
    """
    suite = _empreinte("alerte", annonce_id, version, profil_id, canal)[CHIFFRES_DE_L_ANNONCE:]
    return debut_des_alertes(annonce_id) + suite


@lru_cache(maxsize=1024)
def debut_des_alertes(annonce_id: str) -> str:
    """The digits with which the ids of all alerts of an annonce begin. Two annonces may share them."""
    return _empreinte("alerte", annonce_id)[:CHIFFRES_DE_L_ANNONCE]


def _empreinte(*parties: object) -> str:
    # The same as kit.ids.stable_id, which contracts may not import. Stored ids depend on it: it never changes.
    return hashlib.blake2b("\x1f".join(map(str, parties)).encode(), digest_size=16).hexdigest()
