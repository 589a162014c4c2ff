"""The named figures of a result: what runs are compared by, and which way each is better.

All but `wall_s` are in simulated time and therefore exact: the same seed gives the same value, and
any difference is real. `wall_s` depends on the machine; it is told, and never judged.
"""

import math
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

from reports.copies import KeptHistory
from reports.model import ProtectionResult, Result
from reports.records import RpoStatistics
from reports.recoveries import Recovery
from reports.verdicts import ThresholdResult

Unit = Literal["s", "bytes", "count", "share"]
WALL_CLOCK = "wall_s"
_OPERATOR = re.compile(r"\s*(<=|>=|==|<|>)")


class Better(StrEnum):
    """Which way a figure gets better."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


class Figure(NamedTuple):
    """One figure of one run, such as 'cdp.rpo max', in its unit."""

    name: str
    value: float
    unit: Unit
    better: Better = Better.LOWER

    @property
    def is_exact(self) -> bool:
        """Whether the same seed gives the same value on any machine."""
        return self.name != WALL_CLOCK


def figures_of(result: Result) -> list[Figure]:
    """All figures of a run, each name once: those of its thresholds, then of its protections.

    Which way a known figure is better is known; of others the threshold's sign says it.
    """
    limited = {figure.name: figure for figure in _of_thresholds(result.thresholds)}
    known = {
        figure.name: figure
        for protection in result.protections
        for name, column in _columns(protection)
        for figure in _of_column(name, column)
    }
    first = [
        figure._replace(better=known[name].better) if name in known else figure
        for name, figure in limited.items()
    ]
    rest = [figure for name, figure in known.items() if name not in limited]
    return [*first, *rest, Figure(WALL_CLOCK, result.wall_s, "s")]


def metric_of(name: str) -> str:
    """The metric of a figure's name: 'cdp.rpo' of 'cdp.rpo p(95)'."""
    return name.rpartition(" ")[0] or name


def name_of(threshold: ThresholdResult) -> str:
    """The name of the figure that a threshold limits: 'cdp.rpo max' of 'cdp.rpo', 'max < 60 s'."""
    function = _OPERATOR.split(threshold.expr, maxsplit=1)[0]
    return f"{threshold.metric} {''.join(function.split())}"


def _of_thresholds(thresholds: Sequence[ThresholdResult]) -> Iterator[Figure]:
    for threshold in thresholds:
        if threshold.observed is not None:
            better = _wanted(threshold.expr)
            yield Figure(name_of(threshold), threshold.observed, threshold.unit, better)


def _wanted(expression: str) -> Better:
    operator = _OPERATOR.search(expression)
    sign = operator.group(1) if operator else "=="
    if sign == "==":
        return Better.NEITHER
    return Better.LOWER if "<" in sign else Better.HIGHER


def _columns(protection: ProtectionResult) -> Iterator[tuple[str, KeptHistory]]:
    """A protection and each of its copies, by the names that thresholds call them by."""
    yield protection.name, protection
    for copy in protection.copies:
        yield f"{protection.name}@{copy.name}", copy


def _of_column(name: str, column: KeptHistory) -> Iterator[Figure]:
    recoveries = column.recoveries
    relevant = [
        recovery
        for recovery in recoveries
        if recovery.consistency == "any" or recovery.cause == "disaster"
    ]
    yield from _of_recoveries(name, relevant)
    ages_s = [
        recovery.rpo_s
        for recovery in recoveries
        if recovery.consistency == "app" and recovery.rpo_s is not None
    ]
    yield from _extremes(f"{name}.app_rpo", ages_s)
    for outcome, better in (("recovered", Better.HIGHER), ("refused", Better.LOWER)):
        count = sum(recovery.outcome == outcome for recovery in recoveries)
        yield Figure(f"{name}.{outcome} sum", count, "count", better)
    failed = sum(recovery.outcome == "failed" for recovery in recoveries)
    yield Figure(f"{name}.failed sum", failed, "count")
    yield from _over_time(f"{name}.rpo(t)", column.rpo)
    yield from _over_time(f"{name}.app_rpo(t)", column.app_rpo)


def _of_recoveries(name: str, recoveries: Sequence[Recovery]) -> Iterator[Figure]:
    good = [recovery for recovery in recoveries if recovery.outcome == "recovered"]
    yield from _extremes(f"{name}.rpo", [item.rpo_s for item in good if item.rpo_s is not None])
    yield from _extremes(f"{name}.rto", [item.rto_s for item in good if item.rto_s is not None])
    losses = [item.lost for item in good if item.lost is not None]
    if losses:
        yield Figure(f"{name}.lost_messages max", max(loss.messages for loss in losses), "count")
        yield Figure(f"{name}.lost_bytes max", max(loss.bytes for loss in losses), "bytes")
        yield Figure(f"{name}.phantom sum", sum(item.phantom for item in good), "count")
        yield Figure(f"{name}.damaged sum", sum(item.damaged for item in good), "count")
    flattery_s = [item.reported_better_than_true_s for item in good]
    if flattery_s:
        yield Figure(f"{name}.reported_better_than_true max", max(flattery_s), "s")


def _extremes(metric: str, values_s: Sequence[float]) -> Iterator[Figure]:
    if values_s:
        yield Figure(f"{metric} max", max(values_s), "s")
        yield Figure(f"{metric} mean", round(math.fsum(values_s) / len(values_s), 9), "s")


def _over_time(metric: str, statistics: RpoStatistics | None) -> Iterator[Figure]:
    if statistics is not None:
        yield Figure(f"{metric} max", statistics.max_s, "s")
        yield Figure(f"{metric} p(99)", statistics.p99_s, "s")
        yield Figure(f"{metric} p(95)", statistics.p95_s, "s")
        yield Figure(f"{metric} mean", statistics.mean_s, "s")
