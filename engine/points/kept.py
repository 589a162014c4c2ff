"""What retention left of a journal's older part: the kept points, and nothing between them.

The newest of them is the frontier: above it every record is a point, up to it these alone are,
whether the records between them are still there or not.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import attrgetter

from engine.formats.manifest import KeptPoint

_SEQUENCE = attrgetter("cursor.sequence")
_TIME = attrgetter("source_time_ns")


class KeptPoints:
    """The kept points of a manifest.

    Args:
        points: Oldest first.
    """

    def __init__(self, points: Sequence[KeptPoint]) -> None:
        self.points = points
        self.frontier = points[-1].cursor.sequence if points else 0

    def at(self, sequence: int) -> KeptPoint | None:
        """Return the kept point of this sequence, None where it is none."""
        at = bisect_left(self.points, sequence, key=_SEQUENCE)
        found = at < len(self.points) and self.points[at].cursor.sequence == sequence
        return self.points[at] if found else None

    def around(self, sequence: int) -> tuple[KeptPoint | None, KeptPoint | None]:
        """Return the nearest kept points before and after a sequence."""
        before = bisect_left(self.points, sequence, key=_SEQUENCE)
        after = bisect_right(self.points, sequence, key=_SEQUENCE)
        return self._get(before - 1), self._get(after)

    def around_time(self, time_ns: int) -> tuple[KeptPoint | None, KeptPoint | None]:
        """Return the newest kept point not after a source time, and the oldest after it."""
        at = bisect_right(self.points, time_ns, key=_TIME)
        return self._get(at - 1), self._get(at)

    def _get(self, at: int) -> KeptPoint | None:
        return self.points[at] if 0 <= at < len(self.points) else None
