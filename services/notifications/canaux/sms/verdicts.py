"""Decides whose fault a refusal by an SMS provider is, from its SMPP or HTTP status. Pure."""

import re

from services.notifications.canaux.base import EchecRemise, Inconnu, Injoignable, Sature, Temporaire
from services.notifications.canaux.faults import Faute, echec
from services.notifications.canaux.sms.smpp.pdu import Statut

_SMPP: dict[int, Faute] = {
    **dict.fromkeys((Statut.DESTINATAIRE, Statut.TON_DU_DESTINATAIRE, Statut.NPI_DU_DESTINATAIRE), Faute.DESTINATAIRE),
    Statut.LONGUEUR_DU_MESSAGE: Faute.MESSAGE,
    **dict.fromkeys((Statut.DEBIT, Statut.FILE_PLEINE, Statut.ERREUR_SYSTEME), Faute.FOURNISSEUR),
    # Our identity, and the sender in our settings.
    **dict.fromkeys(
        (
            Statut.LIEN_REFUSE,
            Statut.MOT_DE_PASSE,
            Statut.IDENTIFIANT,
            Statut.TYPE_DE_SYSTEME,
            Statut.EXPEDITEUR,
            Statut.TON_DE_L_EXPEDITEUR,
            Statut.NPI_DE_L_EXPEDITEUR,
            Statut.SERVICE,
            Statut.CLASSE_DE_MESSAGE,
        ),
        Faute.NOTRE,
    ),
}
_HTTP_NOTRE = frozenset({401, 402, 403, 404, 405, 406, 407, 411, 415})
"""Our key, credit, permission, URL or request format: every message would fail."""
_COMPTE = re.compile(
    rb"credit|balance|funds|quota|payment|sender|api.?key|unauthori[sz]ed|authenti|account|exp[\xc3\xa9e]+diteur",
    re.IGNORECASE,
)
"""Words in a 400 or 422 response that are about our account rather than the number or text."""
_NUMERO = re.compile(rb"recipient|destination|phone|number|\bto\b|msisdn|num[\xc3\xa9e]+ro", re.IGNORECASE)


def refus_smpp(statut: int, nom: str) -> EchecRemise:
    """The error for a refused submit_sm. Statuses defined by the provider itself count as temporary."""
    motif = f"smpp 0x{statut:02x}"
    if statut == Statut.NON_LIE:
        return Injoignable(motif, nom)
    faute = _SMPP.get(statut)
    return Temporaire(motif, nom) if faute is None else echec(faute, motif, nom, definitif=True)


def lie_refuse(statut: int) -> bool:
    """True when a refused bind is our fault. "Already bound" is not: the old session ends by itself."""
    return statut not in (Statut.DEJA_LIE, Statut.TEMPORAIRE) and _SMPP.get(statut) is not Faute.FOURNISSEUR


def refus_http(statut: int, corps: bytes, nom: str) -> EchecRemise:
    """`statut`: not 2xx. `corps`: the response body, searched only for words about our account."""
    motif = f"http {statut}"
    if statut == 429:
        return Sature(motif, nom)
    if statut == 504:
        # A server behind the gateway may have accepted the message.
        return Inconnu(motif, nom)
    if statut >= 500 or statut == 408:
        return Injoignable(motif, nom)
    return echec(_faute_http(statut, corps), motif, nom, definitif=True)


def _faute_http(statut: int, corps: bytes) -> Faute:
    # A redirect means that our URL is outdated.
    if statut < 400 or statut in _HTTP_NOTRE:
        return Faute.NOTRE
    if _COMPTE.search(corps) and not _NUMERO.search(corps):
        return Faute.NOTRE
    return Faute.MESSAGE
