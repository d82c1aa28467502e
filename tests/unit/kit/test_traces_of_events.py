"""Events that share a transaction: each acts in the trace of its own cause, and each has its line."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from kit import telemetry
from kit.clock import SystemClock
from kit.ids import new_id
from kit.messaging.events import Record, encode
from kit.messaging.outbox import Tx
from kit.messaging.processor import Processor
from tests import faits

TOPIC = "kit.fait.v1"
LinesOf = Callable[[str], list[dict[str, Any]]]


class Fait(faits.Fait):
    topic: ClassVar[str] = TOPIC


class Suite(Fait):
    pass


class MemoryOutbox:
    """Runs a transaction on nothing; keeps the cause of each event that it emitted, by the id that the event names."""

    def __init__(self) -> None:
        self.causes: dict[str, str | None] = {}

    async def run(self, work: Callable[[Tx], Any], *, within_s: float = 0.0) -> None:
        async def insert(*_: Any, **__: Any) -> None:
            return None

        db: Any = SimpleNamespace(inbox=SimpleNamespace(insert_one=insert, insert_many=insert))
        tx = Tx(db, session=None)  # type: ignore[arg-type]  # nothing here needs one
        await work(tx)
        for event_id, event, cause in tx.events:
            message = encode(event, event_id=event_id, source="essai", at=SystemClock().now(), cause=cause)
            self.causes[event.key] = telemetry.trace_of(message.headers)


async def on_fait(event: Fait, tx: Tx, _: Any) -> None:
    tx.emit(Suite(id=event.id))


def record(event: BaseModel, offset: int) -> Record:
    message = encode(event, event_id=new_id(), source="essai", at=SystemClock().now())  # type: ignore[arg-type]  # a model is an event
    return Record(TOPIC, 3, offset, message.key, message.value, message.headers, 0)


@pytest.fixture
def outbox() -> MemoryOutbox:
    return MemoryOutbox()


@pytest.fixture
def processor(outbox: MemoryOutbox) -> Processor:
    dead_letters: Any = SimpleNamespace(check=lambda: None, succeeded=lambda _: None)
    given: dict[str, Any] = {"deps": None, "outbox": outbox, "dead_letters": dead_letters, "clock": SystemClock()}
    catalogue = {TOPIC: {"Fait": Fait, "Suite": Suite}}
    return Processor(consumer="essai", handlers={Fait: on_fait}, catalogue=catalogue, **given)


def caused(ids: list[str]) -> tuple[list[Record], dict[str, str | None]]:
    """Records of events that have a trace each; id → trace."""
    records, traces = [], {}
    for offset, id_ in enumerate(ids):
        with telemetry.span("POST", {}):
            records.append(record(Fait(id=id_), offset))
            traces[id_] = telemetry.trace_id()
    return records, traces


@pytest.mark.parametrize("ids", [["a"], ["a", "b", "c"]])
async def test_ce_qui_suit_d_un_evenement_reste_dans_sa_trace(
    processor: Processor, outbox: MemoryOutbox, ids: list[str]
) -> None:
    records, traces = caused(ids)
    await processor.process(records)
    assert len(set(traces.values())) == len(ids)
    assert outbox.causes == traces


@pytest.mark.parametrize("ids", [["a"], ["a", "b", "c"]])
async def test_chaque_message_lu_a_sa_ligne_avec_sa_place_son_sort_et_sa_trace(
    processor: Processor, lines_of: LinesOf, ids: list[str]
) -> None:
    records, traces = caused(ids)
    await processor.process([*records, record(Suite(id="pour d’autres"), 99)])
    lines = sorted(lines_of("record"), key=lambda line: int(line["offset"]))
    assert [(line["type"], line["outcome"]) for line in lines] == [
        *[("Fait", "processed")] * len(ids),
        ("Suite", "not_for_us"),
    ]
    assert [line["trace"] for line in lines[:-1]] == list(traces.values())
    for offset, line in enumerate(lines[:-1]):
        assert (line["topic"], line["partition"], line["offset"], line["level"]) == (TOPIC, 3, offset, "info")
        assert line["ms"] >= 0


async def test_un_evenement_sans_cause_commence_une_trace(processor: Processor, outbox: MemoryOutbox) -> None:
    await processor.process([record(Fait(id="a"), 1), record(Fait(id="b"), 2)])
    assert None not in outbox.causes.values()
    assert len(set(outbox.causes.values())) == 2
