"""Where a message goes: the parts of one thing are spread evenly, a whole thing stays where its key says."""

from collections import Counter

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from kit.ids import new_id
from kit.producer import partition

TWELVE = list(range(12))


@pytest.mark.parametrize("workers", [2, 3, 4, 6, 12])
def test_twelve_chunks_of_a_need_are_as_many_for_each_worker(workers: int) -> None:
    need = new_id()
    places = [partition(f"{need}:{part}".encode(), TWELVE, TWELVE) for part in range(12)]
    assert sorted(places) == TWELVE
    assert set(Counter(place % workers for place in places).values()) == {12 // workers}


@given(st.binary(min_size=1), st.integers(1, 50))
def test_a_whole_thing_goes_where_every_client_of_kafka_puts_it(key: bytes, number: int) -> None:
    key = key.replace(b":", b"-")
    partitions = list(range(number))
    assert partition(key, partitions, partitions) == DefaultPartitioner()(key, partitions, partitions)


@pytest.mark.parametrize("key", [b"", b":", b":3", b"a:", b"a:b", b"a:-1", "a:²".encode(), None])
def test_what_only_looks_like_a_part_is_a_key_like_others(key: bytes | None) -> None:
    assert partition(key, TWELVE, TWELVE) in TWELVE


def test_a_part_is_always_in_the_same_partition() -> None:
    assert len({partition(b"besoin:7", TWELVE, []) for _ in range(20)}) == 1
