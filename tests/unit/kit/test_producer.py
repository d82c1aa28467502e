"""Where a message goes: the parts of one thing are spread evenly, a whole thing stays where its key says."""

from collections import Counter

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from kit.ids import new_id
from kit.messaging.producer import partition

TWELVE = list(range(12))


@pytest.mark.parametrize("workers", [2, 3, 4, 6, 12])
def test_douze_lots_d_un_besoin_se_partagent_entre_les_workers(workers: int) -> None:
    need = new_id()
    places = [partition(f"{need}:{part}".encode(), TWELVE, TWELVE) for part in range(12)]
    assert sorted(places) == TWELVE
    assert set(Counter(place % workers for place in places).values()) == {12 // workers}


@given(st.binary(min_size=1), st.integers(1, 50))
def test_une_cle_entiere_va_ou_tout_client_de_kafka_la_met(key: bytes, number: int) -> None:
    key = key.replace(b":", b"-")
    partitions = list(range(number))
    assert partition(key, partitions, partitions) == DefaultPartitioner()(key, partitions, partitions)


@pytest.mark.parametrize("key", [b"", b":", b":3", b"a:", b"a:b", b"a:-1", "a:²".encode(), None])
def test_ce_qui_ressemble_a_une_partie_est_une_cle_comme_une_autre(key: bytes | None) -> None:
    assert partition(key, TWELVE, TWELVE) in TWELVE


def test_une_partie_est_toujours_dans_la_meme_partition() -> None:
    assert len({partition(b"besoin:7", TWELVE, []) for _ in range(20)}) == 1
