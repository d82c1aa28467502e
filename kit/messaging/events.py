"""CloudEvents 1.0 in Kafka binary mode: attributes are headers, the body is the model as JSON."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

from kit import telemetry
from kit.errors import InvalidMessage


class Event(Protocol):
    """What the kit needs from an event class: topic, key, type name, JSON encoding and decoding."""

    topic: ClassVar[str]

    @property
    def key(self) -> str: ...

    @classmethod
    def type_name(cls) -> str: ...

    def model_dump_json(self) -> str: ...

    @classmethod
    def model_validate_json(cls, json_data: str | bytes) -> Self: ...


Catalogue = Mapping[str, Mapping[str, Any]]
"""Topic → event type name → class."""


@dataclass(frozen=True)
class Message:
    """A message to send to Kafka. Header values are text; `key` and `value` are raw bytes."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """A record read from Kafka. `timestamp_ms` is its creation or append time, in Unix milliseconds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]
    timestamp_ms: int


@dataclass(frozen=True)
class Received:
    """A decoded event with its id, which receivers use to drop duplicates."""

    id: str
    event: Any
    record: Record


def headers_of(raw: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """Decodes Kafka headers as text. Undecodable bytes are replaced, since a header must never stop a consumer."""
    return {name: (value or b"").decode("utf-8", "replace") for name, value in raw}


def encode(
    event: Event, *, event_id: str, source: str, at: dt.datetime, cause: Mapping[str, str] | None = None
) -> Message:
    """Builds the message of an event that happened at `at` in the service `source`.

    `cause` is the trace that it belongs to ({"traceparent": …}); None means the current trace.
    """
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_type": event.type_name(),
        "ce_source": f"/{source}",
        "ce_subject": event.key,
        "ce_time": at.isoformat(),
        "content-type": "application/json",
        **(telemetry.inject() if cause is None else cause),
    }
    return Message(event.topic, event.key.encode(), event.model_dump_json().encode(), headers)


def class_of(record: Record, origin_topic: str, catalogue: Catalogue) -> type[Any]:
    """Returns the class of the event in `record`. Raises InvalidMessage when its type is not known for
    `origin_topic`."""
    event_id, type_name = record.headers.get("ce_id"), record.headers.get("ce_type")
    if not event_id or not type_name:
        raise InvalidMessage("ce_id or ce_type is missing: not a CloudEvent")
    if len(event_id) > 128:
        raise InvalidMessage("ce_id has more than 128 characters")
    known: type[Any] | None = catalogue.get(origin_topic, {}).get(type_name)
    if known is None:
        raise InvalidMessage(f"unknown event type {type_name[:80]!r} on {origin_topic}")
    return known


def decode(record: Record, origin_topic: str, catalogue: Catalogue) -> Received:
    """Decodes the event in `record`. Raises InvalidMessage or pydantic.ValidationError; retrying cannot help then."""
    known: Any = class_of(record, origin_topic, catalogue)
    if record.value is None:
        raise InvalidMessage("the body is empty")
    return Received(record.headers["ce_id"], known.model_validate_json(record.value), record)
