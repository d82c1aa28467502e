"""Clock, ids, settings, trace context, and when a message that was put aside is due."""

import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import telemetry
from kit.clock import FixedClock, SystemClock
from kit.deadletters import DUE_MS, due_ms
from kit.events import Record
from kit.ids import new_id, stable_id
from kit.settings import Settings

NOON = dt.datetime(2027, 3, 13, 12, tzinfo=dt.UTC)


def test_the_clock_tells_utc_in_milliseconds_as_the_database_keeps_it() -> None:
    now = SystemClock().now()
    assert now.tzinfo is dt.UTC
    assert now.microsecond % 1000 == 0


def test_a_fixed_clock_moves_when_told() -> None:
    clock = FixedClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(hours=1, seconds=30)
    assert clock.now() == NOON + dt.timedelta(hours=1, seconds=30)


def test_new_ids_differ_and_fit_every_contract() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[0-9a-f]{32}", id_) for id_ in ids)


def test_a_stable_id_is_the_same_for_ever() -> None:
    # Written down once: another value would make a replay repeat what has been done.
    assert stable_id("correspondances", "a1", 3, 0) == "01178de5ae852bd16692b11458e0b870"


@given(st.lists(st.text("abc", min_size=1), min_size=1), st.lists(st.text("abc", min_size=1), min_size=1))
def test_stable_ids_differ_when_their_parts_differ(one: list[str], other: list[str]) -> None:
    assert (stable_id(*one) == stable_id(*other)) == (one == other)


def record(due: str | None) -> Record:
    return Record("t", 0, 0, None, None, {} if due is None else {DUE_MS: due}, 1_700_000_000_000)


@pytest.mark.parametrize(("due", "milliseconds"), [(None, 0), ("1700000000123", 1700000000123), ("tôt", 0), ("-5", 0)])
def test_a_message_is_due_when_its_header_says_else_at_once(due: str | None, milliseconds: int) -> None:
    assert due_ms(record(due)) == milliseconds


def test_settings_come_from_the_environment_and_secrets_from_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WithSecrets(Settings):
        une_cle: str = ""
        autre_cle: str = ""

    for folder, name in (("a", "une_cle"), ("b", "autre_cle")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(f"secret {folder}\n")
    monkeypatch.setenv("SECRETS_DIR", f"{tmp_path / 'a'},{tmp_path / 'b'}")
    monkeypatch.setenv("PORT", "9123")
    settings = WithSecrets()
    assert (settings.port, settings.une_cle, settings.autre_cle) == (9123, "secret a", "secret b")


def test_a_trace_goes_from_what_came_in_to_what_goes_out() -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    with telemetry.span("essai", {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}):
        sent = telemetry.inject()["traceparent"]
    assert sent.split("-")[1] == trace
    assert sent.split("-")[2] != "b7ad6b7169203331"


def test_outside_a_span_nothing_is_said_of_a_trace() -> None:
    assert telemetry.inject() == {}


def test_a_broken_trace_header_starts_a_new_trace() -> None:
    with telemetry.span("essai", {"traceparent": "n’importe quoi"}):
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]", telemetry.inject()["traceparent"])
