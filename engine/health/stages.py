"""RPO three ways: what is durable here, what is applied, and what was opened and found good.

They are published apart (protection.md finding 3), each for three classes of points: any point (a
prefix of the order of writes, which is what a crash leaves), points with a tag, and application-
consistent ones. A point counts for its own class and for those that promise less.
"""

from collections.abc import Mapping
from enum import Enum

from engine.basics import invariants
from engine.health.rpo import RpoCurve, RpoFigures
from engine.points.recovery_points import Consistency

#: Classes from the one that promises least to the one that promises most.
CLASSES = (Consistency.WRITE, Consistency.CRASH, Consistency.APP)


class Stage(Enum):
    """What is known of a point."""

    RECEIVED = "received"
    APPLIED = "applied"
    VERIFIED = "verified"


class RpoBoard:
    """The nine curves of a copy.

    Args:
        now_ns: The driver's steady clock.
        offset_ns: The source's wall clock minus that.
        targets_ns: The age promised for the points of a class; applies to all stages.
    """

    def __init__(
        self, now_ns: int, offset_ns: int, targets_ns: Mapping[Consistency, int] | None = None
    ) -> None:
        targets_ns = targets_ns or {}
        self.offset_ns = offset_ns
        self._curves = {
            (stage, point_class): RpoCurve(now_ns, offset_ns, targets_ns.get(point_class))
            for stage in Stage
            for point_class in CLASSES
        }

    def curve(self, stage: Stage, point_class: Consistency) -> RpoCurve:
        """Return one of the curves."""
        return self._curves[stage, point_class]

    def points(
        self, stage: Stage, newest_ns: Mapping[Consistency, int | None], now_ns: int
    ) -> None:
        """Note the source times of the newest points of each class."""
        for point_class in CLASSES:
            self._curves[stage, point_class].point(newest_ns[point_class], now_ns)

    def clock(self, offset_ns: int, now_ns: int) -> None:
        """Note another offset of the source's wall clock from the steady one."""
        if offset_ns == self.offset_ns:
            return
        self.offset_ns = offset_ns
        for curve in self._curves.values():
            curve.clock(offset_ns, now_ns)

    def figures(self, now_ns: int) -> dict[tuple[Stage, Consistency], RpoFigures]:
        """Return all curves in figures."""
        found = {key: curve.figures(now_ns) for key, curve in self._curves.items()}
        for point_class in CLASSES:
            received = found[Stage.RECEIVED, point_class].newest_ns
            for later in (Stage.APPLIED, Stage.VERIFIED):
                invariants.no_stage_is_ahead(received, found[later, point_class].newest_ns)
        return found
