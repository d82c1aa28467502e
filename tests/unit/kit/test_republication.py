"""When the end of a topic says that its records are gone."""

from hypothesis import given
from hypothesis import strategies as st

from kit.messaging.republication import lost

ENDS = st.dictionaries(st.sampled_from(["0", "1", "2"]), st.integers(0, 1000), min_size=1)


@given(ENDS, st.dictionaries(st.sampled_from(["0", "1", "2", "3"]), st.integers(0, 1000)))
def test_un_topic_qui_avance_n_a_rien_perdu(seen: dict[str, int], more: dict[str, int]) -> None:
    ends = {**more, **{partition: end + more.get(partition, 0) for partition, end in seen.items()}}
    assert not lost(seen, ends)


@given(ENDS, st.sampled_from(["0", "1", "2"]), st.integers(1, 1000))
def test_une_seule_partition_qui_recule_a_perdu(seen: dict[str, int], partition: str, by: int) -> None:
    before = {**seen, partition: seen.get(partition, 0) + by}
    assert lost(before, {**before, partition: before[partition] - by})
    assert lost(before, {name: end for name, end in before.items() if name != partition})


def test_un_topic_jamais_vu_est_a_remplir_s_il_est_vide() -> None:
    assert lost(None, {"0": 0, "1": 0})
    assert not lost(None, {"0": 0, "1": 4})
