"""Targets against what was achieved, and what other limits would have meant."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from reports.durations import duration_text
from reports.headline import interval_text, strictness_note, value_text
from reports.html.parts import Part, Prose, Table, columns, joined, markup, verdict_chip
from reports.model import Result
from reports.verdicts import ThresholdResult

CLASS_NAMES = {"any": "any write", "app": "application-consistent"}


def target_parts(
    thresholds: Sequence[ThresholdResult], caption: str = "Each target, and what was achieved"
) -> Iterator[Part]:
    """Yield the table of thresholds, or that there are none."""
    if not thresholds:
        yield Prose(("The scenario has no thresholds: nothing was judged.",), "warning")
        return
    has_interval = any(interval_text(item) for item in thresholds)
    names = ["~Target", "Class", "Limit", ">Achieved", ">Samples", "~Verdict", ">Line"]
    if has_interval:
        names.insert(4, ">95 % interval")
    rows = tuple(_row(item, has_interval=has_interval) for item in thresholds)
    yield Table(caption, columns(*names), rows, strictness_note(thresholds))


def _row(item: ThresholdResult, *, has_interval: bool) -> tuple[str | Markup, ...]:
    verdict = verdict_chip(item.verdict)
    remarks = [item.note] if item.note else []
    if item.runs_needed is not None:
        remarks.append(f"{item.runs_needed:,} more runs would settle it")
    verdict += joined(markup(' <span class="remark">{}</span>', remark) for remark in remarks)
    cells: list[str | Markup] = [
        markup("<code>{}</code>", item.metric),
        _class_text(item.metric),
        item.expr,
        value_text(item.observed, item.unit),
        f"{item.n:,}",
        verdict,
        item.place,
    ]
    if has_interval:
        cells.insert(4, interval_text(item) or "exact")
    return tuple(cells)


def _class_text(metric: str) -> str:
    """Which points a metric is about; nothing where it counts recoveries of both."""
    name = metric.partition(".")[2]
    if name.startswith("app_"):
        return CLASS_NAMES["app"]
    return CLASS_NAMES["any"] if name.startswith(("rpo", "lost", "reported")) else ""


def what_if_parts(result: Result) -> Iterator[Part]:
    """Yield for each curve of RPO how often and for how long limits were exceeded."""
    for protection in result.protections:
        for column in protection.columns:
            if not column.exceedances:
                continue
            name = protection.name if column is protection else f"{protection.name}@{column.name}"
            rows = tuple(
                (
                    f"{CLASS_NAMES[item.consistency]}, RPO above {duration_text(item.limit_s)}",
                    f"{item.count:,}" if item.count else "never",
                    duration_text(item.total_s) if item.count else "",
                    f"{item.share:.2%}" if item.count else "",
                    duration_text(item.longest_s) if item.count else "",
                    duration_text(item.peak_s),
                )
                for item in column.exceedances
            )
            yield Table(
                f"{name}: had a limit been lower or higher",
                columns("Limit", ">Times", ">In all", ">Share", ">Longest", ">Highest RPO"),
                rows,
            )
