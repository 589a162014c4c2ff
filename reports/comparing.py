"""What differs between two documents: every threshold and every figure, matched by cell and seed.

Figures in simulated time are exact for a seed, so that any difference is real. Runs are matched by
cell and seed; where the two have no seed in common, all runs of a cell stand against all, and the
comparison says so: chance has its part then. Real time is shown and never judged.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reports.figures import Better, Figure, figures_of
from reports.model import Result
from reports.placed_runs import PlacedRun, placed_runs
from reports.study import Study
from reports.verdicts import ThresholdResult, Verdict

# From the worst to the best; what was not exercised says less than what is still open.
_ORDER = (Verdict.MISSED, Verdict.NOT_EXERCISED, Verdict.INCONCLUSIVE, Verdict.MET)


class Change(StrEnum):
    """What became of something from the first document to the second."""

    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    OTHER = "other"
    """Different, and neither better nor worse."""
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure in both documents; the mean over the matched runs where there are several.

    Attributes:
        cell: of the matrix; empty without one.
        name: as 'cdp.rpo max'.
        unit: of both values.
        before: in the first document, None where it is only in the second.
        after: in the second, None where it is only in the first.
        change: what became of it.
        runs: matched runs, and of these, the better and the worse.
        is_exact: whether it is in simulated time; if not, it is not judged.
    """

    cell: str
    name: str
    unit: str
    before: float | None
    after: float | None
    change: Change
    runs: int
    runs_better: int
    runs_worse: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class ThresholdChange:
    """One threshold in both documents."""

    cell: str
    metric: str
    expr: str
    unit: str
    before: Verdict | None
    after: Verdict | None
    observed_before: float | None
    observed_after: float | None
    change: Change


@dataclass(frozen=True, slots=True)
class Differences:
    """Everything that differs between two documents, and what does not."""

    thresholds: tuple[ThresholdChange, ...]
    figures: tuple[FigureChange, ...]
    notes: tuple[str, ...]

    @property
    def is_worse(self) -> bool:
        """Whether a figure in simulated time, or a verdict, got worse."""
        return self.has_worse_thresholds or any(
            item.change is Change.WORSE and item.is_exact for item in self.figures
        )

    @property
    def has_worse_thresholds(self) -> bool:
        """Whether the verdict of a threshold got worse."""
        return any(item.change is Change.WORSE for item in self.thresholds)


def compare_documents(before: Result | Study, after: Result | Study) -> Differences:
    """Compares two documents, the first being what the second is held against."""
    first, second = placed_runs(before), placed_runs(after)
    cells = list(dict.fromkeys(run.cell for run in [*first, *second]))
    figures = [
        change
        for cell in cells
        for change in _cell_changes(cell, _of_cell(first, cell), _of_cell(second, cell))
    ]
    thresholds = list(_threshold_changes(_thresholds(before), _thresholds(after)))
    notes = _notes(before, after, first, second)
    return Differences(tuple(thresholds), tuple(figures), tuple(notes))


def _of_cell(runs: Sequence[PlacedRun], cell: str) -> dict[int, dict[str, Figure]]:
    """The figures of a cell's runs, by seed and by name."""
    return {
        run.result.seed: {figure.name: figure for figure in figures_of(run.result)}
        for run in runs
        if run.cell == cell
    }


_BySeed = dict[int, dict[str, Figure]]


def _cell_changes(cell: str, first: _BySeed, second: _BySeed) -> Iterator[FigureChange]:
    common = sorted(first.keys() & second.keys())
    if first and second and common:
        first = {seed: first[seed] for seed in common}
        second = {seed: second[seed] for seed in common}
    names = dict.fromkeys(name for run in [*first.values(), *second.values()] for name in run)
    for name in names:
        before = {seed: run[name] for seed, run in first.items() if name in run}
        after = {seed: run[name] for seed, run in second.items() if name in run}
        yield _figure_change(cell, name, before, after)


def _figure_change(
    cell: str, name: str, before: dict[int, Figure], after: dict[int, Figure]
) -> FigureChange:
    example = next(iter([*after.values(), *before.values()]))
    pairs = [
        _judged(before[seed].value, after[seed].value, example.better)
        for seed in sorted(before.keys() & after.keys())
    ]
    mean_before, mean_after = _mean(before), _mean(after)
    return FigureChange(
        cell=cell,
        name=name,
        unit=example.unit,
        before=mean_before,
        after=mean_after,
        change=_change(mean_before, mean_after, example.better),
        runs=len(pairs),
        runs_better=pairs.count(Change.BETTER),
        runs_worse=pairs.count(Change.WORSE),
        is_exact=example.is_exact,
    )


def _mean(figures: dict[int, Figure]) -> float | None:
    if not figures:
        return None
    return round(math.fsum(item.value for item in figures.values()) / len(figures), 9)


def _change(before: float | None, after: float | None, better: Better) -> Change:
    if before is None:
        return Change.ADDED
    return Change.REMOVED if after is None else _judged(before, after, better)


def _judged(before: float, after: float, better: Better) -> Change:
    if before == after:
        return Change.SAME
    if better is Better.NEITHER:
        return Change.OTHER
    return Change.WORSE if (after > before) == (better is Better.LOWER) else Change.BETTER


_Thresholds = dict[tuple[str, str, str], ThresholdResult]


def _thresholds(document: Result | Study) -> _Thresholds:
    """Every threshold of a document by cell, metric and limit."""
    if isinstance(document, Result):
        cells = [("", document.thresholds)]
    else:
        cells = [(cell.name if cell.settings else "", cell.thresholds) for cell in document.cells]
    return {(cell, item.metric, item.expr): item for cell, found in cells for item in found}


def _threshold_changes(before: _Thresholds, after: _Thresholds) -> Iterator[ThresholdChange]:
    for key in dict.fromkeys([*before, *after]):
        cell, metric, expr = key
        old, new = before.get(key), after.get(key)
        example = new or old
        assert example is not None, "the key is of one of them"
        yield ThresholdChange(
            cell=cell,
            metric=metric,
            expr=expr,
            unit=example.unit,
            before=None if old is None else old.verdict,
            after=None if new is None else new.verdict,
            observed_before=None if old is None else old.observed,
            observed_after=None if new is None else new.observed,
            change=_verdict_change(old, new),
        )


def _verdict_change(old: ThresholdResult | None, new: ThresholdResult | None) -> Change:
    if old is None:
        return Change.ADDED
    if new is None:
        return Change.REMOVED
    if old.verdict is new.verdict:
        return Change.SAME
    got_worse = _ORDER.index(new.verdict) < _ORDER.index(old.verdict)
    return Change.WORSE if got_worse else Change.BETTER


def _notes(
    before: Result | Study,
    after: Result | Study,
    first: Sequence[PlacedRun],
    second: Sequence[PlacedRun],
) -> Iterator[str]:
    if before.scenario.title != after.scenario.title:
        yield f"the scenarios differ: '{before.scenario.title}' and '{after.scenario.title}'"
    if before.program != after.program:
        yield f"the programs differ: {before.program} and {after.program}"
    seeds = {run.result.seed for run in first}, {run.result.seed for run in second}
    if not seeds[0] & seeds[1]:
        yield "no seed is in both: chance has its part in every difference"
    elif seeds[0] != seeds[1]:
        yield f"only the {len(seeds[0] & seeds[1])} seeds that both have are compared"
    if before.digests.effects == after.digests.effects:
        yield "both had the same effects: nothing but real time differs"
