"""Whose fault the refusal of an SMS provider is: by the status of SMPP or of HTTP, and what follows. Pure."""

import re

from services.notifications.canaux.base import EchecRemise, Inconnu, Injoignable, Sature, Temporaire
from services.notifications.canaux.faults import Faute, echec
from services.notifications.canaux.sms.smpp.pdu import Statut

_SMPP: dict[int, Faute] = {
    **dict.fromkeys((Statut.DESTINATAIRE, Statut.TON_DU_DESTINATAIRE, Statut.NPI_DU_DESTINATAIRE), Faute.DESTINATAIRE),
    Statut.LONGUEUR_DU_MESSAGE: Faute.MESSAGE,
    **dict.fromkeys((Statut.DEBIT, Statut.FILE_PLEINE, Statut.ERREUR_SYSTEME), Faute.FOURNISSEUR),
    # Who we are, and the sender that our settings name.
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
"""Our key, our credit, our right to send, our URL, the form of our request: every message would fail alike."""
_COMPTE = re.compile(
    rb"credit|balance|funds|quota|payment|sender|api.?key|unauthori[sz]ed|authenti|account|exp[\xc3\xa9e]+diteur",
    re.IGNORECASE,
)
"""Words of an answer 400 or 422 that speak of our account and not of the number or the text."""
_NUMERO = re.compile(rb"recipient|destination|phone|number|\bto\b|msisdn|num[\xc3\xa9e]+ro", re.IGNORECASE)


def refus_smpp(statut: int, nom: str) -> EchecRemise:
    """Of a submit_sm. What a provider has invented for itself is taken as passing, and counted."""
    motif = f"smpp 0x{statut:02x}"
    if statut == Statut.NON_LIE:
        return Injoignable(motif, nom)
    faute = _SMPP.get(statut)
    return Temporaire(motif, nom) if faute is None else echec(faute, motif, nom, definitif=True)


def lie_refuse(statut: int) -> bool:
    """Whether a refused bind is our fault. A session that the provider believes to be still there ends by itself."""
    return statut not in (Statut.DEJA_LIE, Statut.TEMPORAIRE) and _SMPP.get(statut) is not Faute.FOURNISSEUR


def refus_http(statut: int, corps: bytes, nom: str) -> EchecRemise:
    """`statut`: not 2xx. `corps`: what the provider says, of which only words about our account count."""
    motif = f"http {statut}"
    if statut == 429:
        return Sature(motif, nom)
    if statut == 504:
        # Somebody behind it may have taken the message.
        return Inconnu(motif, nom)
    if statut >= 500 or statut == 408:
        return Injoignable(motif, nom)
    return echec(_faute_http(statut, corps), motif, nom, definitif=True)


def _faute_http(statut: int, corps: bytes) -> Faute:
    # A redirection is a URL that is not right any more.
    if statut < 400 or statut in _HTTP_NOTRE:
        return Faute.NOTRE
    if _COMPTE.search(corps) and not _NUMERO.search(corps):
        return Faute.NOTRE
    return Faute.MESSAGE
