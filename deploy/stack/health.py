"""Reads the health and lag that a running process reports over HTTP."""

import http.client
import json
import urllib.error
import urllib.request

# A process waits up to one second for its servers before it answers.
_TIMEOUT_S = 4.0
ANSWERS = "répond"
# Our processes are on this machine: ignore proxies configured in the environment.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url: str) -> tuple[int, str]:
    """Returns HTTP status (0 when nothing answers) and text."""
    try:
        with _OPENER.open(url, timeout=_TIMEOUT_S) as response:
            return response.status, response.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""


def is_ready(url: str) -> bool:
    return get(url)[0] == 200


def servers_away(health_url: str) -> list[str]:
    """The servers that the process reports as unreachable; it may be ready all the same."""
    try:
        said = json.loads(get(health_url)[1]).get("serveurs", {})
    except (ValueError, AttributeError):
        return []
    return sorted(name for name, answer in said.items() if answer != ANSWERS)
