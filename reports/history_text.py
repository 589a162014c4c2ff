"""The history of runs on a terminal: entries, trends, and where a figure stepped."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TextIO

from reports.durations import count_text
from reports.headline import value_text
from reports.page import Page, print_page
from reports.sparkline import sparkline
from reports.store.records import Entry
from reports.store.trends import Step, Trend

ID_LETTERS = 8
COMMIT_LETTERS = 7
SPARKLINE_POINTS_MAX = 40
_NS_PER_SECOND = 1_000_000_000


def print_history(
    entries: Sequence[Entry],
    trends: Sequence[Trend],
    *,
    file: TextIO | None = None,
    width: int | None = None,
) -> None:
    """Prints entries, the newest first, and the trends of their figures.

    Args:
        entries: to list.
        trends: of the same runs.
        file: where to; standard output when left out.
        width: columns; the terminal's own when left out.
    """

    def write(page: Page) -> None:
        _write_entries(page, entries)
        _write_trends(page, trends)
        _write_steps(page, trends)

    print_page(write, file=file, width=width)


def time_text(kept_at_ns: int) -> str:
    """Calendar time to the minute, UTC: '2026-11-22 22:50Z'."""
    moment = dt.datetime.fromtimestamp(kept_at_ns // _NS_PER_SECOND, dt.UTC)
    return moment.strftime("%Y-%m-%d %H:%MZ")


def commit_text(entry: Entry) -> str:
    """The first letters of a commit, with a '+' where files had been changed."""
    commit = entry.commit[:COMMIT_LETTERS] or "no commit"
    return f"{commit}+" if entry.is_dirty else commit


def _write_entries(page: Page, entries: Sequence[Entry]) -> None:
    page.heading(f"Runs kept: {count_text(len(entries), 'entry', 'entries')}, the newest first")
    rows = [
        (
            entry.entry_id[:ID_LETTERS],
            time_text(entry.kept_at_ns),
            entry.scenario,
            entry.kind,
            entry.verdict.replace("_", " "),
            commit_text(entry),
            entry.branch,
        )
        for entry in entries
    ]
    page.table(("id", "when", "scenario", "kind", "verdict", "commit", "branch"), rows)


def _write_trends(page: Page, trends: Sequence[Trend]) -> None:
    if not trends:
        return
    page.heading("Trends, from the oldest to the newest")
    rows = [
        (
            _of_whom(trend),
            trend.name,
            seeds_text(trend.seeds),
            _sparkline(page, trend),
            value_text(trend.points[0].value, trend.unit),
            value_text(trend.points[-1].value, trend.unit),
            str(len(trend.points)),
        )
        for trend in trends
    ]
    page.table(("scenario", "figure", "seed", "trend", "first>", "now>", "n>"), rows)


def _of_whom(trend: Trend) -> str:
    return f"{trend.scenario} [{trend.cell}]" if trend.cell else trend.scenario


def _sparkline(page: Page, trend: Trend) -> str:
    values = [point.value for point in trend.points[-SPARKLINE_POINTS_MAX:]]
    return sparkline(values, ascii_only=page.ascii_only)


def seeds_text(seeds: Sequence[int]) -> str:
    """One seed as it is, several as their number."""
    return str(seeds[0]) if len(seeds) == 1 else f"{len(seeds)} seeds"


def _write_steps(page: Page, trends: Sequence[Trend]) -> None:
    exact = [trend for trend in trends if not trend.is_wall_clock]
    if not exact:
        return
    found = [(trend, step) for trend in exact for step in trend.steps]
    if not found:
        page.heading("No figure changed: each is the same to the last digit")
        return
    page.heading("Steps: the same seed gave another value, so each is real")
    for trend, step in sorted(found, key=lambda item: item[1].after.entry.kept_at_ns):
        page.line(step_sentence(trend, step))


def step_sentence(trend: Trend, step: Step) -> str:
    """What stepped, how, and what has it first."""
    before, after = step.before, step.after
    values = f"{value_text(before.value, trend.unit)} -> {value_text(after.value, trend.unit)}"
    where = (
        f"first in {after.entry.entry_id[:ID_LETTERS]} at {commit_text(after.entry)}"
        f" ({time_text(after.entry.kept_at_ns)}), not in {before.entry.entry_id[:ID_LETTERS]}"
        f" at {commit_text(before.entry)}"
    )
    whom = f"{_of_whom(trend)}: {trend.name}, {_seeds_phrase(trend.seeds)}"
    return f"{whom}: {values}{_judgement(trend, step)}; {where}{_causes(step)}."


def _seeds_phrase(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"mean of {len(seeds)} seeds"


def _judgement(trend: Trend, step: Step) -> str:
    if trend.better == "neither":
        return ""
    rose = step.after.value > step.before.value
    return " (worse)" if rose == (trend.better == "lower") else " (better)"


def _causes(step: Step) -> str:
    if not step.causes:
        return "; neither commit, program nor scenario changed: this run cannot be repeated"
    others = [cause for cause in step.causes if cause != "commit"]
    return f"; changed too: {', '.join(others)}" if others else ""


def history_document(
    entries: Sequence[Entry], trends: Sequence[Trend], store: str
) -> dict[str, object]:
    """The history as a JSON document."""
    return {
        "version": 1,
        "kind": "history",
        "store": store,
        "entries": [_entry_document(entry) for entry in entries],
        "trends": [_trend_document(trend) for trend in trends],
    }


def _entry_document(entry: Entry) -> dict[str, object]:
    kept_at = dt.datetime.fromtimestamp(entry.kept_at_ns // _NS_PER_SECOND, dt.UTC)
    return {
        "id": entry.entry_id,
        "kind": entry.kind,
        "kept_at": kept_at.isoformat().replace("+00:00", "Z"),
        "scenario": entry.scenario,
        "title": entry.title,
        "program": entry.program,
        "verdict": entry.verdict,
        "commit": entry.commit,
        "branch": entry.branch,
        "dirty": entry.is_dirty,
        "identity": entry.identity,
    }


def _trend_document(trend: Trend) -> dict[str, object]:
    return {
        "scenario": trend.scenario,
        "cell": trend.cell,
        "seeds": list(trend.seeds),
        "figure": trend.name,
        "unit": trend.unit,
        "better": trend.better,
        "points": [{"entry": point.entry.entry_id, "value": point.value} for point in trend.points],
        "steps": list(_step_documents(trend)),
    }


def _step_documents(trend: Trend) -> Iterator[dict[str, object]]:
    for step in trend.steps:
        yield {
            "before": step.before.value,
            "after": step.after.value,
            "last_without": step.before.entry.entry_id,
            "first_with": step.after.entry.entry_id,
            "commit": step.after.entry.commit,
            "causes": list(step.causes),
        }
