"""W3C trace context: read from a request or a message, carried through the task, written into what it sends."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
_tracer = TracerProvider().get_tracer("place")


@contextmanager
def span(name: str, headers: Mapping[str, str]) -> Iterator[None]:
    """A span below the trace that `headers` name (or a new trace); its id is bound to the log."""
    parent = _propagator.extract(headers)
    with _tracer.start_as_current_span(name, context=parent) as current:
        trace_id = trace.format_trace_id(current.get_span_context().trace_id)
        with structlog.contextvars.bound_contextvars(trace=trace_id):
            yield


def inject() -> dict[str, str]:
    """The headers ({"traceparent": …}) that tell a receiver which trace it belongs to; empty outside a span."""
    headers: dict[str, str] = {}
    _propagator.inject(headers, context=context.get_current())
    return headers
