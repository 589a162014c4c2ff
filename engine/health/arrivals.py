"""Which points a journal has up to a sequence, followed record by record, each looked at once.

What is asked here all the time, `RecoveryPoints` answers anew each time; this remembers.
"""

from collections import deque

from engine.formats.records import RecordType
from engine.history.gaps import Gap
from engine.history.index import Tag
from engine.journal.journal import Journal
from engine.points.recovery_points import Consistency, RecoveryPoint

_TAG_CLASS = {RecordType.TAG_CRASH: Consistency.CRASH, RecordType.TAG_APP: Consistency.APP}
#: Two-phase tags that wait for their second record. A source has a handful; one that was lost with
#: its capture waits for ever, and is forgotten when so many others do: then it is no point.
_PENDING_MAX = 1_024
#: New tags that nobody has taken yet (`take_tags`).
_TAKEN_MAX = 4_096


class PointWatch:
    """The newest point of each class, up to a sequence that only grows.

    Args:
        journal: An opened journal.
    """

    def __init__(self, journal: Journal) -> None:
        self.sequence = journal.index.first_sequence - 1
        self.newest: dict[Consistency, RecoveryPoint | None] = dict.fromkeys(Consistency)
        #: The gap that is open at the sequence, if one is.
        self.gap: Gap | None = None
        self._journal = journal
        self._pending: dict[int, Tag] = {}
        self._tags: deque[RecoveryPoint] = deque(maxlen=_TAKEN_MAX)

    def advance(self, sequence: int) -> bool:
        """Take the records up to a durable sequence in; return whether there were any."""
        if sequence <= self.sequence:
            return False
        low, self.sequence = self.sequence, sequence
        for tag in self._journal.index.tags_after(low):
            if tag.sequence > sequence:
                break
            self._take(tag)
        self.gap = self._journal.index.gap_at(sequence)
        last = sequence if self.gap is None else self.gap.opened - 1
        if last >= self._journal.index.first_sequence:
            time_ns = self._journal.index.source_time_ns(last)
            self._arrive(RecoveryPoint(last, time_ns, Consistency.WRITE))
        return True

    def newest_ns(self) -> dict[Consistency, int | None]:
        """Return the source time of the newest point of each class."""
        return {
            point_class: None if point is None else point.source_time_ns
            for point_class, point in self.newest.items()
        }

    def take_tags(self) -> list[RecoveryPoint]:
        """Return, once, the tagged points that were found since the last call, oldest first."""
        tags, self._tags = list(self._tags), deque(maxlen=_TAKEN_MAX)
        return tags

    def _take(self, tag: Tag) -> None:
        """Take a tag, or the record that decides about a pending one: the first one does."""
        if tag.names:
            named = self._pending.pop(tag.names, None)
            if named is not None and tag.kind == RecordType.TAG_COMMIT:
                self._found(named)
        elif tag.is_pending:
            if len(self._pending) >= _PENDING_MAX:
                del self._pending[next(iter(self._pending))]
            self._pending[tag.sequence] = tag
        else:
            self._found(tag)

    def _found(self, tag: Tag) -> None:
        point_class = _TAG_CLASS[RecordType(tag.kind)]
        point = RecoveryPoint(tag.sequence, tag.source_time_ns, point_class, tag.label)
        self._tags.append(point)
        self._arrive(point)

    def _arrive(self, point: RecoveryPoint) -> None:
        """Let a point count for its class, and for those that promise less."""
        for point_class in Consistency:
            newest = self.newest[point_class]
            if newest is None or newest.sequence < point.sequence:
                self.newest[point_class] = point
            if point_class is point.consistency:
                return
