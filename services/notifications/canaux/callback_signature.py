"""Signature of callbacks from SMS providers and mail relays: made with a shared secret, and recent. Pure.

Headers: `X-Horodatage`, seconds since 1970; `X-Signature`, hexadecimal HMAC-SHA256 of "<X-Horodatage>.<body>" with the
secret (an optional "sha256=" in front is accepted). A callback may be repeated within five minutes. This is harmless:
states of the ledger only go forwards, and an SMS is stored once.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping

TOLERANCE = dt.timedelta(minutes=5)
"""Accepted difference between the provider's clock and ours, and maximum age of a callback."""

_CORPS_MAX = 1 << 20
_HORODATAGE = re.compile(r"[0-9]{1,12}")


class RappelRefuse(Exception):
    """The callback is not applied. The text says why, without quoting the callback."""


class Falsifie(RappelRefuse):
    """The signature is missing or does not match the shared secret: 401."""


class Perime(RappelRefuse):
    """Signed too long ago, or in the future: it may be a recording. 401."""


class Malforme(RappelRefuse):
    """Signed correctly, but not in the expected format: 400. Repeating it would not help."""


def signer(corps: bytes, horodatage: str, secret: str) -> str:
    """The X-Signature of a body; `horodatage` is the value of X-Horodatage."""
    return hmac.digest(secret.encode(), horodatage.encode() + b"." + corps, hashlib.sha256).hex()


def verifier(corps: bytes, entetes: Mapping[str, str], secret: str, now: dt.datetime) -> None:
    """`entetes`: names in any case. Raises Falsifie, Perime, or Malforme when the body is too large."""
    noms = {nom.lower(): valeur.strip() for nom, valeur in entetes.items()}
    horodatage, signature = noms.get("x-horodatage", ""), noms.get("x-signature", "")
    if not secret:
        raise Falsifie("no secret is set: callbacks are refused")
    if len(corps) > _CORPS_MAX:
        raise Malforme(f"the body is larger than {_CORPS_MAX} bytes")
    if not _HORODATAGE.fullmatch(horodatage):
        raise Falsifie("X-Horodatage is missing, or no number of seconds")
    attendue = signer(corps, horodatage, secret)
    if not hmac.compare_digest(attendue.encode(), signature.removeprefix("sha256=").lower().encode()):
        raise Falsifie("X-Signature is missing, or not that of the shared secret")
    # Checked after the signature, so that strangers learn nothing about our clock.
    if abs(now.timestamp() - int(horodatage)) > TOLERANCE.total_seconds():
        raise Perime("X-Horodatage is more than five minutes from now")
