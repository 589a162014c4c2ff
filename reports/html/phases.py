"""The phases of a run, and how long it took to catch up after each fault."""

from collections.abc import Iterator

from reports.clock import Clock
from reports.copies import KeptHistory
from reports.durations import duration_text
from reports.html.parts import Part, Table, columns
from reports.model import Result
from reports.records import RpoStatistics


def phase_parts(result: Result, clock: Clock) -> Iterator[Part]:
    """Yield the figures of each phase and of each return to normal, by protection and copy."""
    for protection in result.protections:
        for column in protection.columns:
            name = protection.name if column is protection else f"{protection.name}@{column.name}"
            yield from _phases(name, column, clock)
            yield from _catch_ups(name, column, clock)


def _phases(name: str, column: KeptHistory, clock: Clock) -> Iterator[Part]:
    rows = tuple(
        (
            phase.name,
            clock.span_text(phase.from_s, phase.to_s),
            _rpo_text(phase.rpo),
            _rpo_text(phase.app_rpo),
        )
        for phase in column.phases
    )
    if rows:
        names = columns(
            "~Phase", "Time", "|RPO to any write, max / p95", "|To bookmarks, max / p95"
        )
        yield Table(f"{name}: RPO by phase", names, rows)


def _rpo_text(statistics: RpoStatistics | None) -> str:
    if statistics is None:
        return ""
    return f"{duration_text(statistics.max_s)} / {duration_text(statistics.p95_s)}"


def _catch_ups(name: str, column: KeptHistory, clock: Clock) -> Iterator[Part]:
    rows = tuple(
        (
            item.kind.replace("_", " "),
            clock.text(item.from_s),
            duration_text(item.level_s),
            "not before the end" if item.length_s is None else duration_text(item.length_s),
        )
        for item in column.catch_ups
    )
    if rows:
        names = columns("~After", "Over at", ">RPO before it", ">As before after")
        yield Table(f"{name}: until RPO was as before a fault", names, rows)
