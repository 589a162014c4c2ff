"""What a protection of another package is made from: points it has kept, and what it says of them.

Fault model: its machine and volumes are the laboratory's, and fail as all of them do; what a point
consists of, and whether it can still be had, is for the package to say, and is opened and compared
like any other.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rpolab.laboratory.world import Laboratory
from rpolab.protections.base import (
    ImageFiles,
    PointClass,
    PointSource,
    PointUnavailable,
    ProtectedPoint,
    Taken,
)
from scenarios import OwnProtection


@dataclass(frozen=True, slots=True)
class Snapshots:
    """How many points had been begun at an instant: what came later is in none of them."""

    captured: int

    def stage_of(self, sequence: int) -> str:
        """Return where a message was that was acknowledged when `sequence` points were begun."""
        return "after the point" if sequence >= self.captured else "on its way"


class PointKeeper(ABC):
    """A protection that keeps points of its own, each a number and an instant.

    Args:
        settings: its keys.
        name: its name in the scenario.
        laboratory: the world it protects.
        copy_site: where its images are made; the disks there decide how long that takes.
    """

    settings: ClassVar[type[OwnProtection]]

    def __init__(
        self, settings: OwnProtection, name: str, laboratory: Laboratory, *, copy_site: str
    ) -> None:
        self.name = name
        self.kind = settings.kind
        self.keys = settings
        self.laboratory = laboratory
        self.copy_site = copy_site
        #: (instant, source time) of each advance of what is safe, per class.
        self.durable: dict[PointClass, list[tuple[int, int]]] = {"any": [], "app": []}
        #: Logs that faults have destroyed in the copy: faults of that kind are for journals.
        self.lost_logs: list[tuple[str, int]] = []
        self._begun = 0
        self._points: dict[int, ProtectedPoint] = {}

    # --- what a package brings ----------------------------------------------------------------

    @abstractmethod
    def start(self) -> None:
        """Begin; the mail server does not run yet."""

    @abstractmethod
    def image(self, point: ProtectedPoint) -> ImageFiles:
        """Return the files as they were at a point; raises PointUnavailable."""

    def start_bookmarks(self) -> None:  # noqa: B027 - most have nothing to do then
        """Take note that the mail server runs now."""

    # --- for the package ----------------------------------------------------------------------

    def begin_point(self, consistency: PointClass = "any") -> ProtectedPoint:
        """Return a new point of this instant; it counts once `keep_point` says that it is safe."""
        self._begun += 1
        return ProtectedPoint(consistency, self.laboratory.kernel.now_ns, self._begun)

    def keep_point(self, point: ProtectedPoint) -> None:
        """Take note that a point is safe at the copy from now on."""
        assert point.sequence > max(self._points, default=0), "points become safe in their order"
        self._points[point.sequence] = point
        now_ns = self.laboratory.kernel.now_ns
        self.durable["any"].append((now_ns, point.time_ns))
        if point.consistency == "app":
            self.durable["app"].append((now_ns, point.time_ns))

    def give_up_point(self, point: ProtectedPoint) -> None:
        """Take note that a point is no longer kept."""
        del self._points[point.sequence]

    @property
    def copies(self) -> Sequence[PointSource]:
        """The only copy there is: itself."""
        return (self,)

    @property
    def points(self) -> list[ProtectedPoint]:
        """The points that are kept, oldest first."""
        return list(self._points.values())

    # --- what the experiment asks -------------------------------------------------------------

    def stages(self) -> Taken:
        """Return how many points have been begun."""
        return Snapshots(self._begun)

    def reported_rpo_ns(self, consistency: PointClass) -> int | None:
        """Return the age of the newest safe point."""
        history = self.durable[consistency]
        return self.laboratory.kernel.now_ns - history[-1][1] if history else None

    def newest(self, consistency: PointClass) -> ProtectedPoint:
        """Return the newest point of a class; raises PointUnavailable."""
        for point in reversed(self.points):
            if consistency in ("any", point.consistency):
                return replace(point, consistency=consistency)
        what = "no point yet" if consistency == "any" else "no application-consistent point"
        raise PointUnavailable(f"{self.name} has {what}", "wait for the first one")

    def earlier(self, point: ProtectedPoint) -> list[ProtectedPoint]:
        """Return the points before a point, newest first."""
        return [kept for kept in reversed(self.points) if kept.sequence < point.sequence]

    def at_sequence(self, sequence: int) -> ProtectedPoint:
        """Return the point of that number; raises PointUnavailable."""
        if sequence not in self._points:
            raise PointUnavailable(f"{self.name} has no point {sequence}", "choose another point")
        return replace(self._points[sequence], consistency="any")
