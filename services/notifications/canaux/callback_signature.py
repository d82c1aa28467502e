"""Callbacks of providers, of SMS and of mail alike: signed with a secret that both sides know, and fresh. Pure.

Headers: `X-Horodatage`, seconds since 1970; `X-Signature`, hexadecimal HMAC-SHA256 of "<X-Horodatage>.<body>" under the
secret ("sha256=" before it is admitted). Within its five minutes a callback may come again: that is harmless, since
states of the ledger only move forward, and an SMS is stored once.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping

TOLERANCE = dt.timedelta(minutes=5)
"""How far the clock of a provider may be from ours, and how old a callback may be."""

_CORPS_MAX = 1 << 20
_HORODATAGE = re.compile(r"[0-9]{1,12}")


class RappelRefuse(Exception):
    """Nothing of the callback is applied. The message says why, and quotes nothing of it."""


class Falsifie(RappelRefuse):
    """No signature, or not that of the shared secret: 401."""


class Perime(RappelRefuse):
    """Signed too long ago, or in the future: somebody may have recorded it. 401."""


class Malforme(RappelRefuse):
    """Signed, and not in the format: 400. The provider would only repeat it."""


def signer(corps: bytes, horodatage: str, secret: str) -> str:
    """The X-Signature of a body; `horodatage`: seconds since 1970, as X-Horodatage says them."""
    return hmac.digest(secret.encode(), horodatage.encode() + b"." + corps, hashlib.sha256).hex()


def verifier(corps: bytes, entetes: Mapping[str, str], secret: str, now: dt.datetime) -> None:
    """`entetes`: names in any case. Raises Falsifie, Perime, or Malforme for what is too large."""
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
    # After the signature: a stranger learns nothing about our clock.
    if abs(now.timestamp() - int(horodatage)) > TOLERANCE.total_seconds():
        raise Perime("X-Horodatage is more than five minutes from now")
