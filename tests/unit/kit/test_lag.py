"""What a group has not done, from its commits and what lies in the topic."""

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from kit.messaging.lag import behind

TP = TopicPartition("essai", 0)
offsets = st.integers(0, 1000)


@given(begin=offsets, kept=offsets, committed=st.none() | offsets)
def test_le_retard_se_compte_depuis_le_premier_evenement_non_traite(
    begin: int, kept: int, committed: int | None
) -> None:
    positions = {} if committed is None else {TP: committed}
    found = behind(positions, {TP: begin}, {TP: begin + kept})
    left = [offset for offset in range(begin, begin + kept) if committed is None or offset >= committed]
    assert found == ({TP: (left[0], len(left))} if left else {})
