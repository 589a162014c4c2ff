"""Which choice of a study meets a target, and in how many of its cases."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reports.model import Result
from reports.study import Cell, Study
from reports.verdicts import ThresholdResult, Verdict

SHARES_PERCENT = (100, 99, 95, 90)


class Attained(NamedTuple):
    """How often one cell met a target; `within` is the share of time that RPO was in its limit.

    `within` is None for a target that is not a highest RPO.
    """

    cell: str
    met: int
    runs: int
    within: float | None = None

    def attains(self, percent: int) -> bool:
        """Whether the target was met in at least such a share of the runs."""
        return self.met * 100 >= percent * self.runs


class Attainment(NamedTuple):
    """One target over all cells, in their order; `target` is empty for all targets together."""

    target: str
    cells: tuple[Attained, ...]

    def meeting(self, percent: int) -> list[str]:
        """The cells that meet the target in at least such a share of their runs."""
        return [cell.cell for cell in self.cells if cell.attains(percent)]


def attainments(study: Study) -> Iterator[Attainment]:
    """Yield all targets together, and each of them where there are several."""
    together = [Attained(cell.name, cell.runs_met, len(cell.runs)) for cell in study.cells]
    yield Attainment("", tuple(together))
    targets = list(dict.fromkeys(_targets(study)))
    if len(targets) > 1:
        for metric, expr in targets:
            cells = tuple(_attained(cell, metric, expr) for cell in study.cells)
            yield Attainment(f"{metric} {expr}", cells)


def runs_to_tell(percent: int) -> int:
    """How many runs it takes before one miss is less than the rest of such a share."""
    return 1 if percent == 100 else -(-100 // (100 - percent))


def _targets(study: Study) -> Iterator[tuple[str, str]]:
    for run in study.runs:
        for item in run.thresholds:
            yield item.metric, item.expr


def _attained(cell: Cell, metric: str, expr: str) -> Attained:
    judged = [item for run in cell.runs for item in _judged(run, metric, expr)]
    met = sum(item.verdict is Verdict.MET for item in judged)
    shares = [within for run in cell.runs for within in _within(run, metric, expr)]
    return Attained(cell.name, met, len(cell.runs), sum(shares) / len(shares) if shares else None)


def _judged(run: Result, metric: str, expr: str) -> Sequence[ThresholdResult]:
    return [item for item in run.thresholds if (item.metric, item.expr) == (metric, expr)][:1]


def _within(run: Result, metric: str, expr: str) -> Iterator[float]:
    """The share of the time in which RPO kept to the threshold's limit."""
    name, _, of_owner = metric.rpartition(".")
    consistency = {"rpo": "any", "app_rpo": "app"}.get(of_owner)
    if consistency is None or "<" not in expr:
        return
    limits = {item.limit for item in _judged(run, metric, expr)}
    for protection in run.protections:
        for item in protection.exceedances if protection.name == name else ():
            if item.consistency == consistency and item.limit_s in limits:
                yield 1 - item.share
