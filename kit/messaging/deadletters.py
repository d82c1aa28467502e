"""Routes a message that could not be processed: to its retry topic, or to its dead-letter topic with the reason.

While the breaker of the topic is open, the message goes to the topic of held messages instead, and is tried again from
there.
"""

import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from kit import telemetry
from kit.errors import Held
from kit.logging import get_logger
from kit.messaging.breaker import WINDOW, Breaker
from kit.messaging.events import Message, Record
from kit.messaging.producer import Producer
from kit.metrics import DEAD_LETTERS
from kit.waiting import outlast

log = get_logger(__name__)

ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET = "x-origin-topic", "x-origin-partition", "x-origin-offset"
ATTEMPT, DUE_MS = "x-attempt", "x-due-ms"
REASON, ERROR_TYPE, STACK = "x-reason", "x-error-type", "x-stack"
_TECHNICAL = {ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, ATTEMPT, DUE_MS, REASON, ERROR_TYPE, STACK}
_RETRY, _HELD, _DEAD = ".retry", ".held", ".dlq"
_ASIDE = (_RETRY, _HELD, _DEAD)
_DIGITS_MAX = 15
# More than a process can handle within the breaker's window; more entries would only cost memory.
_SUCCESSES_MAX = 10_000

DEAD, HELD, RETRY = "dead_letter", "held", "retry"
"""The three outcomes for a message that could not be processed."""

RETRY_DELAYS_S = (1.0, 5.0, 30.0, 120.0)
"""Delays in seconds before each further attempt; after the last attempt the message becomes a dead letter."""


def retry_topic(topic: str, consumer: str) -> str:
    return f"{topic}.{consumer}{_RETRY}"


def held_topic(topic: str, consumer: str) -> str:
    return f"{topic}.{consumer}{_HELD}"


def dead_letter_topic(topic: str, consumer: str) -> str:
    return f"{topic}.{consumer}{_DEAD}"


def origin(record: Record) -> str:
    """Returns the topic on which `record` was first published.

    It is derived from the name of the topic that holds the record, not from a header, because a header may name a topic
    that does not exist.
    """
    for suffix in _ASIDE:
        if record.topic.endswith(suffix):
            return record.topic.removesuffix(suffix).rpartition(".")[0]
    return record.topic


def attempts(record: Record) -> int:
    """Number of times `record` went through the retry topic."""
    return _number(record.headers.get(ATTEMPT, "")) if _is_aside(record) else 0


def due_ms(record: Record) -> int:
    """Unix time in milliseconds from which `record` may be tried again; at most the longest delay after its timestamp,
    whatever its header says."""
    longest = int(RETRY_DELAYS_S[-1] * 1000)
    return min(_number(record.headers.get(DUE_MS, "")), record.timestamp_ms + longest)


def _is_aside(record: Record) -> bool:
    """True when our technical headers can be trusted: on retry, held and dead-letter topics only this module writes."""
    return record.topic.endswith(_ASIDE)


def _number(text: str) -> int:
    """Returns 0 for anything that this module cannot have written."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else 0


class DeadLetters:
    """Sends messages to the dead-letter, held and retry topics."""

    def __init__(
        self,
        producer: Producer,
        consumer: str,
        breaker: Breaker,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._producer = producer
        self._consumer = consumer
        self._breaker = breaker
        self._monotonic = monotonic
        self._successes: dict[str, deque[float]] = {}

    def succeeded(self, topic: str) -> None:
        """Counts a message of `topic` that was processed; the breaker compares dead letters with this number."""
        self._successes.setdefault(topic, deque(maxlen=_SUCCESSES_MAX)).append(self._monotonic())

    def _recent(self, topic: str) -> int:
        since = self._monotonic() - WINDOW.total_seconds()
        return sum(1 for at in self._successes.get(topic, ()) if at > since)

    async def bury(self, letters: Sequence[tuple[Record, BaseException]]) -> list[str]:
        """Publishes each record unchanged, with reason, origin and stack as headers: to its dead-letter topic, or to
        its held topic while the breaker is open. Returns DEAD or HELD for each record.

        Waits while servers are away. Raises Held for a record that is on a held topic already.
        """
        # Ask the breaker before publishing, once per record: a publication that is repeated must not count twice.
        outcomes = [await outlast(self._outcome, record) for record, _ in letters]
        await self._publish(
            [(record, error, outcome) for (record, error), outcome in zip(letters, outcomes, strict=True)]
        )
        return outcomes

    async def bury_or_leave(self, record: Record, error: BaseException) -> bool:
        """Like `bury`, for a topic that is read again from its beginning. Returns False, and publishes nothing, while
        the breaker is open."""
        if await outlast(self._outcome, record) == HELD:
            return False
        await self._publish([(record, error, DEAD)])
        return True

    async def _outcome(self, record: Record) -> str:
        topic = origin(record)
        if await self._breaker.admits(topic, self._recent(topic)):
            return DEAD
        if record.topic.endswith(_HELD):
            raise Held(await self._breaker.pause_s(topic))
        return HELD

    async def _publish(self, letters: Sequence[tuple[Record, BaseException, str]]) -> None:
        await outlast(self._producer.publish, [self._letter(*letter) for letter in letters])
        for record, error, outcome in letters:
            if outcome == DEAD:
                DEAD_LETTERS.labels(origin(record), self._consumer).inc()
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            trace = telemetry.trace_of(record.headers)
            log.error(outcome, **place, trace=trace, reason=_reason(error), error=type(error).__name__)

    def _letter(self, record: Record, error: BaseException, outcome: str) -> Message:
        topic = (held_topic if outcome == HELD else dead_letter_topic)(origin(record), self._consumer)
        stack = "".join(traceback.format_exception(error))[-4000:]
        headers = {**_origin_headers(record), REASON: _reason(error), ERROR_TYPE: type(error).__name__, STACK: stack}
        return Message(topic, record.key, record.value, headers)

    async def pause_s(self, record: Record) -> float:
        """Seconds until `record`, which was put aside, is due; zero or negative when it is due now."""
        if record.topic.endswith(_HELD):
            return await self._breaker.pause_s(origin(record))
        return due_ms(record) / 1000 - time.time()

    async def retry_or_bury(self, record: Record, error: BaseException) -> str:
        """Publishes `record` on its retry topic with its due time, or calls `bury` after the last attempt. Returns the
        outcome. Waits while servers are away."""
        attempt = attempts(record)
        if attempt >= len(RETRY_DELAYS_S):
            return (await self.bury([(record, error)]))[0]
        due = int((time.time() + RETRY_DELAYS_S[attempt]) * 1000)
        topic = retry_topic(origin(record), self._consumer)
        headers = {**_origin_headers(record), ATTEMPT: str(attempt + 1), DUE_MS: str(due), REASON: _reason(error)}
        await outlast(self._producer.publish, [Message(topic, record.key, record.value, headers)])
        log.warning("retry_later", to=topic, attempt=attempt + 1, reason=_reason(error), error=type(error).__name__)
        return RETRY


def _origin_headers(record: Record) -> dict[str, str]:
    first = {ORIGIN_PARTITION: str(record.partition), ORIGIN_OFFSET: str(record.offset)}
    headers = record.headers if _is_aside(record) else _without_technical(record.headers)
    return {**first, **headers, ORIGIN_TOPIC: origin(record)}


def _without_technical(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _TECHNICAL}


def _reason(error: BaseException) -> str:
    """One line that says what is wrong. Leaves out the values that were read, because they may be personal data."""
    errors = getattr(error, "errors", None)
    if callable(errors):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in errors(include_input=False))[:500]
    return str(error)[:500]


def to_replay(record: Record) -> Message:
    """The original message of a dead letter, to be published again on its origin topic."""
    return Message(origin(record), record.key, record.value, _without_technical(record.headers))
