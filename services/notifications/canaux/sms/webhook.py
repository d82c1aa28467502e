"""Parses callbacks of an HTTPS provider: receipts and inbound SMS, one JSON object or a list of at most 1,000. Pure.
- A receipt: {"id", "reference"?, "status", "code"?}. `id`: the provider's id of the message; `reference`: ours.
  `status`: delivered, undelivered or rejected; accepted, queued and sent are not final and ignored. `code`: that of the
  network.
- An inbound SMS: {"id", "from", "text", "at"}. `from`: E.164; `at`: ISO 8601 with offset.

The same callback gives the same result, so the caller must drop duplicates.
"""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.notifications.canaux.callback_signature import Malforme
from services.notifications.canaux.feedback import Retour, SmsRecu, Verdict
from services.notifications.canaux.sms.numeros import lire_expediteur

_CODE = re.compile(r"[A-Za-z0-9._-]{1,20}")
_VERDICTS = {"delivered": Verdict.LIVRE, "undelivered": Verdict.NON_LIVRE, "rejected": Verdict.REFUSE}


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


def lire(corps: bytes, fournisseur: str, now: dt.datetime) -> list[Retour | SmsRecu]:
    """Parses a callback whose signature was verified. `fournisseur`: name of the provider. Raises Malforme."""
    try:
        lus = _FORMAT.validate_json(corps)
    except ValidationError as error:
        raise Malforme("the body is not in the format of callbacks") from error
    return list(_traduire(lus if isinstance(lus, list) else [lus], fournisseur, now))


def _traduire(lus: list[_UN], fournisseur: str, now: dt.datetime) -> Iterator[Retour | SmsRecu]:
    for lu in lus:
        if isinstance(lu, _Sms):
            # Names and short numbers cannot be answered, so their SMS are ignored.
            if de := lire_expediteur(lu.de, international=lu.de.startswith("+")):
                yield SmsRecu(fournisseur, lu.id, de, lu.text, lu.at)
        elif verdict := _VERDICTS.get(lu.status):
            yield Retour(fournisseur, verdict, _motif(lu), now, lu.id, lu.reference)


def _motif(accuse: _Accuse) -> str:
    code = str(accuse.code) if accuse.code is not None else ""
    return f"http {accuse.status} {code}" if _CODE.fullmatch(code) else f"http {accuse.status}"
