"""Counts published annonces per week with Faust, in a windowed table whose changelog is a topic.

It has its own consumer group and alerts do not depend on it. When it fails it starts again, and its counts come back
from the changelog. Faust may lose events: it acknowledges an event whose agent raised, and may commit past one that is
still in progress (faust-streaming #606). Counts can tolerate that, alerts cannot.
"""

import asyncio
import datetime as dt
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import faust
from pydantic import ValidationError

from contracts import topics
from contracts.annonces import Annonce, AnnoncePubliee, EvenementAnnonce
from contracts.evenements import CATALOGUE
from kit.clock import Clock
from kit.errors import InvalidMessage
from kit.logging import get_logger
from kit.messaging.events import Record, decode, headers_of
from kit.waiting import first_of, jitter, wait
from services.matching import weekly_counts
from services.matching.metrics import SEMAINE
from services.matching.settings import SERVICE
from services.matching.weekly_counts import SEMAINE_S, Cellule

log = get_logger(__name__)

_TOPIC = EvenementAnnonce.topic
_GARDEES_S = 60 * 24 * 3600.0
_STOP_S = 8.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class CountingAgent:
    def __init__(self, bootstrap: str, clock: Clock, group: str = f"{SERVICE}.semaines") -> None:
        self._bootstrap = bootstrap
        self._clock = clock
        self._group = group
        self._table: Any = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Counts until `stopping` is set. After any failure it starts again with growing pauses; the worker is not
        affected."""
        pause = _FIRST_PAUSE_S
        while not stopping.is_set():
            try:
                with TemporaryDirectory(prefix="faust-") as folder:
                    await self._run_app(self._make_app(Path(folder)), stopping)
            except Exception as error:
                log.error("tendances_begin_again", error=type(error).__name__, exc_info=error)
            await wait(stopping, jitter(pause))
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _run_app(self, app: faust.App, stopping: asyncio.Event) -> None:
        crashed = asyncio.ensure_future(app._crashed.wait())
        try:
            await app.start()
            await first_of(stopping, crashed)
        finally:
            crashed.cancel()
            self._table = None
            ending = asyncio.ensure_future(app.stop())
            # Not wait_for: Faust swallows a cancellation while it waits for its agents, so wait_for would never return.
            await asyncio.wait({ending}, timeout=_STOP_S)

    def _make_app(self, folder: Path) -> faust.App:
        partitions = topics.PAR_NOM[_TOPIC].partitions
        app = faust.App(
            self._group,
            broker="kafka://" + self._bootstrap.replace(",", ";kafka://"),
            loop=asyncio.get_running_loop(),
            datadir=folder,
            store="memory://",
            web_enabled=False,
            topic_disable_leader=True,
            topic_partitions=partitions,
            consumer_auto_offset_reset="earliest",
            broker_session_timeout=10.0,
            broker_heartbeat_interval=2.0,
            broker_request_timeout=15.0,
            stream_wait_empty=False,
        )
        table = app.Table("publications", default=list, partitions=partitions)
        weeks: Any = table.tumbling(SEMAINE_S, expires=_GARDEES_S)
        topic = app.topic(_TOPIC, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

        async def count(stream: Any) -> None:
            async for event in stream.events():
                message = event.message
                annonce = _publiee(message)
                if annonce is not None and annonce.publiee_at is not None:
                    week = weeks.relative_to(weekly_counts.instant(annonce.publiee_at))
                    for cellule in weekly_counts.cellules(annonce):
                        week[weekly_counts.cle(message.partition, cellule)].apply(
                            weekly_counts.avec, annonce.annonce_id
                        )

        app.agent(topic, name=f"{self._group}.count")(count)
        self._table = table
        return app

    def compter(self, at: dt.datetime) -> Counter[Cellule]:
        """Number of annonces published in the week of `at`, in the partitions of this worker."""
        if self._table is None:
            return Counter()
        start = weekly_counts.debut(at)
        entrees = [(nom, ids) for (nom, (begin, _)), ids in list(self._table.items()) if begin == start]
        return weekly_counts.compter(entrees)

    async def mesurer(self) -> None:
        """Updates the gauges before each scrape of /metrics. Each worker reports its partitions; the sum covers the
        city."""
        SEMAINE.clear()
        for cellule, nombre in self.compter(self._clock.now()).items():
            SEMAINE.labels(*cellule).set(nombre)


def _publiee(message: Any) -> Annonce | None:
    """The annonce of a publication. Unreadable records are ignored here: the consumer that alerts sends them to the
    dead letters."""
    headers = headers_of(list(message.headers or ()))
    record = Record(_TOPIC, message.partition, message.offset, message.key, message.value, headers, 0)
    with suppress(InvalidMessage, ValidationError):
        event = decode(record, _TOPIC, CATALOGUE).event
        if isinstance(event, AnnoncePubliee):
            return event.annonce
    return None
