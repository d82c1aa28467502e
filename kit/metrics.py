"""Prometheus metrics common to all processes. Labels are topics and outcomes, never data about a person."""

from prometheus_client import Counter, Gauge, Histogram

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

EVENTS = Counter("consumer_events_total", "Events by what became of them", ["topic", "consumer", "outcome"])
EVENT_SECONDS = Histogram("consumer_batch_seconds", "Time to process one batch", ["consumer"], buckets=_BUCKETS)
END_TO_END_SECONDS = Histogram(
    "consumer_event_age_seconds",
    "Age of an event when it was processed",
    ["topic", "consumer"],
    buckets=(*_BUCKETS, 30, 120, 600),
)
GROUP_LAG_EVENTS = Gauge("group_lag_events", "Events that a group has not done", ["topic", "group"])
GROUP_LAG_SECONDS = Gauge(
    "group_oldest_age_seconds", "Age of the oldest event that a group has not done", ["topic", "group"]
)
STALE = Counter("events_stale_total", "Events dropped because a later version was known", ["consumer"])
DEAD_LETTERS = Counter("dead_letters_total", "Messages sent to a dead-letter topic", ["topic", "consumer"])
BREAKER_OPEN = Gauge("dead_letters_breaker_open", "1 while nothing of a topic may be buried", ["topic", "consumer"])
OUTBOX_WAITING = Gauge("outbox_waiting_rows", "Outbox rows not yet published", [])
OUTBOX_OLDEST = Gauge("outbox_oldest_seconds", "Age of the oldest outbox row that waits, 0 when none does", [])
TOPICS_LOST = Counter("topics_lost_total", "Times that records of an own topic were found gone", ["topic"])
REPUBLICATION_LEFT = Gauge("republication_left_documents", "Documents still to be published again", ["topic"])
OUTBOX_SWEPT = Counter("outbox_swept_total", "Outbox rows that the sweeper had to publish")
HTTP_SECONDS = Histogram(
    "http_request_seconds", "Requests by route and status", ["method", "route", "status"], buckets=_BUCKETS
)
SERVER_UP = Gauge("server_up", "1 when a server that this process uses answers it, else 0", ["server"])
CLOCK_SKEW = Gauge("clock_skew_seconds", "This clock minus that of who signs internal tokens, from those received")
HTTP_REFUSED = Counter(
    "http_refused_total", "Connections that the server itself ended, by the limit that they passed", ["reason"]
)
HEALTH_OK = Gauge("health_check_ok", "1 when a check of /sante/pret passes, else 0", ["check"])
