"""Compares the indexes that a service declares with those in the database, and makes the changes that are needed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import IndexModel

from kit.database.mongo import Database
from kit.logging import get_logger

log = get_logger(__name__)

_EXPIRY = "expireAfterSeconds"
# Fields that the server adds to the description of an index and that no declaration sets.
_ADDED = frozenset({"v", "ns", "background", "textIndexVersion", "2dsphereIndexVersion", "language_override"})


@dataclass(frozen=True)
class Index:
    """Declaration of one index. `options` use MongoDB's names: unique, sparse, partialFilterExpression, weights…

    `expires_s`: rows are deleted this many seconds after the date in the indexed field.
    """

    collection: str
    keys: Sequence[tuple[str, int | str]]
    name: str = ""
    expires_s: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named(self) -> str:
        """The given name, or MongoDB's default name."""
        return self.name or "_".join(f"{key}_{kind}" for key, kind in self.keys)

    def model(self) -> IndexModel:
        return IndexModel(list(self.keys), name=self.named, **self._all_options())

    def described(self) -> dict[str, Any]:
        """Same shape as the result of `_described`, so that the two can be compared."""
        return {"name": self.named, "keys": _keys(dict(self.keys), self.options), **self._all_options()}

    def _all_options(self) -> dict[str, Any]:
        return {**self.options, **({} if self.expires_s is None else {_EXPIRY: self.expires_s})}


def _described(found: Mapping[str, Any]) -> dict[str, Any]:
    """The description of an index of the server without the fields that the server added."""
    chosen = {name: value for name, value in found.items() if name not in _ADDED and name != "key"}
    return {**chosen, "keys": _keys(found["key"], found)}


def _keys(keys: Mapping[str, Any], options: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Keys in their order. A text index is identified by its weights, since the server stores its keys in another
    form."""
    if "_fts" in keys or "text" in keys.values():
        return sorted(options["weights"].items())
    return list(keys.items())


@dataclass(frozen=True)
class Change:
    """One step towards `wanted`: change the expiry of the index named `expiry_of`, or drop the indexes in `drop` and
    create `wanted`."""

    wanted: Index
    drop: tuple[str, ...] = ()
    expiry_of: str | None = None


def changes(wanted: Sequence[Index], found: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Pure. The steps needed in one collection. Indexes that are not declared are left alone: an operator may have
    added them."""
    described = [_described(index) for index in found]
    kept = [index.described() for index in wanted if index.described() in described]
    needed = []
    for index in wanted:
        aim = index.described()
        if aim in kept:
            continue
        # MongoDB refuses a second index with the same name, and usually one with the same keys.
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
    """The steps that `apply` would do. Writes nothing."""
    needed: list[Change] = []
    for collection in sorted({index.collection for index in wanted}):
        found = await db[collection].list_indexes().to_list(None)
        needed += changes([index for index in wanted if index.collection == collection], found)
    return needed


async def apply(db: Database, needed: Sequence[Change], allowed: Callable[[], Awaitable[None]]) -> None:
    """Makes these changes. Calls `allowed` before each, which raises when another process has taken over the
    migration."""
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
