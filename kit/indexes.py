"""The indexes that a service wants, and how those of an older version, or of other settings, become these."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import IndexModel

from kit.logging import get_logger
from kit.mongo import Database

log = get_logger(__name__)

_EXPIRY = "expireAfterSeconds"
# What the server adds to the description of an index, and nobody chooses.
_ADDED = frozenset({"v", "ns", "background", "textIndexVersion", "2dsphereIndexVersion", "language_override"})


@dataclass(frozen=True)
class Index:
    """One index. `options` as MongoDB names them: unique, sparse, partialFilterExpression, weights…

    `expires_s`: rows are deleted so many seconds after the date that the key holds.
    """

    collection: str
    keys: Sequence[tuple[str, int | str]]
    name: str = ""
    expires_s: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named(self) -> str:
        """Its name, by default the one that MongoDB would give it."""
        return self.name or "_".join(f"{key}_{kind}" for key, kind in self.keys)

    def model(self) -> IndexModel:
        return IndexModel(list(self.keys), name=self.named, **self._all_options())

    def described(self) -> dict[str, Any]:
        """As `_described` describes one of the server."""
        return {"name": self.named, "keys": _keys(dict(self.keys), self.options), **self._all_options()}

    def _all_options(self) -> dict[str, Any]:
        return {**self.options, **({} if self.expires_s is None else {_EXPIRY: self.expires_s})}


def _described(found: Mapping[str, Any]) -> dict[str, Any]:
    """An index of the server, without what the server added."""
    chosen = {name: value for name, value in found.items() if name not in _ADDED and name != "key"}
    return {**chosen, "keys": _keys(found["key"], found)}


def _keys(keys: Mapping[str, Any], options: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """In their order; a text index is known by its weights alone, since the server keeps its keys in another form."""
    if "_fts" in keys or "text" in keys.values():
        return sorted(options["weights"].items())
    return list(keys.items())


@dataclass(frozen=True)
class Change:
    """One step towards `wanted`: a new `expiry_of` an index, or its removal (`drop`) and creation."""

    wanted: Index
    drop: tuple[str, ...] = ()
    expiry_of: str | None = None


def changes(wanted: Sequence[Index], found: Sequence[Mapping[str, Any]]) -> list[Change]:
    """What must be done to one collection. Pure. Indexes that nobody wants are left alone: an operator may."""
    described = [_described(index) for index in found]
    kept = [index.described() for index in wanted if index.described() in described]
    needed = []
    for index in wanted:
        aim = index.described()
        if aim in kept:
            continue
        # MongoDB refuses a second index of this name, and most of those with these keys.
        rivals = [
            other
            for other in described
            if other not in kept and (other["name"] == aim["name"] or other["keys"] == aim["keys"])
        ]
        if len(rivals) == 1 and _only_expiry_differs(rivals[0], aim):
            needed.append(Change(index, expiry_of=aim["name"]))
        else:
            needed.append(Change(index, drop=tuple(rival["name"] for rival in rivals)))
    return needed


def _only_expiry_differs(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _EXPIRY in one and _EXPIRY in other and {**one, _EXPIRY: 0} == {**other, _EXPIRY: 0}


async def missing(db: Database, wanted: Sequence[Index]) -> list[Change]:
    """What `apply` would do; nothing is written."""
    needed: list[Change] = []
    for collection in sorted({index.collection for index in wanted}):
        found = await db[collection].list_indexes().to_list(None)
        needed += changes([index for index in wanted if index.collection == collection], found)
    return needed


async def apply(db: Database, needed: Sequence[Change], allowed: Callable[[], Awaitable[None]]) -> None:
    """Makes these changes; `allowed` is asked before each, and raises when another process makes them now."""
    for change in needed:
        collection = change.wanted.collection
        await allowed()
        log.info("index_changes", collection=collection, index=change.wanted.named, dropped=change.drop)
        if change.expiry_of is not None:
            expiry = {"name": change.expiry_of, _EXPIRY: change.wanted.expires_s}
            await db.command("collMod", collection, index=expiry)
            continue
        for name in change.drop:
            await db[collection].drop_index(name)
        await db[collection].create_indexes([change.wanted.model()])
