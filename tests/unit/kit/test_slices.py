"""Large events do not pile up in one transaction."""

from kit.messaging.events import Record
from kit.messaging.processor import slices


def record(offset: int, size: int) -> Record:
    return Record("t", 0, offset, None, b"x" * size, {}, 0)


def test_les_messages_sont_coupes_au_poids_et_gardent_leur_ordre() -> None:
    records = [record(n, size) for n, size in enumerate((40, 40, 40, 500, 10, 0, 90))]
    cut = [[r.offset for r in slice_] for slice_ in slices(records, most_bytes=100)]
    assert cut == [[0, 1], [2], [3], [4, 5, 6]]


def test_un_message_d_effacement_ne_pese_rien() -> None:
    empty = Record("t", 0, 0, None, None, {}, 0)
    assert [len(slice_) for slice_ in slices([empty] * 300)] == [300]
    assert list(slices([])) == []
