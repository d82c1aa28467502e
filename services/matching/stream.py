"""The stream of annonces, unsubscriptions and accounts: a Faust app whose agents hand each raw record to the processor.

Faust acknowledges an event whose agent has raised, and so would lose it. Hence an agent never raises: the processor decides the
fate of a record; when it asks to stop, the agent keeps the record in hand, unacknowledged, until the process has ended.
"""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import faust

from contracts.annonces import EvenementAnnonce
from contracts.comptes import EvenementCompte
from contracts.notifications import DesabonnementDemande
from kit.events import Record, headers_of
from kit.logging import get_logger
from kit.metrics import LAG_EVENTS, LAG_SECONDS
from kit.processing import Processor

log = get_logger(__name__)

GROUP = "matching"
TOPICS = (EvenementAnnonce.topic, DesabonnementDemande.topic, EvenementCompte.topic)
_GRACE_S = 10.0


class Stream:
    """`abreast`: how many records of a topic one worker handles at once; versions order what belongs to one annonce."""

    def __init__(self, bootstrap: str, processor: Processor, *, abreast: int) -> None:
        self._bootstrap = bootstrap
        self._processor = processor
        self._abreast = abreast
        self._app: faust.App | None = None
        self._in_hand: dict[tuple[str, int, int], int] = {}
        self._failed: asyncio.Future[None] | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Consumes until `stopping`; a connection that breaks down is replaced. Raises kit.errors.Stop when the process must end."""
        while not stopping.is_set():
            self._failed = asyncio.get_running_loop().create_future()
            with TemporaryDirectory(prefix="faust-") as folder:
                app = self._make_app(Path(folder))
                try:
                    await app.start()
                    self._app = app
                    await self._until_it_ends(app, stopping)
                finally:
                    self._app = None
                    await self._stop(app)
            if self._failed.done():
                self._failed.result()

    def _make_app(self, folder: Path) -> faust.App:
        app = faust.App(
            GROUP,
            broker="kafka://" + self._bootstrap.replace(",", ";kafka://"),
            loop=asyncio.get_running_loop(),
            datadir=folder,
            store="memory://",
            web_enabled=False,
            # Topics are made from the contracts' table; Faust needs none of its own.
            topic_allow_declare=False,
            topic_disable_leader=True,
            consumer_auto_offset_reset="earliest",
            consumer_metadata_max_age_ms=30_000,
            broker_commit_interval=1.0,
            broker_session_timeout=10.0,
            broker_heartbeat_interval=2.0,
            broker_request_timeout=15.0,
            # A server that is away is waited for in place; the group must not take the partitions away meanwhile.
            broker_max_poll_interval=1800.0,
            # What is buffered is lost on a rebalance and fetched again by the next owner: keep it small.
            stream_buffer_maxsize=64,
            stream_wait_empty=True,
        )
        for name in TOPICS:
            topic = app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
            app.agent(topic, name=f"matching.{name}", concurrency=self._abreast)(self._agent)
        return app

    async def _agent(self, stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            record = Record(
                message.topic,
                message.partition,
                message.offset,
                message.key,
                message.value,
                headers_of(list(message.headers or ())),
                round(message.timestamp * 1000),
            )
            await self._process(record)

    async def _process(self, record: Record) -> None:
        place = (record.topic, record.partition, record.offset)
        self._in_hand[place] = record.timestamp_ms
        try:
            await self._processor.process([record])
        except Exception as error:
            # Stop, or a defect: either way going on would acknowledge what has not been done.
            if self._failed is not None and not self._failed.done():
                self._failed.set_exception(error)
            await asyncio.Event().wait()
        finally:
            self._in_hand.pop(place, None)

    async def _until_it_ends(self, app: faust.App, stopping: asyncio.Event) -> None:
        """Returns on `stopping`, on a failure of an agent, or when Faust has crashed (the broker went away for long)."""
        assert self._failed is not None
        until_stop = asyncio.create_task(stopping.wait())
        crashed = asyncio.create_task(app._crashed.wait())
        try:
            await asyncio.wait({until_stop, crashed, self._failed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            until_stop.cancel()
            crashed.cancel()

    async def _stop(self, app: faust.App) -> None:
        """Lets the agents finish what they have in hand, commits, leaves the group; an agent that waits for ever is given up."""
        try:
            await asyncio.wait_for(app.stop(), _GRACE_S)
        except TimeoutError:
            log.warning("faust_did_not_stop", in_hand=len(self._in_hand))

    async def refresh_lag(self) -> None:
        """Sets the lag gauges as kit.consumer does."""
        lag = dict.fromkeys(TOPICS, 0)
        consumer = self._app.consumer if self._app is not None and self._app.consumer is not None else None
        if consumer is not None:
            for tp in consumer.assignment():
                highwater = consumer.highwater(tp)
                position = consumer._committed_offset.get(tp)
                if highwater and position is not None and tp.topic in lag:
                    lag[tp.topic] += max(0, highwater - position)
        now_ms = time.time() * 1000
        for topic in TOPICS:
            since = min((at for (name, _, _), at in self._in_hand.items() if name == topic), default=None)
            LAG_EVENTS.labels(topic, GROUP).set(lag[topic])
            LAG_SECONDS.labels(topic, GROUP).set(max(0.0, (now_ms - since) / 1000) if since else 0.0)
