"""What a running process says of itself over HTTP."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

# A process looks at its servers for a second before it answers.
_TIMEOUT_S = 4.0
ANSWERS = "répond"
# Our own processes are on this machine: a proxy of the environment must not stand between.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Lag:
    """Of one consumer process, over all its topics: events waiting, age in seconds of the oldest one."""

    events: int
    oldest_s: float


def get(url: str) -> tuple[int, str]:
    """Status (0 when nothing answers) and text."""
    try:
        with _OPENER.open(url, timeout=_TIMEOUT_S) as response:
            return response.status, response.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""


def is_ready(url: str) -> bool:
    return get(url)[0] == 200


def lag(health_url: str) -> Lag | None:
    """From /metrics of the process whose health is at ``health_url``; None when it consumes nothing."""
    parts = urlsplit(health_url)
    status, text = get(f"{parts.scheme}://{parts.netloc}/metrics")
    return parse_lag(text) if status == 200 else None


def servers_away(health_url: str) -> list[str]:
    """The servers that this process cannot reach, by what it says itself; it may be ready all the same."""
    try:
        said = json.loads(get(health_url)[1]).get("serveurs", {})
    except (ValueError, AttributeError):
        return []
    return sorted(name for name, answer in said.items() if answer != ANSWERS)


def parse_lag(text: str) -> Lag | None:
    """The gauges ``consumer_lag_events`` (summed) and ``consumer_oldest_age_seconds`` (maximum) over their labels."""
    values: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text):
        if family.name in ("consumer_lag_events", "consumer_oldest_age_seconds"):
            values[family.name] = [sample.value for sample in family.samples]
    if not any(values.values()):
        return None
    ages = values.get("consumer_oldest_age_seconds", [])
    return Lag(int(sum(values.get("consumer_lag_events", []))), max(ages, default=0.0))
