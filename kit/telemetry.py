"""Traces: read from a request or message, carried through the task, written into what it sends, and exported if
configured.

The standard OpenTelemetry variables apply: OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) turns the export on,
OTEL_TRACES_EXPORTER=none or OTEL_SDK_DISABLED=true turns it off. Without export, spans only provide the ids found in
logs and events. Attributes are routes, topics and outcomes, never data about a person.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog
from opentelemetry import context, trace
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT = "traceparent"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_propagator = TraceContextTextMapPropagator()
_provider = TracerProvider()
_tracer = _provider.get_tracer("place")


def configure(service: str, role: str) -> None:
    """Names this process in its spans, and starts their export if the environment asks for it."""
    global _provider, _tracer
    names = Resource({SERVICE_NAME: f"{service}-{role}", SERVICE_NAMESPACE: "place-des-assos"})
    # Merged last so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
    resource = Resource.create().merge(names).merge(OTELResourceDetector().detect())
    _provider = TracerProvider(resource=resource)
    if _exports(os.environ):
        # Imported here because it loads an HTTP client and protobuf, which most processes do not need.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("place")


def close() -> None:
    """Sends the remaining spans; call it last. Waits for the collector no longer than its time-out."""
    _provider.shutdown()


def _exports(environment: Mapping[str, str]) -> bool:
    off = (
        environment.get("OTEL_TRACES_EXPORTER") == "none" or environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    )
    return not off and any(environment.get(name) for name in _ENDPOINTS)


@contextmanager
def span(
    name: str,
    headers: Mapping[str, str] | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    links: Sequence[Link] = (),
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span]:
    """Opens a span. Its parent is the trace in `headers` (a new trace if they name none), or the current span when
    `headers` is None.

    The trace id is bound to the log. For an error, only its type is recorded: its text may contain what somebody wrote.
    """
    parent = None if headers is None else _propagator.extract(headers, context=context.Context())
    with _tracer.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        links=links,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        trace_id = trace.format_trace_id(current.get_span_context().trace_id)
        with structlog.contextvars.bound_contextvars(trace=trace_id):
            try:
                yield current
            except Exception as error:
                current.set_status(StatusCode.ERROR, type(error).__name__)
                raise


@contextmanager
def spans(
    name: str, causes: Iterable[Mapping[str, str]], *, kind: SpanKind, attributes: Mapping[str, str | int]
) -> Iterator[None]:
    """Opens one span in each of the traces named by `causes`, for one piece of work that serves all of them."""
    named = {headers[TRACEPARENT]: headers for headers in causes if TRACEPARENT in headers}
    opened = [
        _tracer.start_span(
            name, _propagator.extract(headers, context=context.Context()), kind=kind, attributes=attributes
        )
        for headers in named.values()
    ]
    try:
        yield
    except Exception as error:
        for current in opened:
            current.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        for current in opened:
            current.end()


def links(traces: Iterable[Mapping[str, str]]) -> list[Link]:
    """Links to the distinct spans that these headers name, for work that has several causes."""
    named = {headers[TRACEPARENT]: headers for headers in traces if TRACEPARENT in headers}
    contexts = [
        trace.get_current_span(_propagator.extract(headers, context=context.Context())).get_span_context()
        for headers in named.values()
    ]
    return [Link(found) for found in contexts if found.is_valid]


def inject() -> dict[str, str]:
    """Returns the headers ({"traceparent": …}) that continue the current trace in a receiver; empty outside a span."""
    headers: dict[str, str] = {}
    _propagator.inject(headers)
    return headers


def cause(name: str) -> dict[str, str]:
    """Like `inject()`, but starts a new trace when there is none, as in work started by a timer."""
    headers = inject()
    if not headers:
        with span(name, {}):
            headers = inject()
    return headers


def trace_id() -> str | None:
    """The id of the current trace, 32 hexadecimal digits; None outside a span."""
    return _id(trace.get_current_span())


def trace_of(headers: Mapping[str, str]) -> str | None:
    """The id of the trace that `headers` name, or None."""
    return _id(trace.get_current_span(_propagator.extract(headers, context=context.Context())))


def _id(span: Span) -> str | None:
    found = span.get_span_context()
    return trace.format_trace_id(found.trace_id) if found.is_valid else None
