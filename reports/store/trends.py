"""Trends: how each figure of a scenario went from run to run, and where it stepped.

A line of a trend is one figure of one cell, run with the same seeds. In simulated time its value
is exact: as long as neither program nor scenario changes it stays the same to the last digit, so
that any step is real, and is told with the first commit that has it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from reports.figures import WALL_CLOCK, metric_of
from reports.store.records import Entry, StoredFigure, StoredRun

_Place = tuple[str, str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The value of a figure in one entry: the mean over the seeds where there are several."""

    entry: Entry
    value: float


@dataclass(frozen=True, slots=True)
class Step:
    """Two values of a figure that differ, one entry after the other.

    Attributes:
        before: the last point with the old value.
        after: the first point with the new one.
        causes: what else changed between the two: 'commit', 'branch', 'program', 'scenario',
            'uncommitted changes'; nothing when nothing that is known of did.
    """

    before: TrendPoint
    after: TrendPoint
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """One figure over time.

    Attributes:
        scenario: whose figure.
        cell: of its matrix; empty without one.
        seeds: of the runs.
        name: as 'cdp.rpo max'.
        unit: of the values.
        better: which way it gets better: 'lower', 'higher' or 'neither'.
        points: the oldest first.
        steps: where the value changed; none for real time, which is never the same.
    """

    scenario: str
    cell: str
    seeds: tuple[int, ...]
    name: str
    unit: str
    better: str
    points: tuple[TrendPoint, ...]
    steps: tuple[Step, ...]

    @property
    def is_wall_clock(self) -> bool:
        """Whether it is real time, which depends on the machine."""
        return self.name == WALL_CLOCK


def trends_of(runs: Sequence[StoredRun], metric: str | None = None) -> list[Trend]:
    """The trends of runs, those that were run most recently first.

    Args:
        runs: of any scenarios, the newest entry first, as `Store.runs` returns them.
        metric: a metric as 'cdp.rpo', or a figure as 'cdp.rpo max'; when left out, what thresholds
            limit, and of runs without thresholds everything.
    """
    by_place: dict[_Place, list[list[StoredRun]]] = {}
    for entry_runs in _by_entry(runs):
        for place, cell_runs in _by_cell(entry_runs):
            by_place.setdefault(place, []).append(cell_runs)
    return [
        trend for place, history in by_place.items() for trend in _trends_at(place, history, metric)
    ]


def _by_entry(runs: Sequence[StoredRun]) -> Iterator[list[StoredRun]]:
    for _, group in groupby(runs, key=lambda run: run.entry.entry_id):
        yield list(group)


def _by_cell(runs: Iterable[StoredRun]) -> Iterator[tuple[_Place, list[StoredRun]]]:
    cells: dict[str, list[StoredRun]] = {}
    for run in runs:
        cells.setdefault(run.cell, []).append(run)
    for cell, found in cells.items():
        seeds = tuple(sorted(run.seed for run in found))
        yield (found[0].entry.scenario, cell, seeds), found


def _trends_at(
    place: _Place, history: Sequence[list[StoredRun]], metric: str | None
) -> Iterator[Trend]:
    """The trends of one cell with the same seeds; `history` has the newest first."""
    scenario, cell, seeds = place
    for figure in _chosen(history[0], metric):
        points = tuple(
            TrendPoint(runs[0].entry, value)
            for runs in reversed(history)
            if (value := _mean(runs, figure.name)) is not None
        )
        steps = () if figure.name == WALL_CLOCK else tuple(_steps(points))
        yield Trend(scenario, cell, seeds, figure.name, figure.unit, figure.better, points, steps)


def _chosen(newest: Sequence[StoredRun], metric: str | None) -> list[StoredFigure]:
    figures = {figure.name: figure for run in newest for figure in run.figures.values()}
    everything = sorted(figures.values(), key=lambda figure: figure.name)
    if metric is not None:
        return [item for item in everything if metric in (item.name, metric_of(item.name))]
    limited = [figure for figure in everything if figure.is_limited]
    return limited or [item for item in everything if item.name != WALL_CLOCK]


def _mean(runs: Sequence[StoredRun], name: str) -> float | None:
    values = [run.figures[name].value for run in runs if name in run.figures]
    return round(math.fsum(values) / len(values), 9) if values else None


def _steps(points: Sequence[TrendPoint]) -> Iterator[Step]:
    for before, after in pairwise(points):
        if before.value != after.value:
            yield Step(before, after, tuple(_causes(before.entry, after.entry)))


def _causes(before: Entry, after: Entry) -> Iterator[str]:
    if before.commit != after.commit:
        yield "commit"
    if before.branch != after.branch:
        yield "branch"
    if before.program != after.program:
        yield "program"
    if before.scenario_digest != after.scenario_digest:
        yield "scenario"
    if before.is_dirty or after.is_dirty:
        yield "uncommitted changes"
