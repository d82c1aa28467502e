"""A collector of traces for tests: receives what processes export (OTLP over HTTP, protobuf) and keeps it."""

import gzip
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Recu:
    """A span as it arrived. `parent` is "" for the first of a trace; `links` are (trace, span) ids."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    links: frozenset[tuple[str, str]]
    attributes: dict[str, str | int]
    error: str


@dataclass
class Receveur:
    """`url` is the value of OTEL_EXPORTER_OTLP_ENDPOINT."""

    url: str
    brut: list[bytes] = field(default_factory=list)

    @property
    def spans(self) -> list[Recu]:
        return [span for body in list(self.brut) for span in _lire(body)]

    def traces(self, depuis: int = 0) -> dict[str, list[Recu]]:
        """The spans of each trace, of what has arrived since there were `depuis` requests in `brut`."""
        found: dict[str, list[Recu]] = defaultdict(list)
        for body in self.brut[depuis:]:
            for span in _lire(body):
                found[span.trace].append(span)
        return found


@contextmanager
def receveur() -> Iterator[Receveur]:
    """Listens on a free port for the time of the `with`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.brut.append(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receveur(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _lire(body: bytes) -> Iterator[Recu]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        names = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Recu(
                    names["service.name"],
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    frozenset((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    {a.key: a.value.string_value or a.value.int_value for a in span.attributes},
                    span.status.message,
                )
