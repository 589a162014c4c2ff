"""What a check of a point is, what it finds, and what is remembered of it."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from engine.contract.actions import FileAction
from engine.images.virtual import VirtualImage
from engine.points.recovery_points import Consistency, RecoveryPoint

#: Results remembered. Assumption: years of bookmarks that were kept.
RESULTS_MAX = 1_024


class Outcome(Enum):
    """How a check ended."""

    GOOD = "good"
    BAD = "bad"
    #: Nothing was learned of the point: the overlay was full or failed, or the point has expired.
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a checker says of an image; `detail` is for the operator."""

    is_good: bool
    detail: str = ""


class Checker(Protocol):
    """The application's own test of its files, such as opening a database and replaying its log."""

    def check(self, image: VirtualImage) -> Generator[Sequence[FileAction], None, Finding]:
        """Test the files of an image, in bounded steps.

        Each `yield` ends a step. It hands out the actions that calls on the image have returned
        since the last one; they are carried out before the check goes on. The image may be
        written to: nobody else sees that. An EngineError that a read raises is best let through:
        it is a finding by itself.

        Returns:
            The finding.
        """
        ...


class ReadingChecker:
    """Reads every byte of every file, so that every checksum on the way is checked.

    For a group whose application brings no test of its own: it finds what rots, not what was
    written wrong.

    Args:
        step_bytes: What one step reads.
    """

    def __init__(self, step_bytes: int = 4 << 20) -> None:
        assert step_bytes > 0
        self._step_bytes = step_bytes

    def check(self, image: VirtualImage) -> Generator[Sequence[FileAction], None, Finding]:
        """Read all; see `Checker.check`."""
        total = 0
        for name in image.names():
            size = image.size(name)
            for offset in range(0, size, self._step_bytes):
                image.read_segments(name, offset, self._step_bytes)
                yield []
            total += size
        return Finding(is_good=True, detail=f"{total} bytes read")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How the newest check of a point ended; `was_bad` tells that the one before found it bad."""

    point: RecoveryPoint
    outcome: Outcome
    detail: str
    checked_at_ns: int
    steps: int
    was_bad: bool = False


class CheckedPoints:
    """The newest result of each point that was checked, by sequence; bounded."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(Outcome, 0)
        self._results: dict[int, CheckResult] = {}

    def note(self, result: CheckResult) -> None:
        """Remember a result in place of the point's older one."""
        self.counts[result.outcome] += 1
        self._results.pop(result.point.sequence, None)
        self._results[result.point.sequence] = result
        if len(self._results) > RESULTS_MAX:
            self._forget_one()

    def forget(self, sequence: int) -> None:
        """Forget a point that has expired."""
        self._results.pop(sequence, None)

    def of(self, sequence: int) -> CheckResult | None:
        """Return the newest result of a point, None where it was never checked."""
        return self._results.get(sequence)

    def with_outcome(self, *outcomes: Outcome) -> list[CheckResult]:
        """Return the results of some kinds, the one that was checked longest ago first."""
        return [result for result in self._results.values() if result.outcome in outcomes]

    def newest_good(
        self, point_class: Consistency = Consistency.WRITE, below: int | None = None
    ) -> RecoveryPoint | None:
        """Return the newest point of a class that was found good, below a sequence if one is given.

        A point counts for its own class and for those that promise less.
        """
        order = list(Consistency)
        wanted = order.index(point_class)
        return _newest(
            result.point
            for result in self.with_outcome(Outcome.GOOD)
            if order.index(result.point.consistency) >= wanted
            and (below is None or result.point.sequence < below)
        )

    def newest_ns(self) -> dict[Consistency, int | None]:
        """Return the source time of the newest good point of each class."""
        newest = {point_class: self.newest_good(point_class) for point_class in Consistency}
        return {
            key: None if point is None else point.source_time_ns for key, point in newest.items()
        }

    def _forget_one(self) -> None:
        """Forget what was checked longest ago, rather a good result than a bad one."""
        newest = {point.sequence for c in Consistency if (point := self.newest_good(c)) is not None}
        for sequence, result in self._results.items():
            if result.outcome is not Outcome.BAD and sequence not in newest:
                del self._results[sequence]
                return
        del self._results[next(iter(self._results))]


def _newest(points: Iterable[RecoveryPoint]) -> RecoveryPoint | None:
    return max(points, key=lambda point: point.sequence, default=None)
