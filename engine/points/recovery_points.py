"""Recovery points: which moments can be recovered, and an honest refusal of the others.

Inside a gap there is no point (invariant I3): a request there is refused, and both edges of the
gap are offered. A gap whose closing record is not durable has no later edge yet. Where retention
has left some points only, the others are refused in the same way.
"""

from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum

from engine.basics import invariants
from engine.basics.errors import PointRefused
from engine.basics.figures import time_text
from engine.formats.manifest import KeptPoint
from engine.formats.records import RecordType
from engine.history.gaps import Gap
from engine.history.index import Tag
from engine.journal.journal import Journal
from engine.points.kept import KeptPoints


class Consistency(Enum):
    """What a point promises; every point is a prefix of the captured order."""

    WRITE = "write"
    CRASH = "crash"
    APP = "app"


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """One moment that can be recovered; `label` is the tag's, '' without one."""

    sequence: int
    source_time_ns: int
    consistency: Consistency
    label: str = ""

    def __str__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        return (
            f"sequence {self.sequence}, {self.consistency.value}{label}, "
            f"source time {time_text(self.source_time_ns)}"
        )


_NO_APP_POINT_HINT = "Recover the latest crash-consistent point and replay its logs."
_WAIT_HINT = "Wait for the first acknowledgement; check the link if it does not come."
_EXPIRED_HINT = "Choose one of the nearest points: retention gave up what lay between."
_CONSISTENCY: dict[int, Consistency] = {
    RecordType.TAG_CRASH: Consistency.CRASH,
    RecordType.TAG_APP: Consistency.APP,
}


class RecoveryPoints:
    """The points of a journal; only durable records count, and all methods look at it anew.

    Args:
        journal: An opened journal.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def latest(self) -> RecoveryPoint:
        """Return the newest point of all: the newest durable record outside of any gap.

        Raises:
            PointRefused: Nothing is durable yet, or everything lies in a gap.
        """
        self._require_any()
        if (point := self._newest()) is None:
            raise PointRefused("No point is complete yet: the first copy is being made", _WAIT_HINT)
        return point

    def oldest(self) -> RecoveryPoint | None:
        """Return the oldest point of all, None where there is none."""
        if kept := self._kept.points:
            return _point_of(kept[0])
        first, last = self._bounds()
        gap = self._journal.index.gap_at(first) if first <= last else None
        if gap is not None:
            first = last + 1 if gap.closed is None else gap.closed
        return self._point(first) if first <= last else None

    def at_sequence(self, sequence: int) -> RecoveryPoint:
        """Return the point at exactly this sequence.

        Raises:
            PointRefused: The journal does not hold it durably, or no longer, or it lies in a gap.
        """
        self._require_any()
        first, last = self._bounds()
        if 0 < sequence <= self._kept.frontier:
            return self._kept_at(sequence)
        if sequence < first:
            raise PointRefused(
                f"Sequence {sequence} is before the journal's first", later=self.oldest()
            )
        if sequence > last:
            raise PointRefused(f"Sequence {sequence} is not durable here", earlier=self._newest())
        if (gap := self._journal.index.gap_at(sequence)) is not None:
            raise self._inside(gap, f"Sequence {sequence}")
        return self._point(sequence)

    def at_time(self, time_ns: int) -> RecoveryPoint:
        """Return the newest point whose source time is not after `time_ns`.

        Refused when the journal ends before that time: nobody knows what was written between
        (a TIME record says that nothing was). Refused, too, between a RESYNC_BEGIN and the record
        before it: what was written there, the capture that stopped without warning took with it.

        Raises:
            PointRefused: The time lies outside of what is durable, in a gap, or between points
                that retention has left.
        """
        self._require_any()
        first, last = self._bounds()
        index = self._journal.index
        if time_ns > index.source_time_ns(last):
            raise PointRefused(
                f"Source time {time_text(time_ns)} is after the newest durable record",
                earlier=self._newest(),
            )
        frontier = self._kept.frontier
        if frontier and index.newest_at(time_ns, last) <= frontier:
            return self._kept_at_time(time_ns)
        if not frontier and time_ns < index.source_time_ns(first):
            raise PointRefused(
                f"Source time {time_text(time_ns)} is before the journal's first record",
                later=self.oldest(),
            )
        sequence = index.newest_at(time_ns, last)
        gap = index.gap_at(sequence)
        if gap is None and index.source_time_ns(sequence) < time_ns:
            gap = self._stopped_after(sequence)
        if gap is not None:
            raise self._inside(gap, f"Source time {time_text(time_ns)}")
        return self._point(sequence)

    def app_points(self) -> list[RecoveryPoint]:
        """Return all application-consistent points, oldest first."""
        return self._tagged(RecordType.TAG_APP)

    def crash_points(self) -> list[RecoveryPoint]:
        """Return all points with a crash tag, oldest first."""
        return self._tagged(RecordType.TAG_CRASH)

    def latest_app(self) -> RecoveryPoint:
        """Return the newest application-consistent point.

        Raises:
            PointRefused: There is none; the latest point of any kind is offered.
        """
        points = self.app_points()
        if not points:
            raise PointRefused(
                "No application-consistent point is durable",
                _NO_APP_POINT_HINT,
                earlier=self._newest(),
            )
        return points[-1]

    def app_at(self, time_ns: int) -> RecoveryPoint:
        """Return the newest application-consistent point not after `time_ns`.

        Raises:
            PointRefused: There is none; the next later one is offered.
        """
        points = self.app_points()
        count = bisect_right([point.source_time_ns for point in points], time_ns)
        if not count:
            raise PointRefused(
                f"No application-consistent point at or before source time {time_text(time_ns)}",
                "" if points else _NO_APP_POINT_HINT,
                later=points[0] if points else None,
            )
        return points[count - 1]

    def oldest_undecided(self) -> int | None:
        """Return the oldest tag above the kept points whose second phase may still come, or None.

        A resync ends the wait: the capture that would have said so is gone.
        """
        index, last = self._journal.index, self._journal.durable.sequence
        resync = next(index.events_backwards((RecordType.RESYNC_BEGIN,), last), None)
        first = max(self._kept.frontier, 0 if resync is None else resync.sequence)
        waiting: dict[int, Tag] = {}
        for tag in index.tags_after(first):
            if tag.sequence > last:
                break
            if tag.is_pending:
                waiting[tag.sequence] = tag
            waiting.pop(tag.names, None)
        return min(waiting, default=None)

    def reported_rpo_ns(self, now_ns: int) -> int | None:
        """Return the age of the newest point: of the newest durable record, TIME records included.

        While a gap is open that is the record before it, however much has arrived since.

        Args:
            now_ns: The target's wall clock. Its difference to the source's wall clock is an error
                of this number (protection.md finding 3); a result below zero proves one.

        Returns:
            Nanoseconds, or None while there is no point.
        """
        point = self._newest()
        durable_time_ns = self._journal.durable_time_ns
        if point is None or durable_time_ns is None:
            return None
        reported_ns = now_ns - point.source_time_ns
        invariants.reported_rpo_is_not_optimistic(reported_ns, now_ns, durable_time_ns)
        return reported_ns

    def _newest(self) -> RecoveryPoint | None:
        """Return the newest point, None where there is none."""
        first, last = self._bounds()
        if last >= first and (gap := self._journal.index.gap_at(last)) is not None:
            last = gap.opened - 1
        return self._point(last) if last >= first else None

    @property
    def _kept(self) -> KeptPoints:
        return KeptPoints(self._journal.manifest.points)

    def _kept_at(self, sequence: int) -> RecoveryPoint:
        kept = self._kept
        if (found := kept.at(sequence)) is None:
            raise _expired(f"Sequence {sequence}", *kept.around(sequence))
        return _point_of(found)

    def _kept_at_time(self, time_ns: int) -> RecoveryPoint:
        """Return the kept point of a source time that no record above the frontier has."""
        what, (earlier, later) = (
            f"Source time {time_text(time_ns)}",
            self._kept.around_time(time_ns),
        )
        if earlier is not None and earlier.source_time_ns == time_ns:
            return _point_of(earlier)
        if earlier is None or later is not None:
            raise _expired(what, earlier, later)
        # Nothing was written between the frontier and then.
        if (gap := self._stopped_after(earlier.cursor.sequence)) is not None:
            raise self._inside(gap, what)
        return _point_of(earlier)

    def _stopped_after(self, sequence: int) -> Gap | None:
        """Return the resync that follows right after a record, None where none does."""
        gap = self._journal.index.gap_at(sequence + 1)
        return gap if gap is not None and gap.kind == RecordType.RESYNC_BEGIN else None

    def _inside(self, gap: Gap, what: str) -> PointRefused:
        """Return the refusal of something inside a gap, with both edges."""
        first, last = self._bounds()
        earlier, later = gap.opened - 1, gap.closed
        return PointRefused(
            f"{what} lies in a gap, order was lost there",
            earlier=self._point(earlier) if earlier >= first else None,
            later=self._point(later) if later is not None and later <= last else None,
        )

    def _bounds(self) -> tuple[int, int]:
        kept = self._kept.points
        first = kept[0].cursor.sequence if kept else self._journal.index.first_sequence
        return first, self._journal.durable.sequence

    def _require_any(self) -> None:
        first, last = self._bounds()
        if last < first:
            raise PointRefused(
                "Nothing is durable in this journal yet",
                _WAIT_HINT,
            )

    def _point(self, sequence: int) -> RecoveryPoint:
        invariants.no_point_lies_in_a_gap(sequence, self._journal.index.gap_at(sequence))
        if (kept := self._kept.at(sequence)) is not None:
            return _point_of(kept)
        row = self._journal.index.row(sequence)
        if row.kind in _CONSISTENCY:
            tag = self._journal.index.tag(sequence)
            if self._is_point(tag):
                return RecoveryPoint(
                    sequence, tag.source_time_ns, _CONSISTENCY[tag.kind], tag.label
                )
        return RecoveryPoint(sequence, row.source_time_ns, Consistency.WRITE)

    def _tagged(self, kind: RecordType) -> list[RecoveryPoint]:
        kept, last = self._kept, self._journal.durable.sequence
        return [_point_of(point) for point in kept.points if point.kind == kind] + [
            RecoveryPoint(tag.sequence, tag.source_time_ns, _CONSISTENCY[kind], tag.label)
            for tag in self._journal.index.tags_after(kept.frontier)
            if tag.kind == kind and tag.sequence <= last and self._is_point(tag)
        ]

    def _is_point(self, tag: Tag) -> bool:
        """Tell whether a tag is a point: of a pending one the first record to name it decides."""
        if not tag.is_pending:
            return True
        last = self._journal.durable.sequence
        for later in self._journal.index.tags_after(tag.sequence):
            if later.sequence > last:
                break
            if later.names == tag.sequence:
                return later.kind == RecordType.TAG_COMMIT
        return False


def _point_of(kept: KeptPoint) -> RecoveryPoint:
    return RecoveryPoint(
        kept.cursor.sequence,
        kept.source_time_ns,
        _CONSISTENCY.get(kept.kind, Consistency.WRITE),
        kept.label,
    )


def _expired(what: str, earlier: KeptPoint | None, later: KeptPoint | None) -> PointRefused:
    """Return the refusal of something between kept points, or before the first."""
    return PointRefused(
        f"{what} is no longer kept",
        _EXPIRED_HINT,
        earlier=None if earlier is None else _point_of(earlier),
        later=None if later is None else _point_of(later),
    )
