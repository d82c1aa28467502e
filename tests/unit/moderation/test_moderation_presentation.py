"""What moderators read, for the best and for the strangest of contents."""

import datetime as dt

import pytest

from services.moderation.presentation import date


def test_dates_are_shown_in_paris() -> None:
    assert date(dt.datetime(2026, 3, 2, 12, 5, tzinfo=dt.UTC)) == "2 mars 2026 à 13\u00a0h\u00a005"
    assert date(None) == ""


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_date_that_paris_does_not_have_does_not_break_the_page(at: str) -> None:
    assert date(at) == at
