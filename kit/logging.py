"""Structured logs: one JSON object per line, with the fields that the current task has bound (topic, offset, event,
trace)."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict

bound = structlog.contextvars.bound_contextvars
"""Context manager: `with bound(topic=…, offset=…):` adds these fields to every line logged inside."""


def _to_json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


class RepeatFilter(logging.Filter):
    """Lets an identical line of a logger pass once per `every_s`; the next one that passes carries the number of lines
    held back.

    Meant for libraries: aiokafka writes the same line thousands of times while Kafka is away.
    """

    _MOST = 1000

    def __init__(self, every_s: float = 10.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._monotonic = monotonic
        # Line → (time when it last passed, number of lines held back since).
        self._seen: dict[tuple[str, str, str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = repr(record.exc_info[1]) if record.exc_info else ""
        # Not getMessage(): with wrong arguments it would raise here, in the library's call, whereas logging only
        # reports such errors.
        line = (record.name, str(record.msg), str(record.args), error)
        now = self._monotonic()
        passed_at, held_back = self._seen.get(line, (-self._every_s, 0))
        if now - passed_at < self._every_s:
            self._seen[line] = (passed_at, held_back + 1)
            return False
        if len(self._seen) >= self._MOST:
            self._seen = {key: seen for key, seen in self._seen.items() if now - seen[0] < self._every_s}
        self._seen[line] = (now, 0)
        if held_back:
            record.held_back = held_back
        return True


def configure(service: str, role: str, level: str = "INFO") -> None:
    """Sends all log lines of this process, including those of libraries, to standard error as JSON."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]

    def identity(_: Any, __: str, event: EventDict) -> EventDict:
        event["service"], event["role"] = service, role
        return event

    structlog.configure(
        processors=[identity, *shared, structlog.processors.JSONRenderer(serializer=_to_json)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    held_back = structlog.stdlib.ExtraAdder(allow={"held_back"})
    handler = logging.StreamHandler(sys.stderr)
    # On the handler, because a filter of the root logger does not see records of child loggers.
    handler.addFilter(RepeatFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[identity, structlog.stdlib.add_logger_name, held_back, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return logger
