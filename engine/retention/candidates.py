"""What retention chooses from: the points that are kept, or could be, and what space they take."""

from bisect import bisect_right

from engine.basics.errors import PointRefused
from engine.journal.journal import Journal
from engine.journal.segment import Segment
from engine.points.recovery_points import Consistency, RecoveryPoint, RecoveryPoints


def points_of(journal: Journal) -> list[RecoveryPoint]:
    """Return the points that a plan is made of, oldest first; none while there is nothing to plan.

    There is nothing where nothing is a point, or where none is newer than the frontier: after a
    crash, until the opening's sync has made durable again what follows it.

    They are the kept points; above them the bookmarks, the pinned points and, standing in where
    there are no bookmarks, the last records of segments; and last the newest point of all. But for
    that one, only what sealed segments hold: nothing is freed by keeping less of an open one.
    """
    points = RecoveryPoints(journal)
    try:
        newest = points.latest()
    except PointRefused:
        return []
    manifest = journal.manifest
    frontier = manifest.points[-1].cursor.sequence if manifest.points else 0
    if newest.sequence <= frontier:
        return []
    last = min(max(frontier, _sealed_up_to(journal)), newest.sequence - 1)
    if (undecided := points.oldest_undecided()) is not None:
        last = min(last, undecided - 1)  # kept as a write, it could not become a bookmark any more
    found: dict[int, RecoveryPoint] = {}
    for entry in manifest.segments:
        sequence = entry.last.sequence
        if frontier < sequence and journal.index.gap_at(sequence) is None:
            found[sequence] = RecoveryPoint(sequence, entry.last_time_ns, Consistency.WRITE)
    for pin in manifest.pins:
        if pin.sequence > frontier:
            found[pin.sequence] = points.at_sequence(pin.sequence)
    for kept in manifest.points:
        found[kept.cursor.sequence] = points.at_sequence(kept.cursor.sequence)
    for point in (*points.crash_points(), *points.app_points()):
        found[point.sequence] = point
    chosen = [found[sequence] for sequence in sorted(found)]
    del chosen[bisect_right(chosen, last, key=_sequence) :]
    return [*chosen, newest]


def used_bytes(journal: Journal) -> int:
    """Return what the journal's segments, index files and layers take."""
    manifest = journal.manifest
    used = sum(entry.size + entry.index_size for entry in manifest.segments)
    used += sum(layer.length for layer in manifest.layers)
    return used + sum(part.size for part in journal.segments[-1:] if isinstance(part, Segment))


def _sealed_up_to(journal: Journal) -> int:
    segments = journal.manifest.segments
    durable = journal.durable.sequence
    sealed = (entry.last.sequence for entry in segments if entry.last.sequence <= durable)
    return max(sealed, default=0)


def _sequence(point: RecoveryPoint) -> int:
    return point.sequence
