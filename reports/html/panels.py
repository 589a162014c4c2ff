"""What the timeline of a run shows: curves of one time axis, faults as bands, and instants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.durations import duration_text, size_text
from reports.model import FaultResult, ProtectionResult, Result
from reports.records import CurvePoint
from reports.recoveries import Recovery

PANELS_MAX = 8
POINTS_MAX = 16_000
"""Over all panels, so that the page stays small; more are thinned, and no peak is lost."""

MarkKind = Literal["bookmark", "missed", "drill", "refused", "disaster"]
MARK_NAMES: dict[MarkKind, str] = {
    "bookmark": "bookmark",
    "missed": "bookmark that failed",
    "drill": "drill, recovered",
    "refused": "recovery refused or failed",
    "disaster": "disaster",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One curve; `style` is its class in the style sheet."""

    title: str
    unit: Literal["s", "bytes"]
    style: Literal["any", "app", "backlog"]
    points: tuple[CurvePoint, ...]

    @property
    def top(self) -> float:
        """The highest value."""
        return max(value for _, value in self.points)

    def text(self, value: float) -> str:
        """A value with its unit."""
        return duration_text(value) if self.unit == "s" else size_text(value)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at an instant."""

    at_s: float
    kind: MarkKind
    text: str


@dataclass(frozen=True, slots=True)
class Band:
    """Something that lasted: a fault."""

    from_s: float
    to_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything on the time axis of one run; `left_out` counts curves that did not fit."""

    length_s: float
    panels: tuple[Panel, ...]
    marks: tuple[Mark, ...]
    bands: tuple[Band, ...]
    left_out: int


def timeline_of(result: Result) -> Timeline:
    """Return what happened in a run, in order of time."""
    panels = [panel for protection in result.protections for panel in _panels(protection)]
    marks = [mark for protection in result.protections for mark in _marks(protection)]
    points_max = POINTS_MAX // max(1, min(len(panels), PANELS_MAX))
    return Timeline(
        length_s=max(result.simulated_s, 1e-9),
        panels=tuple(_fitted(panel, points_max) for panel in panels[:PANELS_MAX]),
        marks=tuple(sorted(dict.fromkeys(marks), key=lambda mark: mark.at_s)),
        bands=tuple(_band(fault, result.simulated_s) for fault in result.faults if fault.fired),
        left_out=max(0, len(panels) - PANELS_MAX),
    )


def _panels(protection: ProtectionResult) -> Iterator[Panel]:
    for column in protection.columns:
        name = protection.name if column is protection else f"{protection.name}@{column.name}"
        for panel in (
            Panel(f"{name}: RPO to any write", "s", "any", column.curve),
            Panel(f"{name}: RPO to an application-consistent point", "s", "app", column.app_curve),
            Panel(f"{name}: waiting at the source", "bytes", "backlog", column.backlog),
        ):
            if panel.points:
                yield panel


def _marks(protection: ProtectionResult) -> Iterator[Mark]:
    for column in protection.columns:
        for bookmark in column.bookmarks:
            kind: MarkKind = "bookmark" if bookmark.taken else "missed"
            yield Mark(bookmark.at_s, kind, bookmark.problem or f"{protection.name}: bookmark")
    yield from map(_mark_of, protection.recoveries)


def _mark_of(recovery: Recovery) -> Mark:
    text = f"{recovery.cause}: {recovery.outcome}"
    if recovery.rpo_s is not None:
        text += f", RPO {duration_text(recovery.rpo_s)}"
    if recovery.outcome != "recovered":
        return Mark(recovery.at_s, "refused", text)
    return Mark(recovery.at_s, recovery.cause, text)


def _band(fault: FaultResult, end_s: float) -> Band:
    from_s = fault.at_s if fault.fired_at_s is None else fault.fired_at_s
    to_s = fault.lifted_at_s
    if to_s is None:
        to_s = end_s if fault.kind in _LASTING else from_s
    return Band(from_s, max(from_s, to_s), fault.kind.replace("_", " "))


_LASTING = frozenset(
    {
        *("link_outage", "link_one_way", "link_degraded", "link_delayed", "link_lossy"),
        *("disk_stall", "disk_slow", "io_error", "volume_full", "power_cut"),
    }
)
"""Faults that go on until they are lifted; any other is done at once, and its effect stays."""


def _fitted(panel: Panel, points_max: int) -> Panel:
    points = thinned(panel.points, points_max)
    return Panel(panel.title, panel.unit, panel.style, tuple(points))


def thinned(points: Sequence[CurvePoint], points_max: int) -> list[CurvePoint]:
    """A line of at most so many points: of each part the lowest and the highest stay."""
    if len(points) <= points_max:
        return list(points)
    parts = max(1, (points_max - 2) // 2)
    kept = {0, len(points) - 1}
    for part in range(parts):
        first, last = part * len(points) // parts, (part + 1) * len(points) // parts
        members = range(first, max(last, first + 1))
        kept.add(min(members, key=lambda index: points[index][1]))
        kept.add(max(members, key=lambda index: points[index][1]))
    return [points[index] for index in sorted(kept)]
