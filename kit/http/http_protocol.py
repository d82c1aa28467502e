"""Adds limits to uvicorn's HTTP protocol, which limits neither the size and number of headers, nor the time a request
takes to arrive, nor the number of connections.

A connection is in one of three stages: BETWEEN two requests (uvicorn's own timer closes it), in the HEAD of a request,
or in its BODY. Bytes are counted and a timer runs in the last two. A request that exceeds a limit gets an error
response, then the connection is closed.
"""

import asyncio
from enum import Enum
from typing import Any, Literal, get_args

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from kit.http.connections import Connections, Limits
from kit.http.problems import Problem, to_response
from kit.metrics import HTTP_REFUSED

# Number of bytes given to the parser at once. Limits are checked between two slices, so they are exact to within this
# size.
_SLICE = 16 * 1024

_HEAD_TOO_LARGE = Problem(
    431, "entetes-trop-longs", "En-têtes trop longs", "L’adresse ou les en-têtes de la demande sont trop longs."
)
_BODY_TOO_LARGE = Problem(413, "trop-volumineux", "Envoi trop volumineux", "L’envoi dépasse la limite.")
_TOO_SLOW = Problem(408, "trop-lent", "Demande trop lente", "La demande n’est pas arrivée à temps. Recommencez.")
_MALFORMED = Problem(400, "requete-illisible", "Requête illisible", "Ce n’est pas une requête HTTP valable.")
_NO_ROOM = Problem(
    503,
    "trop-de-connexions",
    "Trop de connexions",
    "Trop de demandes sont en cours. Réessayez dans quelques secondes.",
    headers={"Retry-After": "5"},
)


Reason = Literal[
    "connections", "head_size", "headers", "malformed", "head_time", "body_size", "body_time", "write_time"
]
for _reason in get_args(Reason):
    # Series that begin at 0: the first of a kind is an increase.
    HTTP_REFUSED.labels(_reason)


class _Stage(Enum):
    BETWEEN = "between"
    HEAD = "head"
    BODY = "body"


class _Refused(Exception):
    """Raised from a parser callback to make the parser stop."""


class BoundedProtocol(HttpToolsProtocol):
    """`limits` and `open_connections` are shared by all connections of the server; `uvicorn` are uvicorn's own
    arguments."""

    def __init__(self, *, limits: Limits, open_connections: Connections, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._limits = limits
        self._open = open_connections
        self._stage = _Stage.HEAD
        self._received = 0
        self._too_many_headers = False
        self._lingering = False
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    # ---- connections ------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        return self._lingering or self.transport.is_closing() or not self._answering

    @property
    def _answering(self) -> bool:
        return bool(self.pipeline) or (self.cycle is not None and not self.cycle.response_complete)

    def give_way(self) -> None:
        HTTP_REFUSED.labels("connections").inc()
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        if not self._open.enter(self, self.client[0] if self.client else ""):
            HTTP_REFUSED.labels("connections").inc()
            self._write(_NO_ROOM)
            self.transport.close()
            return
        self._arm(self._limits.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.leave(self)
        self._disarm()
        self.resume_writing()
        super().connection_lost(exc)

    # ---- what comes in ----------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE):
            piece = data if len(data) <= _SLICE else data[start : start + _SLICE]
            if self.transport.is_closing():
                return
            if self._lingering:
                # Read and drop the rest: if a socket is closed with unread bytes, the client may lose the response.
                self._received += len(piece)
                if self._received > self._limits.body_bytes:
                    self.transport.abort()
                continue
            if self._stage is _Stage.BETWEEN:
                # An empty line stops uvicorn's keep-alive timer but starts no request in the parser, so our own timer
                # must start here.
                self._enter(_Stage.HEAD)
            self._received += len(piece)
            super().data_received(piece)
            self._look()

    def _look(self) -> None:
        """Checks the size of an incomplete request and starts its timer. A request that arrived in one piece needs no
        timer."""
        if self._lingering or self.transport.is_closing():
            return
        if self._stage is _Stage.HEAD and self._received > self._limits.head_bytes:
            self._refuse(_HEAD_TOO_LARGE, "head_size")
        elif self._stage is _Stage.BODY and self._received > self._limits.body_bytes:
            self._refuse(_BODY_TOO_LARGE, "body_size")
        elif self._stage is not _Stage.BETWEEN and self._timer is None:
            self._arm(self._limits.head_s if self._stage is _Stage.HEAD else self._limits.body_s)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # A second request in the same piece: the bytes of the first must not be counted for it.
        if self._stage is _Stage.BETWEEN:
            self._enter(_Stage.HEAD)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stage is _Stage.BODY:
            # A trailer: uvicorn would add it to the headers of the request that is being answered.
            raise _Refused
        if len(self.headers) >= self._limits.headers:
            self._too_many_headers = True
            raise _Refused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._enter(_Stage.BODY)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._enter(_Stage.BETWEEN)

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn when the parser rejects the input."""
        if self._too_many_headers:
            self._refuse(_HEAD_TOO_LARGE, "headers")
        else:
            self._refuse(_MALFORMED, "malformed")

    def _enter(self, stage: _Stage) -> None:
        self._stage = stage
        self._received = 0
        self._disarm()

    # ---- what goes out ----------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # The response was complete before the whole body had arrived; ignore the rest of the body.
        if self._stage is _Stage.BODY and self.cycle.response_complete and not self.transport.is_closing():
            self._linger()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._limits.write_s, self._nobody_reads)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _nobody_reads(self) -> None:
        HTTP_REFUSED.labels("write_time").inc()
        self.transport.abort()

    # ---- ends -------------------------------------------------------------------------------------------------------

    def _refuse(self, problem: Problem, reason: Reason) -> None:
        HTTP_REFUSED.labels(reason).inc()
        if self._answering:
            if self._stage is not _Stage.BODY or self.pipeline or self.cycle.response_started:
                # The client would read an error response here as part of the answer to another request.
                self.transport.abort()
                return
            # Tell the running application that its client is gone.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._write(problem)
        self._linger()

    def _write(self, problem: Problem) -> None:
        answer = to_response(problem)
        answer.headers["connection"] = "close"
        headers = b"".join(b"%b: %b\r\n" % header for header in answer.raw_headers)
        self.transport.write(STATUS_LINE[problem.status] + headers + b"\r\n" + bytes(answer.body))

    def _linger(self) -> None:
        """Closes our side of the connection and leaves the client a moment to read the response and close its side."""
        self._lingering = True
        self._received = 0
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.transport.write_eof()
        self._arm(self._limits.linger_s)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self._lingering or self.transport.is_closing():
            self.transport.abort()
        elif self.flow.read_paused or (self._stage is _Stage.HEAD and self._answering):
            # Reading is paused, or an earlier request is still being answered: the client is not late.
            self._arm(self._limits.head_s)
        elif self._stage is _Stage.HEAD and not self._received:
            # Browsers open connections in advance. This one sent nothing, so it gets no error response.
            HTTP_REFUSED.labels("head_time").inc()
            self.transport.close()
        elif self._stage is _Stage.HEAD:
            self._refuse(_TOO_SLOW, "head_time")
        else:
            self._refuse(_TOO_SLOW, "body_time")
