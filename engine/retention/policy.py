"""Which points are kept: a pure function of the points, the pins, the time, and the policy.

The history is parted by the *frontier*, the newest kept point: above it every write is there, up
to it the kept points are the only ones. It never moves back, and nothing given up comes back.

* An age is counted from the newest point, or from the clock where that is behind: where no new
  points come, the old ones stay (protection.md 1.5: ASR replaces the oldest only by new ones), and
  neither a clock that jumps nor an open gap or a resync makes any point leave.
* In each interval of a stage the best point stays: application-consistent before
  crash-consistent before any write, and the oldest of those.
* Where no stage holds a point, as without any stage, the best point behind the window in which
  every write is kept becomes the oldest: the writes after it need it.
* Never given up: the newest point, the newest application-consistent one (I7), pinned ones, and
  the frontier, before a newer point takes its place.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.points.recovery_points import Consistency, RecoveryPoint
from engine.retention.settings import RetentionPolicy

_RANK = {Consistency.APP: 0, Consistency.CRASH: 1, Consistency.WRITE: 2}


class Plan(NamedTuple):
    """The points to keep up to the frontier, oldest first; above it every write stays.

    Without any, all that is there stays.
    """

    kept: tuple[RecoveryPoint, ...]

    @property
    def frontier(self) -> int:
        """Return the sequence of the newest kept point, 0 without one."""
        return self.kept[-1].sequence if self.kept else 0

    def intervals(self, base: int) -> Iterator[tuple[int, int]]:
        """Yield each (low, high] to be compacted, oldest first.

        Args:
            base: The sequence before the journal's first.
        """
        return pairwise([base, *(point.sequence for point in self.kept)])


def plan_of(
    points: Sequence[RecoveryPoint],
    pinned: Collection[int],
    now_ns: int,
    policy: RetentionPolicy,
    frontier: int = 0,
) -> Plan:
    """Return what is to be kept by age.

    Args:
        points: Oldest first: the kept ones up to the frontier, above it those that could be kept,
            and last the newest point of all.
        pinned: Sequences of pinned points.
        now_ns: The wall clock.
        policy: How finely the past is kept.
        frontier: The newest point kept so far, 0 where all that was ever written is there.
    """
    if not points:
        return Plan(())
    reference_ns = min(now_ns, points[-1].source_time_ns)
    best, aged = _Best(points, policy), []
    for point in points[:-1]:
        is_aged = reference_ns - point.source_time_ns > policy.every_write_ns
        if point.sequence > frontier and not is_aged:
            break
        aged.append(point)
    stays = {p.sequence for p in aged if best.is_kept(p, reference_ns - p.source_time_ns)}
    if not stays:
        stays.update(p.sequence for p in best.of_writes(aged)[-1:])
    stays |= protected(points, pinned) & {point.sequence for point in aged}
    if max(stays, default=0) < frontier:
        stays.add(frontier)  # what lay before it is no longer there
    return Plan(tuple(point for point in aged if point.sequence in stays))


def relief_of(
    points: Sequence[RecoveryPoint],
    pinned: Collection[int],
    now_ns: int,
    policy: RetentionPolicy,
    frontier: int = 0,
) -> Plan | None:
    """Return the plan that gives up the least beyond what age does, None where nothing may leave.

    Carried out and not enough, it is to be asked for again. Arguments as of `plan_of`.
    """
    plan = plan_of(points, pinned, now_ns, policy, frontier)
    if policy.when_full == "pause" or not points:
        return None
    if policy.when_full == "coarsen_first":
        for times in range(1, policy.reach_ns.bit_length() + 1):
            coarser = plan_of(points, pinned, now_ns, policy.halved(times), frontier)
            if coarser != plan:
                return coarser
    return _purged(points, pinned, plan)


def protected(points: Sequence[RecoveryPoint], pinned: Collection[int]) -> set[int]:
    """Return the sequences of the points that may not leave, whatever their age."""
    newest_app = newest_app_of(points)
    safe = {point.sequence for point in points if point.sequence in pinned}
    safe.add(points[-1].sequence)
    if newest_app is not None:
        safe.add(newest_app.sequence)
    return safe


def newest_app_of(points: Sequence[RecoveryPoint]) -> RecoveryPoint | None:
    """Return the newest application-consistent point, None without one."""
    found = (point for point in reversed(points) if point.consistency is Consistency.APP)
    return next(found, None)


def _purged(points: Sequence[RecoveryPoint], pinned: Collection[int], plan: Plan) -> Plan | None:
    """Return the plan without its oldest point that may leave; then the next one is the oldest."""
    above = [point for point in points[:-1] if point.sequence > plan.frontier]
    if not plan.kept:  # the oldest is the first write of all
        return Plan((above[0],)) if above else None
    safe = protected(points, pinned)
    for leaving in plan.kept:
        if leaving.sequence in safe:
            continue
        if leaving is not plan.kept[-1]:
            return Plan(tuple(point for point in plan.kept if point is not leaving))
        break
    # Only the frontier is left to leave, or nothing is: the next point takes its place.
    stays = tuple(point for point in plan.kept if point.sequence in safe)
    return Plan((*stays, above[0])) if above else None


class _Best:
    """The best point of each interval of each stage."""

    def __init__(self, points: Sequence[RecoveryPoint], policy: RetentionPolicy) -> None:
        self._policy = policy
        lengths_ns = {policy.write_point_every_ns, *(stage.every_ns for stage in policy.stages)}
        self._best: dict[tuple[int, int], RecoveryPoint] = {}
        for every_ns in sorted(lengths_ns - {0}):
            for point in points:
                key = every_ns, point.source_time_ns // every_ns
                best = self._best.get(key)
                if best is None or _RANK[point.consistency] < _RANK[best.consistency]:
                    self._best[key] = point

    def is_kept(self, point: RecoveryPoint, age_ns: int) -> bool:
        """Return whether a point stays for what it is, at its age."""
        if age_ns <= self._policy.every_write_ns:
            return True
        for stage in self._policy.stages:
            if age_ns <= stage.until_ns:
                return self._is_best(point, stage.every_ns)
        return False

    def of_writes(self, points: Sequence[RecoveryPoint]) -> list[RecoveryPoint]:
        """Return those of the points that are the best where a write stands in for a bookmark."""
        every_ns = self._policy.write_point_every_ns
        return [point for point in points if self._is_best(point, every_ns)]

    def _is_best(self, point: RecoveryPoint, every_ns: int) -> bool:
        if not every_ns:
            if point.consistency is not Consistency.WRITE:
                return True
            every_ns = self._policy.write_point_every_ns
        return self._best[every_ns, point.source_time_ns // every_ns] is point
