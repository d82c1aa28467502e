"""The stream of annonces, unsubscriptions and accounts: a Faust app whose agents hand each raw record to the processor.

Faust acknowledges an event whose agent has raised, and so would lose it. Hence an agent never raises: the processor
decides the fate of a record; when it asks to stop, the agent keeps the record in hand, unacknowledged, until the
process has ended.
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
from services.matching.settings import SERVICE

log = get_logger(__name__)

TOPICS = (EvenementAnnonce.topic, DesabonnementDemande.topic, EvenementCompte.topic)
_GRACE_S = 8.0
_LEAVE_S = 4.0
_BATCH = 100
_LANES = 2


class Stream:
    """`abreast`: how many records of a topic one worker has in hand at most; versions order those of an annonce.

    What arrives while a transaction is under way shares the next one: batches grow with the load, no timer adds delay.
    """

    def __init__(self, bootstrap: str, processor: Processor, *, abreast: int) -> None:
        self._bootstrap = bootstrap
        self._processor = processor
        self._abreast = abreast
        self._app: faust.App | None = None
        self._in_hand: dict[tuple[str, int, int], int] = {}
        self._waiting: asyncio.Queue[tuple[Record, asyncio.Future[None]]] = asyncio.Queue()

    async def run(self, stopping: asyncio.Event) -> None:
        """Consumes until `stopping`; a connection that breaks down is replaced.

        Raises kit.errors.Stop, or a defect's error, when the process must end.
        """
        while not stopping.is_set():
            with TemporaryDirectory(prefix="faust-") as folder:
                await self._run_app(self._make_app(Path(folder)), stopping)

    async def _run_app(self, app: faust.App, stopping: asyncio.Event) -> None:
        self._waiting = asyncio.Queue()
        lanes = [asyncio.create_task(self._process_batches()) for _ in range(_LANES)]
        ends = [asyncio.create_task(stopping.wait()), asyncio.create_task(app._crashed.wait())]
        try:
            await app.start()
            self._app = app
            await asyncio.wait([*ends, *lanes], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._app = None
            # What a lane that has failed had in hand is never acknowledged: nothing to wait for.
            await self._stop(app, 0.0 if any(lane.done() for lane in lanes) else _GRACE_S)
            for task in (*ends, *lanes):
                task.cancel()
        for lane in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(lane, Exception):
                raise lane

    def _make_app(self, folder: Path) -> faust.App:
        app = faust.App(
            SERVICE,
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
        """Returns when `record` has met its fate; never, when it must not be acknowledged."""
        place = (record.topic, record.partition, record.offset)
        done = asyncio.get_running_loop().create_future()
        self._in_hand[place] = record.timestamp_ms
        try:
            self._waiting.put_nowait((record, done))
            await done
        finally:
            self._in_hand.pop(place, None)

    async def _process_batches(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < _BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._processor.process([record for record, _ in batch])
            for _, done in batch:
                if not done.done():
                    done.set_result(None)

    async def _stop(self, app: faust.App, grace_s: float) -> None:
        """Lets the agents finish what they have in hand, commits, leaves the group.

        After `grace_s` what is in hand (a server is away) is left to the next owner of the partitions.
        """
        ending = asyncio.ensure_future(app.stop())
        # Not wait_for: Faust swallows a cancellation while it waits for its agents, and would never end.
        await asyncio.wait({ending}, timeout=grace_s)
        if ending.done():
            return ending.result()
        log.warning("faust_leaves_what_is_in_hand", in_hand=len(self._in_hand))
        end = time.monotonic() + _LEAVE_S
        consumer: Any = app.consumer
        while not ending.done() and time.monotonic() < end:
            if consumer is not None:
                # It waits as long as this holds anything; what is dropped here is not committed, and comes again.
                consumer._unacked_messages.clear()
            await asyncio.wait({ending}, timeout=0.2)
        if not ending.done():
            log.warning("faust_did_not_stop")

    async def refresh_lag(self) -> None:
        """Sets the lag gauges as kit.consumer does."""
        lag = dict.fromkeys(TOPICS, 0)
        if self._app is not None and self._app.consumer is not None:
            committed = self._app.monitor.tp_committed_offsets
            for tp in self._app.consumer.assignment():
                highwater = self._app.consumer.highwater(tp)
                if tp.topic in lag and tp in committed and highwater:
                    lag[tp.topic] += max(0, highwater - committed[tp])
        now_ms = time.time() * 1000
        for topic in TOPICS:
            in_hand = [at for (name, _, _), at in self._in_hand.items() if name == topic]
            since = min(in_hand, default=None)
            LAG_EVENTS.labels(topic, SERVICE).set(max(lag[topic], len(in_hand)))
            LAG_SECONDS.labels(topic, SERVICE).set(max(0.0, (now_ms - since) / 1000) if since else 0.0)
