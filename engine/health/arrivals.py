"""Which points a journal has up to a sequence, followed record by record, each looked at once.

What is asked here all the time, `RecoveryPoints` answers anew each time; this remembers.
"""

from collections import deque

from engine.basics.errors import PointRefused
from engine.formats.records import RecordType
from engine.history.gaps import Gap
from engine.history.index import Tag
from engine.journal.journal import Journal
from engine.points.recovery_points import Consistency, RecoveryPoint, RecoveryPoints

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
        self.journal = journal
        self._pending: dict[int, Tag] = {}
        self._tags: deque[RecoveryPoint] = deque(maxlen=_TAKEN_MAX)
        self._inherit(journal)  # what retention has kept lies before the oldest record there is

    def inherit(self, older: "PointWatch") -> None:
        """Take over what was followed in the branch that this journal goes on from.

        Its points before this journal's first record can be recovered as ever; what it had after
        that is its orphan tail.
        """
        self._inherit(older.journal)
        for point in (*older.newest.values(), _point_at(older.journal, self.sequence)):
            if point is not None and point.sequence <= self.sequence:
                self._arrive(point)

    def advance(self, sequence: int) -> bool:
        """Take the records up to a durable sequence in; return whether there were any."""
        if sequence <= self.sequence:
            return False
        low, self.sequence = self.sequence, sequence
        for tag in self.journal.index.tags_after(low):
            if tag.sequence > sequence:
                break
            self._take(tag)
        self.gap = self.journal.index.gap_at(sequence)
        last = sequence if self.gap is None else self.gap.opened - 1
        if last >= self.journal.index.first_sequence:
            time_ns = self.journal.index.source_time_ns(last)
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

    def _inherit(self, journal: Journal) -> None:
        points = RecoveryPoints(journal)
        for point in (*points.crash_points(), *points.app_points()):
            if point.sequence <= self.sequence:
                self._arrive(point)

    def _arrive(self, point: RecoveryPoint) -> None:
        """Let a point count for its class, and for those that promise less."""
        for point_class in Consistency:
            newest = self.newest[point_class]
            if newest is None or newest.sequence < point.sequence:
                self.newest[point_class] = point
            if point_class is point.consistency:
                return


def _point_at(journal: Journal, sequence: int) -> RecoveryPoint | None:
    """Return the newest point up to a sequence, None where the journal cannot tell."""
    try:
        return RecoveryPoints(journal).at_sequence(sequence)
    except PointRefused as refusal:
        return refusal.earlier if isinstance(refusal.earlier, RecoveryPoint) else None
