"""The rules of the door: who may write from where, whose address counts, when it is enough. Pure."""

import ipaddress
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Forms that a mail program posts by itself (RFC 8058): no cookie decides there, a signed token does.
CROSS_SITE_PATHS = ("/desabonnement/", "/v1/desabonnements/")
# What providers of mail and SMS call: signed, and never on behalf of whoever's cookie comes along.
CALLBACK_PATHS = ("/v1/rappels/",)
# Pages for the staff that a service writes itself, below its own prefix.
STAFF_PATHS = ("/v1/notifications/",)
# Pages of an account to which a login leads back; from its other addresses it leads to the account.
ENTRIES = frozenset({"/mon-compte/preferences", "/mon-compte/messages"})

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Limit:
    """`count` per `window_s` seconds under `name`; a count of 0 means no limit."""

    name: str
    count: int
    window_s: int


def retry_after(limit: Limit, used: int, left_ms: int) -> int | None:
    """Seconds until another try makes sense, or None while `used` (this one included) is within the limit."""
    if limit.count <= 0 or used <= limit.count:
        return None
    return max(1, math.ceil(left_ms / 1000))


def origin_of(url: str) -> str:
    """scheme://host[:port] of a URL, as browsers write an Origin."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def may_write(method: str, path: str, headers: Mapping[str, str], *, by_cookie: bool, public_url: str) -> bool:
    """False for a request that another site may have made a browser send.

    With a cookie the browser must say where the request comes from; without one (a program, a first login), nothing
    must say that it comes from elsewhere, so that nobody is logged in under somebody else's account.
    """
    if method in SAFE_METHODS or path.startswith((*CROSS_SITE_PATHS, *CALLBACK_PATHS)):
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is not None:
        host = headers.get("host", "").lower()
        return origin.lower() in {origin_of(public_url), f"http://{host}", f"https://{host}"}
    return not by_cookie


def networks(text: str) -> tuple[Network, ...]:
    """ "10.0.0.0/8, ::1" as networks; raises ValueError for anything else."""
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The address that limits count: the peer or, behind a trusted proxy, the last that no trusted proxy added.

    What stands further left in X-Forwarded-For was written by the client and proves nothing.
    """
    if not _within(peer, trusted):
        return peer
    hops = [_without_port(hop.strip()) for hop in forwarded_for.split(",") if hop.strip()]
    for hop in reversed(hops):
        if not _is_address(hop):
            return peer
        if not _within(hop, trusted):
            return hop
    return hops[0] if hops else peer


def _without_port(hop: str) -> str:
    """ "192.0.2.1:4711" and "[2001:db8::1]:4711", as some proxies write them, as addresses."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, _, port = hop.partition(":")
    return host if port.isdigit() and "." in host else hop


def limit_key(address: str) -> str:
    """One household has one IPv4 address or one IPv6 /64."""
    if not _is_address(address):
        return "unknown"
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def connection_owner(peer: str, trusted: Sequence[Network]) -> str | None:
    """Whom a connection counts for; nobody when it comes from a trusted proxy, which brings those of many people."""
    return None if _within(peer, trusted) else limit_key(peer)


def local_path(target: str | None, default: str = "/mon-compte") -> str:
    """`target` when it is a path of this site, else `default`: a login page must not send people elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return default
    return default if "\\" in target or target.startswith("/connexion") else target


def login_path(path: str, query: str = "") -> str:
    """The login page that leads back to where somebody was."""
    target = f"{path}?{query}" if query else path
    return f"/connexion?retour={quote(target, safe='/')}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _within(address: str, trusted: Iterable[Network]) -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in trusted)
