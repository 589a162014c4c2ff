"""How much of a copy's retention window can be recovered to, by class, and why not the rest.

Any write: an instant is covered where every write around it is a point: not in a gap of the stream,
not where retention has thinned the points out, not before the first write or after the newest
durable one. Application-consistent: where a bookmark that is kept lies at most one interval back,
with the engine's grace.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engine import HealthSettings, Journal, RecoveryPoints
from reports import Coverage, CoverageGap, seconds
from rpolab.protections.base import PointClass, PointUnavailable
from rpolab.protections.kept_copy import KeptCopy

GRACE_NS = HealthSettings().bookmark_grace_ns


class Gap(NamedTuple):
    """A stretch without a point, in source time, and why."""

    from_ns: int
    to_ns: int
    why: str


def coverage(copy: KeptCopy, end_ns: int) -> tuple[Coverage, ...]:
    """Return the coverage of a copy's window, which ends at the disaster or the run's end.

    Args:
        copy: the copy; one that is down covers nothing.
        end_ns: the end of the window.
    """
    from_ns = max(0, end_ns - copy.spec.retention_ns)
    if end_ns <= from_ns:
        return ()
    try:
        journal = copy.journal
    except PointUnavailable as down:
        everything = [Gap(from_ns, end_ns, str(down))]
        return (_covered("any", everything, from_ns, end_ns),)
    found = [_covered("any", list(_without_writes(journal, end_ns)), from_ns, end_ns)]
    if copy.bookmark_interval_ns is not None:
        times = [point.source_time_ns for point in RecoveryPoints(journal).app_points()]
        gaps = list(_without_bookmarks(times, copy.bookmark_interval_ns, from_ns, end_ns))
        found.append(_covered("app", gaps, from_ns, end_ns))
    return tuple(found)


def _without_writes(journal: Journal, end_ns: int) -> Iterator[Gap]:
    """Yield the stretches in which not every write is a point, oldest first."""
    newest = journal.durable.sequence
    if not newest:
        yield Gap(0, end_ns, "nothing has arrived")
        return
    index, thinned = journal.index, 0
    if journal.manifest.points:
        thinned = journal.manifest.points[-1].source_time_ns
        yield Gap(0, thinned, "thinned out by retention")
    else:
        thinned = index.source_time_ns(index.first_sequence)
        yield Gap(0, thinned, "before the first write")
    for gap in index.gaps:
        if gap.opened <= newest:
            closed = gap.closed
            is_open = closed is None or closed > newest
            to_ns = end_ns if is_open or closed is None else index.source_time_ns(closed)
            yield Gap(max(index.source_time_ns(gap.opened), thinned), to_ns, "order was lost")
    yield Gap(journal.durable_time_ns or 0, end_ns, "not yet durable")


def _without_bookmarks(
    times: Sequence[int], interval_ns: int, from_ns: int, end_ns: int
) -> Iterator[Gap]:
    """Yield the stretches that no bookmark lies shortly enough before."""
    reach_ns, covered_ns = interval_ns + GRACE_NS, from_ns
    for time_ns in times:
        if time_ns > covered_ns:
            yield Gap(covered_ns, time_ns, "no bookmark")
        covered_ns = max(covered_ns, time_ns + reach_ns)
    if covered_ns < end_ns:
        yield Gap(covered_ns, end_ns, "no bookmark")


def _covered(consistency: PointClass, gaps: Sequence[Gap], from_ns: int, end_ns: int) -> Coverage:
    """Return the coverage that these gaps leave; where two overlap, the earlier one says why."""
    told, reached_ns = [], from_ns
    for gap in sorted(gaps):
        begin_ns, until_ns = max(gap.from_ns, reached_ns), min(gap.to_ns, end_ns)
        if until_ns > begin_ns:
            told.append(CoverageGap(from_s=seconds(begin_ns), to_s=seconds(until_ns), why=gap.why))
            reached_ns = until_ns
    window_ns = end_ns - from_ns
    missing_s = sum(gap.to_s - gap.from_s for gap in told)
    recoverable_s = round(max(seconds(window_ns) - missing_s, 0.0), 9)
    return Coverage(
        consistency=consistency,
        window_s=seconds(window_ns),
        from_s=seconds(from_ns),
        to_s=seconds(end_ns),
        recoverable_s=recoverable_s,
        share=round(recoverable_s / seconds(window_ns), 6),
        gaps=tuple(told),
    )
