"""Dates and times in requests: ISO 8601, within years where date arithmetic cannot overflow."""

import datetime as dt
import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

FIRST_YEAR, LAST_YEAR = 2000, 2999
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+")
D = TypeVar("D", dt.date, dt.datetime)


def in_range(day: D) -> D:
    """Raises ValueError with a French sentence: near the limits of the calendar, time zones and "the next day" cannot
    be computed."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"L’année va de {FIRST_YEAR} à {LAST_YEAR}.")
    return day


def _written_day(value: object) -> object:
    # pydantic would also accept seconds since 1970 and datetimes at midnight.
    if isinstance(value, dt.date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("Une date (AAAA-MM-JJ) est attendue.")


def _written_moment(value: object) -> object:
    if isinstance(value, dt.datetime) or (isinstance(value, str) and _MOMENT.fullmatch(value)):
        return value
    raise ValueError("Une date et une heure sont attendues.")


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return in_range(moment).astimezone(dt.UTC)


Day = Annotated[dt.date, BeforeValidator(_written_day), AfterValidator(in_range)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written_moment), AfterValidator(_in_utc)]
"""Converted to UTC when it is read."""
