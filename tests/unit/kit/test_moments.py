"""Days and moments of requests: as the API writes them, in years in which a zone can be applied."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from kit.moments import Day, Moment

MOMENT, DAY = TypeAdapter(Moment), TypeAdapter(Day)


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        "3000-01-01T00:00:00Z",
        "2026-12-05",
        "2026-12-05T10:00:00",
        "1795600000",
        "2026-02-30T10:00:00Z",
        1795600000,
        None,
        True,
    ],
)
def test_ce_qui_n_est_pas_un_moment_est_refuse(text: object) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(text)


@pytest.mark.parametrize(
    "text", ["9999-12-31", "0001-01-01", "2026-12-05T00:00:00", "20261205", "1795600000", 1, "2026-02-30"]
)
def test_ce_qui_n_est_pas_un_jour_est_refuse(text: object) -> None:
    with pytest.raises(ValidationError):
        DAY.validate_python(text)


DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2999, 12, 31))
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))


@given(st.builds(dt.datetime.combine, DAYS, st.times(), ZONES))
def test_un_moment_est_lu_en_temps_universel(moment: dt.datetime) -> None:
    read = MOMENT.validate_python(moment.isoformat())
    assert (read, read.tzinfo) == (moment, dt.UTC)
    assert DAY.validate_python(moment.date().isoformat()) == moment.date()
