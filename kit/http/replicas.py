"""Which process of a service a call goes to, when several serve its API at addresses of their own.

In compose and Kubernetes one name leads to all of them, and a refused connection that is made again finds another.
"""

from collections.abc import Sequence

# A process that refuses or leaves is left alone for so long; then one call tries it again.
_REST_S = 2.0


def addresses(setting: str) -> list[str]:
    """The base URLs in a setting `<SERVICE>_URL`, comma-separated there; without a slash at their ends."""
    return [url.strip().rstrip("/") for url in setting.split(",")]


class Replicas:
    """The base URLs of one service. Each call takes the next in turn, and passes over those that are at rest.

    Times are monotonic seconds, given by the caller.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = list(urls)
        self._turn = 0
        self._at_rest_until = dict.fromkeys(urls, 0.0)

    def __len__(self) -> int:
        return len(self._urls)

    def next(self, now: float) -> str:
        """Where to call. When all are at rest, the one that has rested longest: it may be back."""
        turns = self._urls[self._turn :] + self._urls[: self._turn]
        chosen = next(
            (url for url in turns if self._at_rest_until[url] <= now), min(turns, key=self._at_rest_until.__getitem__)
        )
        self._turn = (self._urls.index(chosen) + 1) % len(self._urls)
        return chosen

    def rest(self, url: str, now: float) -> None:
        """`url` refused a connection, or says that it ends: the next calls go elsewhere."""
        self._at_rest_until[url] = now + _REST_S
