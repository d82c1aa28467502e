"""Signed callbacks of an HTTPS provider: receipts and inbound SMS. Pure.

Headers: `X-Timestamp`, seconds since 1970; `X-Signature`, hexadecimal HMAC-SHA256 of "<timestamp>.<body>" under the
shared secret ("sha256=" before it is admitted). Body: one JSON object, or a list of at most 1,000.

- A receipt: {"id", "reference"?, "status", "code"?}. `id`: the provider's id of the message; `reference`: ours.
  `status`: delivered, undelivered, rejected; accepted, queued, sent are no last word and say nothing. `code`: the
  network's.
- An SMS of somebody: {"id", "from", "text", "at"}. `from`: E.164; `at`: ISO 8601 with its offset.

The same callback twice gives the same twice: the caller deduplicates.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.notifications.canaux.feedback import Retour, SmsRecu, Verdict
from services.notifications.canaux.sms.numeros import lire_expediteur

TOLERANCE = dt.timedelta(minutes=5)
_HORODATAGE = re.compile(r"\d{1,12}")
_CODE = re.compile(r"[A-Za-z0-9._-]{1,20}")
_VERDICTS = {"delivered": Verdict.LIVRE, "undelivered": Verdict.NON_LIVRE, "rejected": Verdict.REFUSE}


class RappelRefuse(Exception):
    """A callback that is not believed; the message says why, without its content."""


class Falsifie(RappelRefuse):
    """No signature, or not that of the shared secret: 401."""


class Perime(RappelRefuse):
    """Signed too long ago, or in the future: somebody may have recorded it. 401."""


class Malforme(RappelRefuse):
    """Signed, and not in the format: 400. The provider would only repeat it."""


@dataclass(frozen=True)
class Entetes:
    signature: str = "X-Signature"
    horodatage: str = "X-Timestamp"


class _Accuse(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str = Field(min_length=1, max_length=128)
    reference: str | None = Field(default=None, max_length=128)
    status: Literal["delivered", "undelivered", "rejected", "accepted", "queued", "sent"]
    code: str | int | None = None


class _Sms(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str = Field(min_length=1, max_length=128)
    de: str = Field(alias="from", max_length=32)
    text: str = Field(max_length=10_000)
    at: AwareDatetime


_UN = _Accuse | _Sms
_FORMAT: TypeAdapter[_UN | list[_UN]] = TypeAdapter(_UN | Annotated[list[_UN], Field(max_length=1_000)])


def verifier(
    corps: bytes,
    entetes: Mapping[str, str],
    secret: str,
    now: dt.datetime,
    *,
    fournisseur: str,
    noms: Entetes = Entetes(),
) -> list[Retour | SmsRecu]:
    """What a callback says, once it is believed. Raises Falsifie, Perime or Malforme; ValueError without a secret.

    `entetes`: names in any case. `fournisseur`: the name of the provider whose secret this is.
    """
    if not secret:
        raise ValueError("callbacks need a shared secret")
    minuscules = {nom.lower(): valeur for nom, valeur in entetes.items()}
    horodatage = minuscules.get(noms.horodatage.lower(), "").strip()
    recue = minuscules.get(noms.signature.lower(), "").strip().removeprefix("sha256=").lower()
    if not (horodatage.isascii() and _HORODATAGE.fullmatch(horodatage)) or not recue:
        raise Falsifie("signature or timestamp is missing")
    if not hmac.compare_digest(recue.encode(), signer(corps, horodatage, secret).encode()):
        raise Falsifie("the signature is not that of the shared secret")
    if abs(now.timestamp() - int(horodatage)) > TOLERANCE.total_seconds():
        raise Perime("the timestamp is more than five minutes away")
    return list(_lire(corps, fournisseur, now))


def signer(corps: bytes, horodatage: str, secret: str) -> str:
    """The signature of a body: hexadecimal."""
    return hmac.digest(secret.encode(), horodatage.encode() + b"." + corps, hashlib.sha256).hex()


def _lire(corps: bytes, fournisseur: str, now: dt.datetime) -> Iterator[Retour | SmsRecu]:
    try:
        lus = _FORMAT.validate_json(corps)
    except ValidationError as error:
        raise Malforme("the body is not in the format of callbacks") from error
    for lu in lus if isinstance(lus, list) else [lus]:
        if isinstance(lu, _Sms):
            # Names and short numbers write to us too; nobody could answer them.
            if de := lire_expediteur(lu.de, international=lu.de.startswith("+")):
                yield SmsRecu(fournisseur, lu.id, de, lu.text, lu.at)
        elif verdict := _VERDICTS.get(lu.status):
            yield Retour(fournisseur, verdict, _motif(lu), now, lu.id, lu.reference)


def _motif(accuse: _Accuse) -> str:
    code = str(accuse.code) if accuse.code is not None else ""
    return f"http {accuse.status} {code}" if _CODE.fullmatch(code) else f"http {accuse.status}"
