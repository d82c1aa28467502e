"""Which public reading a URL asks for: of many spellings one, so one call and one entry of the cache. Pure."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from contracts import references
from contracts.commun import Nature, Sens
from gateway.door_rules import SAFE_METHODS

# What others add to a link to follow who shares it: no answer depends on it.
_TRACKING = {
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "fbclid",
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "msclkid",
    "twclid",
    "ttclid",
    "yclid",
    "igshid",
    "_ga",
    "_gl",
}
_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_")
_PARAMETERS_MAX = 50
_PAGES_KEPT = 50
_TRUE, _FALSE = frozenset({"1", "true", "t", "yes", "y", "on"}), frozenset({"0", "false", "f", "no", "n", "off"})

Canonical = Callable[[str], str | None]
"""A value → how it is always written; None when it is not one of a few (free text, a number out of range)."""


@dataclass(frozen=True)
class Lecture:
    """`path` percent-encoded; `query` in one order, without what changes nothing; `kept`: a cache may keep it."""

    path: str
    query: str
    kept: bool

    @property
    def key(self) -> str:
        return f"{self.path}?{self.query}"


def is_public(method: str, path: str) -> bool:
    """True for what a visitor may read and caches may keep: the lists, the ads, the associations."""
    if method not in SAFE_METHODS:
        return False
    parts = path.strip("/").split("/")
    return parts == ["v1", "annonces"] or (
        len(parts) == 3 and parts[:2] in (["v1", "annonces"], ["v1", "associations"])
    )


def lecture(path: str, query: str) -> Lecture:
    """The reading of a public `path` (decoded) with a raw `query`.

    One ad or association depends on no parameter. Of a list, empty parameters and those that say the default are left
    out; of repeated ones the last counts, as for the service. What the service would refuse it gets, to say so itself.
    """
    there = quote(path, safe="/")
    if path.strip("/") != "v1/annonces":
        return Lecture(there, "", kept=True)
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_PARAMETERS_MAX)
    except ValueError:
        return Lecture(there, query, kept=False)
    given = {name: value for name, value in dict(pairs).items() if not _is_tracking(name) and value != ""}
    written: dict[str, str] = {}
    kept = True
    for name, value in given.items():
        canonical = _PARAMETERS.get(name)
        found = canonical(value) if canonical else None
        kept = kept and found is not None
        written[name] = value if found is None else found
    chosen = sorted((name, value) for name, value in written.items() if _DEFAULTS.get(name) != value)
    return Lecture(there, urlencode(chosen), kept)


def _is_tracking(name: str) -> bool:
    lower = name.lower()
    return lower in _TRACKING or lower.startswith(_TRACKING_PREFIXES)


def _one_of(known: Callable[[], Container[str]]) -> Canonical:
    def canonical(value: str) -> str | None:
        return value if value in known() else None

    return canonical


def _number(most: int) -> Canonical:
    def canonical(value: str) -> str | None:
        text = value.strip()
        if not (text.isascii() and text.isdigit()):
            return None
        digits = text.lstrip("0")
        return digits if digits and len(digits) <= 4 and int(digits) <= most else None

    return canonical


def _truth(value: str) -> str | None:
    lower = value.lower()
    return "true" if lower in _TRUE else "false" if lower in _FALSE else None


_PARAMETERS: Mapping[str, Canonical] = {
    "sens": _one_of(lambda: set(Sens)),
    "nature": _one_of(lambda: set(Nature)),
    "categorie": _one_of(references.categories),
    "domaine": _one_of(lambda: references.valeurs("domaines")),
    "quartier": _one_of(references.quartiers),
    "urgent": _truth,
    "tri": _one_of(lambda: {"recent"}),
    "page": _number(_PAGES_KEPT),
    "taille": _number(100),
}
_DEFAULTS = {"page": "1", "taille": "20", "tri": "recent"}
"""What the service assumes. Without words and without a point, the newest come first."""
