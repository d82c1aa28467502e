"""Structured logs: one JSON object a line, with whatever the current task has bound (topic, offset, event, trace)."""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict

bound = structlog.contextvars.bound_contextvars
"""`with bound(topic=…, offset=…):` adds fields to every line logged inside."""


def _to_json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def configure(service: str, role: str, level: str = "INFO") -> None:
    """Sends every log line of this process, the libraries' too, to standard error as JSON."""
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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[identity, structlog.stdlib.add_logger_name, *shared],
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
