"""What a relay posts to us about our mails: signed, fresh, and of one shape.

Signature: HMAC-SHA256 in hexadecimal over X-Horodatage (Unix seconds) + "." + body, in X-Signature. Within its five
minutes a request may come again: that is harmless, since states of the ledger only move forward.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson

from services.notifications.canaux.email.bounces import FOURNISSEUR
from services.notifications.canaux.feedback import Retour, Verdict

FRAICHEUR = dt.timedelta(minutes=5)
"""How far the clock of a relay may be from ours, and how old a request may be."""

_CORPS_MAX = 1 << 20
_EVENEMENTS_MAX = 1000
_NOTRE_ID = re.compile(r"<?([A-Za-z0-9_-]{8,64})@([A-Za-z0-9.-]+)>?")
_ID_DU_RELAIS = re.compile(r"<?[A-Za-z0-9._@+=/-]{1,200}>?")
_CODE = re.compile(r"[245]\d\d(?: [245]\.\d{1,3}\.\d{1,3})?|[245]\.\d{1,3}\.\d{1,3}")


class RetourRefuse(Exception):
    """Nothing of the request is applied. The text says why, and quotes nothing of it."""


class Contrefait(RetourRefuse):
    """Not signed with our secret: 401."""


class Perime(RetourRefuse):
    """Signed, but too long ago, or in the future: 401."""


class Malforme(RetourRefuse):
    """Signed by our relay and not of the shape that was agreed: 400."""


def verifier_webhook(
    corps: bytes,
    entetes: Mapping[str, str],
    secret: str,
    now: dt.datetime,
    *,
    domaine: str | None = None,
    fournisseur: str = FOURNISSEUR,
) -> list[Retour]:
    """`corps`: a JSON list of {message_id, event: delivered | bounce | deferred | complaint, code}.

    `message_id` is our Message-ID (of `domaine`, if given) or the relay's own id. `code` is an SMTP code, an enhanced
    code, both ("550 5.1.1"), or null. Raises Contrefait, Perime or Malforme.
    """
    verifier_signature(corps, entetes, secret, now)
    try:
        evenements = orjson.loads(corps)
    except orjson.JSONDecodeError:
        raise Malforme("the body is no JSON") from None
    if not isinstance(evenements, list) or len(evenements) > _EVENEMENTS_MAX:
        raise Malforme(f"the body must be a list of {_EVENEMENTS_MAX} events at most")
    lus = [_lire(rang, evenement, domaine, fournisseur, now) for rang, evenement in enumerate(evenements)]
    return [retour for retour in lus if retour is not None]


def signer_webhook(corps: bytes, horodatage: int, secret: str) -> str:
    """The X-Signature of a body."""
    return hmac.new(secret.encode(), f"{horodatage}.".encode() + corps, hashlib.sha256).hexdigest()


def verifier_signature(corps: bytes, entetes: Mapping[str, str], secret: str, now: dt.datetime) -> None:
    """Raises Contrefait, Perime, or Malforme for what is too large."""
    noms = {nom.lower(): valeur for nom, valeur in entetes.items()}
    horodatage, signature = noms.get("x-horodatage", ""), noms.get("x-signature", "")
    if not secret:
        raise Contrefait("no secret is set: requests of relays are refused")
    if len(corps) > _CORPS_MAX:
        raise Malforme(f"the body is larger than {_CORPS_MAX} bytes")
    if not re.fullmatch(r"[0-9]{1,12}", horodatage, re.ASCII):
        raise Contrefait("X-Horodatage is missing, or no number of seconds")
    attendue = signer_webhook(corps, int(horodatage), secret)
    if not hmac.compare_digest(attendue.encode(), signature.strip().lower().encode()):
        raise Contrefait("X-Signature is missing, or not ours")
    # After the signature: a stranger learns nothing about our clock.
    if abs(now.timestamp() - int(horodatage)) > FRAICHEUR.total_seconds():
        raise Perime("X-Horodatage is more than five minutes from now")


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
            # It still tries.
            return None
        case _:
            refuser("event must be delivered, bounce, deferred or complaint")
    notre = _NOTRE_ID.fullmatch(identifiant)
    if notre and (domaine is None or notre[2].lower() == domaine.lower()):
        return Retour(fournisseur, verdict, f"webhook {genre}{suffixe}", now, envoi_id=notre[1])
    return Retour(fournisseur, verdict, f"webhook {genre}{suffixe}", now, reference=identifiant.strip("<>"))
