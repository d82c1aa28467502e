"""Large events do not pile up in one transaction."""

from kit.events import Record
from kit.processor import slices


def record(offset: int, size: int) -> Record:
    return Record("t", 0, offset, None, b"x" * size, {}, 0)


def test_records_are_cut_by_weight_and_keep_their_order() -> None:
    records = [record(n, size) for n, size in enumerate((40, 40, 40, 500, 10, 0, 90))]
    cut = [[r.offset for r in slice_] for slice_ in slices(records, most_bytes=100)]
    assert cut == [[0, 1], [2], [3], [4, 5, 6]]


def test_tombstones_weigh_nothing() -> None:
    empty = Record("t", 0, 0, None, None, {}, 0)
    assert [len(slice_) for slice_ in slices([empty] * 300)] == [300]
    assert list(slices([])) == []
