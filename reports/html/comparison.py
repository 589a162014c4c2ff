"""Protections and copies side by side: a row for each measure, a column for each of them."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from reports.copies import CopyResult
from reports.durations import duration_text, size_text
from reports.html.parts import Part, Table, columns
from reports.html.targets import CLASS_NAMES
from reports.model import ProtectionResult, Result
from reports.records import RpoStatistics
from reports.recoveries import Recovery

COLUMNS_MAX = 5
"""As many stand side by side on paper; more follow in a table of their own."""

Kept: TypeAlias = ProtectionResult | CopyResult
Measure: TypeAlias = tuple[str, Callable[[Kept], str]]


def comparison_parts(result: Result) -> Iterator[Part]:
    """Yield tables of all protections and copies, some columns each."""
    kept = [column for protection in result.protections for column in _with_copies(protection)]
    for first in range(0, len(kept), COLUMNS_MAX):
        shown = kept[first : first + COLUMNS_MAX]
        rows = tuple(
            (name, *texts)
            for name, measure in _MEASURES
            if any(texts := [measure(column) for _, column in shown])
        )
        names = [f"|{name}" for name, _ in shown]
        yield Table("Measures by protection and copy", columns("Measure", *names), rows)


def _with_copies(protection: ProtectionResult) -> Iterator[tuple[str, Kept]]:
    """A protection, and its copies where there are several."""
    yield protection.name, protection
    for copy in protection.copies:
        yield f"{protection.name}@{copy.name}", copy


def _rpo(statistics: RpoStatistics | None) -> str:
    if statistics is None:
        return ""
    told = (statistics.max_s, statistics.p99_s, statistics.p95_s, statistics.mean_s)
    # Each value stays on its line: a line ends after a slash.
    return " / ".join(duration_text(value).replace(" ", "\u00a0") for value in told)


def _place(column: Kept) -> str:
    return f"{column.site}, {column.role}, {column.state}" if isinstance(column, CopyResult) else ""


def _rpo_by_stage(column: Kept) -> str:
    """The engine's own RPO at each stage: what is received may not be applied yet."""
    stages = {} if column.health is None else column.health.rpo_stages
    told = [
        f"{stage} {duration_text(found.p95_s)}"
        for stage, classes in stages.items()
        if (found := classes.get("any")) is not None
    ]
    return " / ".join(told)


def _reported_error(column: Kept) -> str:
    errors_s = [
        abs(item.reported_rpo_s - item.rpo_s)
        for item in column.recoveries
        if item.reported_rpo_s is not None and item.rpo_s is not None
    ]
    return duration_text(max(errors_s)) if errors_s else ""


def _retention_left(column: Kept) -> str:
    left_s = None if column.health is None else column.health.retention_left_s
    return "" if left_s is None else duration_text(left_s)


def _outcomes(column: Kept) -> str:
    counts = Counter(recovery.outcome for recovery in column.recoveries)
    if not counts:
        return "none tried"
    shown = [f"{counts[kind]} {kind}" for kind in ("recovered", "refused", "failed")]
    return ", ".join(text for text in shown if not text.startswith("0 "))


def _worst(
    column: Kept, value: Callable[[Recovery], float | None], text: Callable[[float], str]
) -> str:
    values = [found for item in column.recoveries if (found := value(item)) is not None]
    return text(max(values)) if values else ""


def _worst_rpo(column: Kept) -> str:
    return _worst(column, lambda item: item.rpo_s, duration_text)


def _worst_rto(column: Kept) -> str:
    return _worst(column, lambda item: item.rto_s, duration_text)


def _worst_loss(column: Kept) -> str:
    return _worst(
        column,
        lambda item: None if item.lost is None else item.lost.messages,
        lambda count: f"{count:,.0f}",
    )


def _bad(column: Kept) -> str:
    opened = [item for item in column.recoveries if item.lost is not None]
    return f"{sum(item.phantom + item.damaged for item in opened):,}" if opened else ""


def _backlog(column: Kept) -> str:
    return "" if column.health is None else size_text(column.health.backlog_bytes_max)


def _sent(column: Kept) -> str:
    health = column.health
    if health is None or not health.sent_raw_bytes:
        return ""
    return f"{size_text(health.sent_wire_bytes)} of {size_text(health.sent_raw_bytes)}"


def _bookmarks(column: Kept) -> str:
    counts = {} if column.health is None else column.health.bookmarks
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number)


def _state(column: Kept) -> str:
    return "" if column.health is None else column.health.severity


def _window(column: Kept) -> str:
    return "" if column.health is None else duration_text(column.health.window_s)


def _covered(column: Kept) -> str:
    return ", ".join(
        f"{item.share:.1%} ({CLASS_NAMES[item.consistency]})" for item in column.coverage
    )


_MEASURES: Sequence[Measure] = (
    ("Where, and in which state", _place),
    ("Recoveries", _outcomes),
    ("RPO to any write: max / p99 / p95 / mean", lambda column: _rpo(column.rpo)),
    ("RPO to application-consistent points: max / p99 / p95 / mean",
     lambda column: _rpo(column.app_rpo)),
    ("RPO as the engine says, p95", _rpo_by_stage),
    ("Worst RPO of a recovery", _worst_rpo),
    ("Largest error of the RPO that the engine reported", _reported_error),
    ("Longest time until mail was back", _worst_rto),
    ("Most messages lost in a recovery", _worst_loss),
    ("Messages damaged or never sent", _bad),
    ("Retention window that can be recovered", _covered),
    ("Retention window kept", _window),
    ("Retention window left", _retention_left),
    ("Largest backlog at the source", _backlog),
    ("Sent over the line, of changes", _sent),
    ("Bookmarks", _bookmarks),
    ("Health, as the engine says", _state),
)  # fmt: skip
