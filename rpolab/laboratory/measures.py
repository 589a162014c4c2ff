"""From what happened to the figures of the report: RPO(t), thresholds, verdict, assumptions."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import scenarios
from reports import (
    Assumption,
    FaultResult,
    ProtectionResult,
    ThresholdResult,
    Verdict,
    unfired,
)
from rpolab.laboratory.metric_samples import metric_samples
from rpolab.protections.base import PointClass
from scenarios import (
    SHARE_PARTS,
    Evaluation,
    Measure,
    Scenario,
    Threshold,
    combine,
    evaluate,
)

NS_PER_SECOND = 1_000_000_000
_RPO_METRICS: dict[PointClass, str] = {"any": "rpo", "app": "app_rpo"}
UNITS: dict[Measure, Literal["s", "bytes", "count", "share"]] = {
    Measure.DURATION_NS: "s",
    Measure.SIZE_BYTES: "bytes",
    Measure.COUNT: "count",
    Measure.SHARE: "share",
}
PER_UNIT = {"s": NS_PER_SECOND, "share": SHARE_PARTS}
"""Base units in one unit of a result, where that is not the base unit itself."""


def rpo_limits_ns(scenario: Scenario, name: str) -> dict[PointClass, list[int]]:
    """Return the limits that the scenario sets on a protection's RPO, by class."""
    limits: dict[PointClass, list[int]] = {"any": [], "app": []}
    for threshold in scenario.threshold_list():
        consistency: PointClass = "app" if threshold.metric.startswith("app_") else "any"
        if threshold.protection != name:
            continue
        if threshold.limit_ns is not None:
            limits[consistency].append(threshold.limit_ns)
        is_upper = threshold.expression.operator in ("<", "<=")
        if is_upper and threshold.metric == _RPO_METRICS[consistency]:
            limits[consistency].append(threshold.expression.limit)
    return limits


def judge(
    scenario: Scenario, protections: Sequence[ProtectionResult]
) -> tuple[ThresholdResult, ...]:
    """Return the verdict of every threshold of the scenario."""
    return tuple(_judge(threshold, protections) for threshold in scenario.threshold_list())


def overall(judged: Sequence[ThresholdResult], faults: Sequence[FaultResult]) -> Verdict:
    """Return the run's verdict; a fault that was drawn and did not fire makes it not exercised."""
    verdict = Verdict(combine(scenarios.Verdict(item.verdict.value) for item in judged).value)
    if verdict is Verdict.MET and unfired(faults):
        return Verdict.NOT_EXERCISED
    return verdict


def disk_assumptions(scenario: Scenario) -> list[Assumption]:
    """Return what the disks of each site are taken for."""
    return [
        Assumption(
            name=f"disks at {name}",
            value=f"{site.disk.throughput_bytes_s >> 20} MiB/s, {site.disk.latency_ns // 10**6} ms",
            basis="assumption",
            source="scenario",
        )
        for name, site in scenario.sites.items()
    ]


def _judge(threshold: Threshold, protections: Sequence[ProtectionResult]) -> ThresholdResult:
    samples, unmeasured = samples_of(threshold, protections)
    return threshold_result(threshold, evaluate(threshold, samples, unmeasured=unmeasured))


def threshold_result(threshold: Threshold, evaluation: Evaluation) -> ThresholdResult:
    """Return a threshold's outcome in the units of a result."""
    observed = evaluation.observed
    return ThresholdResult(
        metric=threshold.name,
        expr=threshold.expression.text,
        observed=None if observed is None else in_unit(threshold, observed),
        unit=UNITS[threshold.measure],
        n=evaluation.samples,
        verdict=Verdict(evaluation.verdict.value),
        line=threshold.line,
        file=threshold.file,
        note=evaluation.note,
        limit=in_unit(threshold, threshold.expression.limit),
    )


def in_unit(threshold: Threshold, value: Fraction | float) -> float:
    """Return a value in base units as one in the unit of the threshold's result."""
    per_unit = PER_UNIT.get(UNITS[threshold.measure], 1)
    return round(float(value / per_unit), 9)


def samples_of(
    threshold: Threshold, protections: Sequence[ProtectionResult]
) -> tuple[list[int], int]:
    """Return a threshold's samples in one run, in base units, and how many could not be taken."""
    return metric_samples(threshold.target, threshold.span, protections)
