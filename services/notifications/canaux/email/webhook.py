"""Parses callbacks of mail relays: events about our mails. Pure."""

import datetime as dt
import re
from typing import Any, NoReturn

import orjson

from services.notifications.canaux.callback_signature import Malforme
from services.notifications.canaux.email.bounces import FOURNISSEUR
from services.notifications.canaux.feedback import Retour, Verdict

_EVENEMENTS_MAX = 1000
_NOTRE_ID = re.compile(r"<?([A-Za-z0-9_-]{8,64})@([A-Za-z0-9.-]+)>?")
_ID_DU_RELAIS = re.compile(r"<?[A-Za-z0-9._@+=/-]{1,200}>?")
_CODE = re.compile(r"[245]\d\d(?: [245]\.\d{1,3}\.\d{1,3})?|[245]\.\d{1,3}\.\d{1,3}")


def lire(corps: bytes, now: dt.datetime, *, domaine: str | None = None, fournisseur: str = FOURNISSEUR) -> list[Retour]:
    """`corps`: a JSON list of {message_id, event: delivered | bounce | deferred | complaint, code}, whose signature was
    verified.

    `message_id` is our Message-ID (of `domaine`, if given) or the relay's own id. `code` is an SMTP code, an enhanced
    code, both ("550 5.1.1"), or null. Raises Malforme.
    """
    try:
        evenements = orjson.loads(corps)
    except orjson.JSONDecodeError:
        raise Malforme("the body is no JSON") from None
    if not isinstance(evenements, list) or len(evenements) > _EVENEMENTS_MAX:
        raise Malforme(f"the body must be a list of {_EVENEMENTS_MAX} events at most")
    lus = [_lire(rang, evenement, domaine, fournisseur, now) for rang, evenement in enumerate(evenements)]
    return [retour for retour in lus if retour is not None]


def _lire(rang: int, evenement: Any, domaine: str | None, fournisseur: str, now: dt.datetime) -> Retour | None:
    def refuser(pourquoi: str) -> NoReturn:
        raise Malforme(f"event {rang}: {pourquoi}")

    if not isinstance(evenement, dict):
        refuser("it must be an object")
    identifiant, genre, code = (evenement.get(nom) for nom in ("message_id", "event", "code"))
    if not isinstance(identifiant, str) or not _ID_DU_RELAIS.fullmatch(identifiant):
        refuser("message_id must be a text of 1 to 200 letters, digits and . _ @ + = / -")
    if isinstance(code, int):
        code = str(code)
    if code is not None and not (isinstance(code, str) and _CODE.fullmatch(code)):
        refuser('code must be null or like 550, "5.1.1", "550 5.1.1"')
    suffixe = f" {code}" if code else ""
    match genre:
        case "delivered":
            verdict = Verdict.LIVRE
        case "bounce":
            verdict = Verdict.NON_LIVRE if code and code.startswith("4") else Verdict.REFUSE
        case "complaint":
            verdict = Verdict.PLAINTE
        case "deferred":
            # The relay still tries.
            return None
        case _:
            refuser("event must be delivered, bounce, deferred or complaint")
    notre = _NOTRE_ID.fullmatch(identifiant)
    if notre and (domaine is None or notre[2].lower() == domaine.lower()):
        return Retour(fournisseur, verdict, f"webhook {genre}{suffixe}", now, envoi_id=notre[1])
    return Retour(fournisseur, verdict, f"webhook {genre}{suffixe}", now, reference=identifiant.strip("<>"))
