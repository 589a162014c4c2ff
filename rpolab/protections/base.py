"""What the experiment asks of any protection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from emulators.ese.file_set import MemoryFiles

PointClass = Literal["any", "app"]


@dataclass(frozen=True, slots=True)
class ProtectedPoint:
    """A point that a protection offers: class, source time of the run, and sequence number."""

    consistency: PointClass
    time_ns: int
    sequence: int


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """The files of a point in memory, by storage group, and the bytes read to make them."""

    groups: dict[str, MemoryFiles]
    bytes_read: int


class PointUnavailable(Exception):  # noqa: N818 - a refusal is an answer, not a failure
    """A point that was asked for cannot be had; says why and what else there is."""

    def __init__(self, message: str, hint: str, nearest: tuple[ProtectedPoint, ...] = ()) -> None:
        super().__init__(f"{message}: {hint}" if hint else message)
        self.nearest = nearest


class Taken(Protocol):
    """How far a protection had come at an instant."""

    @property
    def captured(self) -> int:
        """The number of the newest thing it had taken from the mail server."""

    def stage_of(self, sequence: int) -> str:
        """Return where what was lost had been, of which that number was the newest."""


class PointSource(Protocol):
    """One copy of what is protected: what recoveries are made from."""

    @property
    def name(self) -> str:
        """Its name: that of its protection, where that has one copy only."""

    @property
    def copy_site(self) -> str:
        """Where its images are made."""

    @property
    def durable(self) -> Mapping[PointClass, Sequence[tuple[int, int]]]:
        """(Instant, source time) of each advance of what is safe, per class."""

    @property
    def lost_logs(self) -> Sequence[tuple[str, int]]:
        """(Storage group, generation) of the logs that faults have destroyed in the copy."""

    def stages(self) -> Taken:
        """Return how far it has come now."""

    def reported_rpo_ns(self, consistency: PointClass) -> int | None:
        """Return what the protection itself says its RPO is now, None before its first point."""

    def newest(self, consistency: PointClass) -> ProtectedPoint:
        """Return the newest point of a class; raises PointUnavailable."""

    def earlier(self, point: ProtectedPoint) -> list[ProtectedPoint]:
        """Return application-consistent points before a point, newest first."""

    def at_sequence(self, sequence: int) -> ProtectedPoint:
        """Return the point of any write with that number; raises PointUnavailable."""

    def image(self, point: ProtectedPoint) -> ImageFiles:
        """Return the files as they were at a point; raises PointUnavailable."""


class Protection(Protocol):
    """One protection of the mail server."""

    @property
    def name(self) -> str:
        """Its name in the scenario."""

    @property
    def kind(self) -> str:
        """What it is."""

    @property
    def copies(self) -> Sequence[PointSource]:
        """Its copies, at least one."""

    def start(self) -> None:
        """Begin; the mail server does not run yet."""

    def start_bookmarks(self) -> None:
        """Begin to make application-consistent points: the mail server runs."""

    def stages(self) -> Taken:
        """Return how far it has come now."""
