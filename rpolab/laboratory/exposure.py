"""How exposed the mail was during a run: backlog, bookmarks, and limits that RPO(t) exceeded."""

from collections.abc import Iterable, Sequence

from emulators.vss.requestor import Outcome, SnapshotResult
from reports import Bookmark, Curve, Exceedance, seconds
from rpolab.protections.base import PointClass, PointSource, Protection
from rpolab.protections.kept_copy import KeptCopy

_MINUTE_NS = 60_000_000_000
LADDER_NS = (
    _MINUTE_NS // 60,
    _MINUTE_NS // 4,
    *(minutes * _MINUTE_NS for minutes in (1, 5, 15, 30, 60, 240, 1_440)),
)
"""Limits of RPO that plans are made with; those told end with the first that held."""


def exceedances(
    consistency: PointClass, curve: Curve | None, limits_ns: Sequence[int]
) -> list[Exceedance]:
    """Return how often each limit was exceeded: the scenario's own, and those of the ladder."""
    if curve is None:
        return []
    highest_ns = curve.max_ns()
    held_ns = next((limit for limit in LADDER_NS if limit >= highest_ns), LADDER_NS[-1])
    told = sorted({*limits_ns, *(limit for limit in LADDER_NS if limit <= held_ns)})
    return [curve.exceedance(consistency, limit_ns) for limit_ns in told]


def bookmark_results(
    attempts: Sequence[SnapshotResult], durable: Sequence[tuple[int, int]]
) -> tuple[Bookmark, ...]:
    """Return each attempt at a bookmark, and when the copy had it, in order of time.

    Args:
        attempts: those of continuous protection; no other tells of them.
        durable: (instant, source time) of each bookmark that the copy has.
    """
    durable_ns = {source_ns: at_ns for at_ns, source_ns in reversed(durable)}
    found = []
    for attempt in attempts:
        taken = attempt.outcome is Outcome.TAKEN
        at_ns = attempt.reached_ns if taken else attempt.ended_ns
        arrived_ns = durable_ns.get(at_ns) if taken else None
        found.append(
            Bookmark(
                at_s=seconds(at_ns),
                durable_s=None if arrived_ns is None else seconds(arrived_ns),
                taken=taken,
                problem="" if taken else f"{attempt.code.name}: {attempt.problem}",
            )
        )
    return tuple(found)


def note_backlogs(protections: Iterable[Protection]) -> None:
    """Note how much waits at the source of each now; a run is the same with it and without."""
    for protection in protections:
        for copy in protection.copies:
            if isinstance(copy, KeptCopy):
                copy.health.note_backlog()


def backlog_curve(copy: PointSource, end_ns: int) -> tuple[tuple[float, float], ...]:
    """Return what waited at the source of continuous protection, as far as the run's mail went."""
    noted = copy.health.backlog if isinstance(copy, KeptCopy) else []
    return tuple((seconds(at_ns), float(size)) for at_ns, size in noted if at_ns <= end_ns)
