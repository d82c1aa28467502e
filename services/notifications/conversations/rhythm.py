"""When the mail of a message leaves: the first at once, what follows it together, after a quiet moment. Pure."""

import datetime as dt

CALME = dt.timedelta(minutes=2)
"""Nobody has written for so long: what was written until then is one mail."""
ATTENTE_MAX = dt.timedelta(minutes=10)
"""A conversation without a pause is told all the same."""


def depart(dernier_at: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """When a message leaves that nothing waits beside; None: at once. `dernier_at`: when the one before was written."""
    return now + CALME if dernier_at is not None and now - dernier_at < CALME else None


def report(premier_at: dt.datetime, now: dt.datetime) -> dt.datetime:
    """When those leave that wait together since `premier_at`, now that one more was written."""
    return min(now + CALME, premier_at + ATTENTE_MAX)
