"""Where a message goes that could not be processed: to its retry topic, or to its dead-letter topic with the reason."""

import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping

from kit.errors import Stop
from kit.events import Message, Record
from kit.logging import get_logger
from kit.metrics import DEAD_LETTERS
from kit.producer import Producer

log = get_logger(__name__)

ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET = "x-origin-topic", "x-origin-partition", "x-origin-offset"
ATTEMPT, DUE_MS = "x-attempt", "x-due-ms"
REASON, ERROR_TYPE, STACK = "x-reason", "x-error-type", "x-stack"
_TECHNICAL = {ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, ATTEMPT, DUE_MS, REASON, ERROR_TYPE, STACK}
_RETRY, _DEAD = ".retry", ".dlq"
_DIGITS_MAX = 15

RETRY_DELAYS_S = (1.0, 5.0, 30.0, 120.0)
"""How long a message waits before each further attempt; after the last one it is a dead letter."""


def retry_topic(topic: str, consumer: str) -> str:
    return f"{topic}.{consumer}{_RETRY}"


def dead_letter_topic(topic: str, consumer: str) -> str:
    return f"{topic}.{consumer}{_DEAD}"


def origin(record: Record) -> str:
    """The topic on which `record` was first published.

    Told by the name of the topic it lies on: a header that names another would send it where there is nothing.
    """
    for suffix in (_RETRY, _DEAD):
        if record.topic.endswith(suffix):
            return record.topic.removesuffix(suffix).rpartition(".")[0]
    return record.topic


def attempts(record: Record) -> int:
    """How often the retry topic has been used for `record`."""
    return _number(record.headers.get(ATTEMPT, "")) if _is_aside(record) else 0


def due_ms(record: Record) -> int:
    """From when `record` is to be tried again, in Unix milliseconds: never later than the longest of the delays."""
    longest = int(RETRY_DELAYS_S[-1] * 1000)
    return min(_number(record.headers.get(DUE_MS, "")), record.timestamp_ms + longest)


def _is_aside(record: Record) -> bool:
    """Whether the headers of `record` may be ours: not on a topic where anybody publishes."""
    return record.topic.endswith((_RETRY, _DEAD))


def _number(text: str) -> int:
    """0 for what is no number that we have written."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else 0


class DeadLetters:
    """Buries, or sends to try again later.

    `limit` dead letters within `window_s` seconds, and more of them than successes, stop the consumer: bad code must
    not empty a topic.
    """

    def __init__(
        self,
        producer: Producer,
        consumer: str,
        *,
        limit: int = 100,
        window_s: float = 60.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._producer = producer
        self._consumer = consumer
        self._limit = limit
        self._window_s = window_s
        self._monotonic = monotonic
        self._dead: deque[float] = deque(maxlen=limit)
        self._good: deque[float] = deque(maxlen=limit)

    def succeeded(self, count: int) -> None:
        """Notes that `count` messages were processed."""
        self._good.extend([self._monotonic()] * min(count, self._limit))

    def check(self) -> None:
        """Before the next messages are begun. Raises Stop above the rate limit.

        Never in the middle of a batch: what was buried of it would be buried again after each restart, for ever.
        """
        now = self._monotonic()
        dead = sum(1 for at in self._dead if now - at < self._window_s)
        good = sum(1 for at in self._good if now - at < self._window_s)
        if dead >= self._limit and dead > good:
            raise Stop(f"{dead} dead letters within {self._window_s:.0f} s: the code is suspected, not the messages")

    async def bury(self, record: Record, error: BaseException) -> None:
        """Publishes the raw bytes with reason, origin, attempts and stack.

        Raises whatever publishing raises: the offset must not move then.
        """
        topic = dead_letter_topic(origin(record), self._consumer)
        stack = "".join(traceback.format_exception(error))[-4000:]
        headers = {**_origin_headers(record), REASON: _reason(error), ERROR_TYPE: type(error).__name__, STACK: stack}
        await self._producer.publish([Message(topic, record.key, record.value, headers)])
        self._dead.append(self._monotonic())
        DEAD_LETTERS.labels(origin(record), self._consumer).inc()
        log.error("dead_letter", to=topic, reason=_reason(error), error=type(error).__name__)

    async def retry_or_bury(self, record: Record, error: BaseException) -> None:
        """To the retry topic, with the time from which to try again; after the last attempt, to the dead letters."""
        attempt = attempts(record)
        if attempt >= len(RETRY_DELAYS_S):
            return await self.bury(record, error)
        due = int((time.time() + RETRY_DELAYS_S[attempt]) * 1000)
        topic = retry_topic(origin(record), self._consumer)
        headers = {**_origin_headers(record), ATTEMPT: str(attempt + 1), DUE_MS: str(due), REASON: _reason(error)}
        await self._producer.publish([Message(topic, record.key, record.value, headers)])
        log.warning("retry_later", to=topic, attempt=attempt + 1, reason=_reason(error), error=type(error).__name__)


def _origin_headers(record: Record) -> dict[str, str]:
    first = {ORIGIN_PARTITION: str(record.partition), ORIGIN_OFFSET: str(record.offset)}
    headers = record.headers if _is_aside(record) else _without_technical(record.headers)
    return {**first, **headers, ORIGIN_TOPIC: origin(record)}


def _without_technical(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _TECHNICAL}


def _reason(error: BaseException) -> str:
    """One line that says what is wrong, without the values that were read: they may be personal."""
    errors = getattr(error, "errors", None)
    if callable(errors):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in errors(include_input=False))[:500]
    return str(error)[:500]


def to_replay(record: Record) -> Message:
    """The message of a dead letter as it first was, to be published again on its origin topic."""
    return Message(origin(record), record.key, record.value, _without_technical(record.headers))
