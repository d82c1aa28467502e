"""Parses SMPP receipts, from TLVs and from the text (SMPP 3.4, appendix B), and tells what they mean for a message.
Pure."""

import re
from dataclasses import dataclass

from services.notifications.canaux.feedback import Verdict
from services.notifications.canaux.sms.gsm7 import decoder
from services.notifications.canaux.sms.smpp.pdu import Message, Tlv, lire_chaine

_GENRE = 0x3C
_ACQUITTEMENT_D_UNE_PERSONNE = 0x10
"""A person answered on their phone: the content is an SMS, not a receipt."""
_GSM = 3
_ABONNE_INCONNU = 1
"""MAP error (3GPP TS 29.002): unknown subscriber."""
_ETATS = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
"""message_state (5.2.28); ENROUTE and ACCEPTD are not final."""
_VERDICTS = {
    "DELIVRD": Verdict.LIVRE,
    "EXPIRED": Verdict.NON_LIVRE,
    "DELETED": Verdict.NON_LIVRE,
    "UNDELIV": Verdict.NON_LIVRE,
    "UNKNOWN": Verdict.NON_LIVRE,
    "REJECTD": Verdict.REFUSE,
}
_EN_TEXTE = re.compile(
    r"\s*id:\s*\S{1,64}(?=.*\b(?:sub|dlvrd|submit date|done date|err):)"
    rf"(?=.*\bstat:\s*(?:{'|'.join(_ETATS.values())})\b)",
    re.IGNORECASE | re.DOTALL,
)
_ID = re.compile(r"\bid:\s*([^\s]{1,64})", re.IGNORECASE)
_STAT = re.compile(r"\bstat:\s*([a-z]{1,10})", re.IGNORECASE)
_ERR = re.compile(r"\berr:\s*([0-9a-z]{1,6})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Accuse:
    """`verdict` None: not final. `motif`: codes only, "smpp UNDELIV 001"."""

    reference: str
    verdict: Verdict | None
    motif: str


def est_accuse(message: Message) -> bool:
    """True for a receipt, final or intermediate: recognised by esm_class, by TLVs, or by its text alone, as some
    providers send it."""
    if message.esm_class & _GENRE not in (0, _ACQUITTEMENT_D_UNE_PERSONNE):
        return True
    if Tlv.REFERENCE_ACCUSEE in message.tlv and Tlv.ETAT in message.tlv:
        return True
    return _EN_TEXTE.match(decoder(message.contenu, message.data_coding)) is not None


def lire_accuse(message: Message) -> Accuse | None:
    """Returns None when the receipt does not identify its message, or has no known state."""
    # The part after "text:" was written by somebody else.
    texte = re.split(r"\btext:", decoder(message.contenu, message.data_coding), maxsplit=1, flags=re.IGNORECASE)[0]
    reference = lire_chaine(message.tlv.get(Tlv.REFERENCE_ACCUSEE, b"")) or _trouver(_ID, texte)
    etat = _ETATS.get(int.from_bytes(message.tlv.get(Tlv.ETAT, b""), "big")) or _trouver(_STAT, texte).upper()
    if not reference or etat not in _ETATS.values():
        return None
    erreur, reseau = _trouver(_ERR, texte), message.tlv.get(Tlv.ERREUR_RESEAU, b"")
    code = int.from_bytes(reseau[1:], "big") if len(reseau) == 3 else None
    verdict = _VERDICTS.get(etat)
    # Codes in the text are specific to each provider; only the network's own code proves that the number does not
    # exist.
    if etat == "UNDELIV" and code == _ABONNE_INCONNU and reseau[0] == _GSM:
        verdict = Verdict.REFUSE
    detail = f"{code:03d}" if code is not None else erreur
    return Accuse(reference, verdict, f"smpp {etat} {detail}".rstrip())


def _trouver(motif: re.Pattern[str], texte: str) -> str:
    trouve = motif.search(texte)
    return trouve[1] if trouve else ""
