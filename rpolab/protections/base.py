"""What the experiment asks of any protection."""

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


class Protection(Protocol):
    """One protection of the mail server."""

    name: str
    kind: str

    def reported_rpo_ns(self, consistency: PointClass) -> int | None:
        """Return what the protection itself says its RPO is now, None before its first point."""

    def newest(self, consistency: PointClass) -> ProtectedPoint:
        """Return the newest point of a class; raises PointUnavailable."""

    def earlier(self, point: ProtectedPoint) -> list[ProtectedPoint]:
        """Return application-consistent points before a point, newest first."""

    def image(self, point: ProtectedPoint) -> ImageFiles:
        """Return the files as they were at a point; raises PointUnavailable."""
