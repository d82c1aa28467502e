"""Parses returned mails: bounces (DSN, RFC 3464), complaints (ARF, RFC 5965), and older bounces without a standard.

Our message is identified by the Message-ID in the returned headers, `<envoi_id@domain>`, or by the ENVID of its
envelope. Addresses are not read.

`flufl.bounce` was tried for bounces without a standard and rejected: it returns addresses, which are not wanted here,
returns no code, and treats texts of the nineties as final. What it would add (qmail and old Exim) is in `_ancien`.
"""

import datetime as dt
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser

from services.notifications.canaux.feedback import Retour, Verdict

FOURNISSEUR = "email"

# A bounce contains our headers, or at most our whole mail; larger ones are not read.
_TAILLE_MAX = 1 << 20
_PARTIES_MAX = 50
_ENVOI = r"[A-Za-z0-9_-]{8,64}"
_MESSAGE_ID = re.compile(rf"<\s*({_ENVOI})@([A-Za-z0-9.-]+)\s*>")
_MESSAGE_ID_EN_TEXTE = re.compile(rf"^[>\s]*Message-ID:\s*<({_ENVOI})@([A-Za-z0-9.-]+)>", re.IGNORECASE | re.MULTILINE)
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_STATUT = re.compile(rf"\s*{_CODE.pattern}")
_SMTP = re.compile(r"(?<![\d.])(5\d\d)[ -]")
_EXPEDITEUR_DE_REBONDS = re.compile(r"\b(?:mailer-daemon|postmaster)\b", re.IGNORECASE)
# RFC 5965, 7.3, and RFC 6650; "not-spam" and "auth-failure" are not complaints.
_PLAINTES = frozenset({"abuse", "fraud", "virus", "other", "opt-out", "opt-out-list"})
_TYPES_RENVOYES = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers", "message/rfc822-headers"}
)
_GRAVITE = (Verdict.LIVRE, Verdict.NON_LIVRE, Verdict.REFUSE)


def lire(message: bytes, now: dt.datetime, domaine: str | None = None) -> list[Retour]:
    """What a mail to our return address reports; [] for auto-replies, delays, and mails that are not about a message of
    ours.

    `domaine`: domain of our Message-IDs; None accepts ids of any domain. Never raises.
    """
    if len(message) > _TAILLE_MAX:
        return []
    try:
        # Parsed lazily: the newer policies parse every header, and raise for some malformed ones.
        lu = message_from_bytes(message)
        return [retour] if (retour := _lire(lu, now, domaine)) else []
    except (RecursionError, LookupError, ValueError, TypeError, AttributeError):
        # Raised by the standard parser for endless nesting and malformed headers.
        return []


def _lire(lu: Message, now: dt.datetime, domaine: str | None) -> Retour | None:
    parties = list(_parties(lu))
    types = {partie.get_content_type() for partie in parties}
    if "message/feedback-report" in types:
        trouve = _plainte(parties)
    elif types & {"message/delivery-status", "message/global-delivery-status"}:
        trouve = _dsn(parties)
    elif "message/disposition-notification" in types:
        return None
    else:
        trouve = _ancien(lu, parties)
    if trouve is None:
        return None
    verdict, motif, envelope = trouve
    envoi_id = _renvoye(parties, domaine) or envelope
    return Retour(FOURNISSEUR, verdict, motif, now, envoi_id=envoi_id) if envoi_id else None


_Trouve = tuple[Verdict, str, str | None]
"""Verdict, codes, and the id in the envelope if present."""


def _dsn(parties: list[Message]) -> _Trouve | None:
    """The worst report about our single recipient: an address that forwards to several gets several reports."""
    pire: tuple[int, Verdict, str] | None = None
    enveloppe = None
    for bloc in _blocs(parties, "delivery-status"):
        enveloppe = enveloppe or _enveloppe(bloc)
        jugement = _juger(bloc)
        if jugement is not None and (pire is None or _GRAVITE.index(jugement[0]) > pire[0]):
            pire = (_GRAVITE.index(jugement[0]), *jugement)
    return (pire[1], pire[2], enveloppe) if pire else None


def _juger(bloc: Message) -> tuple[Verdict, str] | None:
    # Some systems write a comment after the action.
    action = _champ(bloc, "action").lower()
    trouve = _STATUT.match(_champ(bloc, "status")) or _CODE.search(_champ(bloc, "diagnostic-code"))
    code = trouve[1] if trouve else None
    if action.startswith("delivered"):
        return Verdict.LIVRE, f"dsn {code or 'delivered'}"
    # OpenSMTPD writes "error". "delayed" means that the relay still tries; "relayed" and "expanded" say nothing about
    # delivery.
    if not action.startswith(("failed", "error")):
        return None
    if code is None or code.startswith("2"):
        return Verdict.NON_LIVRE, "dsn failed"
    return (Verdict.REFUSE if code.startswith("5") else Verdict.NON_LIVRE), f"dsn {code}"


def _plainte(parties: list[Message]) -> _Trouve | None:
    for bloc in _blocs(parties, "feedback-report"):
        genre = _champ(bloc, "feedback-type").strip().lower()
        if genre in _PLAINTES:
            return Verdict.PLAINTE, f"arf {genre}", _enveloppe(bloc)
    return None


def _ancien(lu: Message, parties: list[Message]) -> _Trouve | None:
    """A bounce without a standard: sent by a mail system, about a message of ours, with a final code. 4xx codes are
    ignored, because such texts do not say whether the system has given up."""
    systeme = bool(_EXPEDITEUR_DE_REBONDS.search(_champ(lu, "from"))) or "x-failed-recipients" in lu
    texte = "\n".join(_texte(partie) for partie in parties if partie.get_content_maintype() == "text")
    trouve = _MESSAGE_ID_EN_TEXTE.search(texte)
    # Read only the text before the returned headers, which are full of numbers.
    recit = texte[: trouve.start()] if trouve else texte
    detaille, simple = _CODE.search(recit), _SMTP.search(recit)
    if not systeme or not (detaille or simple) or (detaille and not detaille[1].startswith("5")):
        return None
    code = detaille[1] if detaille else simple[1] if simple else ""
    return Verdict.REFUSE, f"rebond {code}", None


def _renvoye(parties: list[Message], domaine: str | None) -> str | None:
    """The id of the envoi whose headers were returned."""
    for partie in parties:
        if partie.get_content_type() in _TYPES_RENVOYES:
            contenu = partie.get_payload()
            rendu = contenu[0] if isinstance(contenu, list) else HeaderParser().parsestr(_texte(partie))
            if isinstance(rendu, Message) and (
                envoi := _le_notre(_MESSAGE_ID.search(_champ(rendu, "message-id")), domaine)
            ):
                return envoi
    for partie in parties:
        if partie.get_content_maintype() == "text" and (
            envoi := _le_notre(_MESSAGE_ID_EN_TEXTE.search(_texte(partie)), domaine)
        ):
            return envoi
    return None


def _le_notre(trouve: re.Match[str] | None, domaine: str | None) -> str | None:
    if trouve is None or (domaine is not None and trouve[2].lower() != domaine.lower()):
        return None
    return trouve[1]


def _enveloppe(bloc: Message) -> str | None:
    """The ENVID that we set (envelope.py): the id of the envoi, without xtext encoding."""
    trouve = re.fullmatch(rf"\s*<?({_ENVOI})>?\s*", _champ(bloc, "original-envelope-id"))
    return trouve[1] if trouve else None


def _parties(lu: Message) -> Iterator[Message]:
    """Yields the parts of the mail, but not those of a quoted message inside it."""
    a_voir, vues = [lu], 0
    while a_voir and vues < _PARTIES_MAX:
        partie, vues = a_voir.pop(0), vues + 1
        yield partie
        contenu = partie.get_payload()
        if partie.get_content_maintype() == "multipart" and isinstance(contenu, list):
            a_voir += [enfant for enfant in contenu if isinstance(enfant, Message)]


def _blocs(parties: list[Message], genre: str) -> Iterator[Message]:
    """Yields the groups of fields of a report; the parser splits only message/delivery-status."""
    for partie in parties:
        if partie.get_content_type() in (f"message/{genre}", f"message/global-{genre}"):
            contenu = partie.get_payload()
            for bloc in contenu if isinstance(contenu, list) else []:
                if isinstance(bloc, Message):
                    yield bloc
                    for suite in re.split(r"\r?\n\r?\n", _texte(bloc)):
                        yield HeaderParser().parsestr(suite)


def _champ(bloc: Message, nom: str) -> str:
    return str(bloc.get(nom, ""))


def _texte(partie: Message) -> str:
    octets = partie.get_payload(decode=True)
    return octets.decode("latin-1") if isinstance(octets, bytes) else ""
