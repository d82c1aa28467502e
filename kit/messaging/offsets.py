"""Pure. Tracks which records are handled, and so which offsets may be committed.

An offset may be committed when every record before it is handled.
"""

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition


class Offsets:
    """Offsets of the partitions that a consumer holds. Call `clear` before the partitions may go to another member,
    which continues at the committed offset."""

    def __init__(self) -> None:
        self._waiting: dict[TopicPartition, set[int]] = {}
        self._end: dict[TopicPartition, int] = {}
        self._position: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def clear(self) -> None:
        for known in (self._waiting, self._end, self._position, self._committed):
            known.clear()

    def take(self, tp: TopicPartition, offsets: Sequence[int]) -> set[int]:
        """Registers fetched offsets, in order. Returns those that must be handled: after a step back, records that are
        handled already are fetched again."""
        if offsets[0] < self._position.get(tp, 0):
            # The topic was deleted and created again.
            for known in (self._waiting, self._end, self._position, self._committed):
                known.pop(tp, None)
        waiting = self._waiting.setdefault(tp, set())
        end = self._end.get(tp, 0)
        left = {offset for offset in offsets if offset >= end or offset in waiting}
        waiting |= left
        self._position[tp] = offsets[-1] + 1
        self._end[tp] = max(end, offsets[-1] + 1)
        return left

    def step_back(self, tp: TopicPartition) -> int:
        """Returns the offset from which to fetch again: the first record that is not handled."""
        self._position[tp] = min(self._waiting[tp])
        return self._position[tp]

    def done(self, tp: TopicPartition, offset: int) -> None:
        """Marks this record as handled."""
        self._waiting[tp].discard(offset)

    def next(self, tp: TopicPartition) -> int | None:
        """The first offset of `tp` that is not handled; None when nothing of `tp` was fetched."""
        waiting = self._waiting.get(tp)
        return min(waiting) if waiting else self._end.get(tp)

    def to_commit(self) -> dict[TopicPartition, int]:
        """Partition → offset to commit, for partitions with progress since the last commit."""
        nexts = {tp: self.next(tp) for tp in self._end}
        return {tp: next_ for tp, next_ in nexts.items() if next_ is not None and next_ != self._committed.get(tp)}

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._committed.update(offsets)
