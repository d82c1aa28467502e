"""Which offsets may be committed: only those before which every record has met its fate. Pure."""

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition


class Offsets:
    """Of the partitions that a consumer has. `clear` when they may go to another member: whoever has them next begins
    at what was committed."""

    def __init__(self) -> None:
        self._waiting: dict[TopicPartition, set[int]] = {}
        self._end: dict[TopicPartition, int] = {}
        self._position: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def clear(self) -> None:
        for known in (self._waiting, self._end, self._position, self._committed):
            known.clear()

    def take(self, tp: TopicPartition, offsets: Sequence[int]) -> set[int]:
        """Notes what was fetched, in its order. Returns those of `offsets` that need a fate: after a step back, records
        are fetched again that have met theirs."""
        if offsets[0] < self._position.get(tp, 0):
            # The topic was made again.
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
        """From where to fetch again what still waits."""
        self._position[tp] = min(self._waiting[tp])
        return self._position[tp]

    def done(self, tp: TopicPartition, offset: int) -> None:
        """Notes that this record has met its fate."""
        self._waiting[tp].discard(offset)

    def next(self, tp: TopicPartition) -> int | None:
        """The first offset of `tp` without a fate; None when nothing of it was taken."""
        waiting = self._waiting.get(tp)
        return min(waiting) if waiting else self._end.get(tp)

    def to_commit(self) -> dict[TopicPartition, int]:
        """How far each partition is done, where that is not committed yet."""
        nexts = {tp: self.next(tp) for tp in self._end}
        return {tp: next_ for tp, next_ in nexts.items() if next_ is not None and next_ != self._committed.get(tp)}

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._committed.update(offsets)
