"""The differences of two documents on a terminal, and as a JSON document."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TextIO

from reports.comparing import Change, Differences, FigureChange, ThresholdChange
from reports.durations import count_text
from reports.headline import value_text
from reports.page import Page, Rows, print_page
from reports.verdicts import Verdict

_STYLES = {Change.BETTER: "green", Change.WORSE: "bold red", Change.OTHER: "yellow"}


def print_differences(
    differences: Differences,
    names: tuple[str, str],
    *,
    everything: bool = False,
    file: TextIO | None = None,
    width: int | None = None,
) -> None:
    """Prints what differs between two documents.

    Args:
        differences: of the first document and the second.
        names: what to call the two.
        everything: list also what is the same.
        file: where to; standard output when left out.
        width: columns; the terminal's own when left out.
    """

    def write(page: Page) -> None:
        page.heading(f"{names[0]} -> {names[1]}")
        for note in differences.notes:
            page.line(note, "yellow")
        _write_thresholds(page, differences.thresholds)
        _write_figures(page, differences.figures, everything=everything)
        _write_wall_clock(page, differences.figures)

    print_page(write, file=file, width=width)


def _write_thresholds(page: Page, thresholds: Sequence[ThresholdChange]) -> None:
    if not thresholds:
        return
    page.heading("Thresholds")
    cells = any(item.cell for item in thresholds)
    rows: Rows = [
        (
            *([item.cell] if cells else []),
            item.metric,
            item.expr,
            _verdict_text(item.before),
            value_text(item.observed_before, item.unit),
            _verdict_text(item.after),
            value_text(item.observed_after, item.unit),
            page.text(item.change.value, _STYLES.get(item.change, "")),
        )
        for item in thresholds
    ]
    columns = ("metric", "limit", "before", "observed>", "after", "observed>", "change")
    page.table((*(["cell"] if cells else []), *columns), rows)


def _verdict_text(verdict: Verdict | None) -> str:
    return "none" if verdict is None else verdict.value.replace("_", " ")


def _write_figures(page: Page, figures: Sequence[FigureChange], *, everything: bool) -> None:
    exact = [item for item in figures if item.is_exact]
    shown = [item for item in exact if everything or item.change is not Change.SAME]
    same = len(exact) - len([item for item in exact if item.change is not Change.SAME])
    page.heading("Figures")
    if shown:
        cells = any(item.cell for item in shown)
        rows: Rows = [
            (
                *([item.cell] if cells else []),
                item.name,
                value_text(item.before, item.unit),
                value_text(item.after, item.unit),
                difference_text(item),
                page.text(_change_text(item), _STYLES.get(item.change, "")),
            )
            for item in shown
        ]
        columns = ("figure", "before>", "after>", "difference>", "change")
        page.table((*(["cell"] if cells else []), *columns), rows)
    if not everything:
        page.line(f"{count_text(same, 'figure')} the same", "dim")


def difference_text(item: FigureChange) -> str:
    """By how much a figure changed, with its sign, and in percent where that has a meaning."""
    if item.before is None or item.after is None or item.before == item.after:
        return ""
    difference = item.after - item.before
    sign = "+" if difference > 0 else "-"
    text = f"{sign}{value_text(abs(difference), item.unit)}"
    return f"{text} ({difference / abs(item.before):+.1%})" if item.before else text


def _change_text(item: FigureChange) -> str:
    if item.runs < 2:
        return item.change.value
    return (
        f"{item.change.value} ({item.runs_worse} worse, {item.runs_better} better of {item.runs})"
    )


def _write_wall_clock(page: Page, figures: Sequence[FigureChange]) -> None:
    for item in figures:
        if not item.is_exact and item.before is not None and item.after is not None:
            cell = f" of {item.cell}" if item.cell else ""
            page.line(
                f"real time{cell}: {value_text(item.before, 's')} -> {value_text(item.after, 's')}"
                " (of the machine; not judged)",
                "dim",
            )


def differences_document(differences: Differences, names: tuple[str, str]) -> dict[str, object]:
    """The differences as a JSON document."""
    return {
        "version": 1,
        "kind": "comparison",
        "before": names[0],
        "after": names[1],
        "is_worse": differences.is_worse,
        "has_worse_thresholds": differences.has_worse_thresholds,
        "notes": list(differences.notes),
        "thresholds": [asdict(item) for item in differences.thresholds],
        "figures": [asdict(item) for item in differences.figures],
    }
