"""From what happened to the figures of the report: RPO(t), thresholds, verdict, assumptions."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal

import scenarios
from reports import (
    Amount,
    Assumption,
    Curve,
    FaultResult,
    ProtectionResult,
    Recovery,
    ThresholdResult,
    Verdict,
    seconds,
    unfired,
)
from rpolab.exposure import backlog_curve, bookmark_results, exceedances
from rpolab.health_figures import health_figures
from rpolab.ledgers import Ledgers
from rpolab.metric_samples import metric_samples
from rpolab.phase_figures import catch_ups, phase_figures
from rpolab.protections.base import PointClass, PointSource, Protection
from rpolab.protections.kept_copy import KeptCopy
from scenarios import (
    SHARE_PARTS,
    Evaluation,
    Measure,
    Scenario,
    Span,
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


def protection_result(
    protection: Protection,
    recoveries: Sequence[Recovery],
    ledgers: Ledgers,
    end_ns: int,
    limits_ns: Mapping[PointClass, Sequence[int]],
    phases: Mapping[str, Span],
    faults: Sequence[FaultResult],
) -> ProtectionResult:
    """Return what one protection did until `end_ns`, with its RPO(t) by class.

    Before the first point of a class, RPO(t) is the age of the run.

    Args:
        protection: what kept the mail.
        recoveries: its recoveries in their order.
        ledgers: the truth.
        end_ns: the disaster, or the run's end.
        limits_ns: the limits of RPO to tell the exceedances of, by class.
        phases: where each phase of the run lies.
        faults: what became of the faults.
    """
    copy = protection.copies[0]
    curve = _curve(copy, "any", end_ns)
    app_curve = _curve(copy, "app", end_ns)
    health = copy.health.report() if isinstance(copy, KeptCopy) else None
    return ProtectionResult(
        name=protection.name,
        kind=protection.kind,
        acknowledged=Amount(messages=ledgers.acknowledged_count, bytes=ledgers.acknowledged_bytes),
        recoveries=tuple(recoveries),
        rpo=None if curve is None else curve.statistics(),
        curve=() if curve is None else curve.vertices(),
        app_rpo=None if app_curve is None else app_curve.statistics(),
        app_curve=() if app_curve is None else app_curve.vertices(),
        health=None if health is None else health_figures(health),
        backlog=backlog_curve(protection, end_ns),
        bookmarks=bookmark_results(protection),
        exceedances=(
            *exceedances("any", curve, limits_ns["any"]),
            *exceedances("app", app_curve, limits_ns["app"]),
        ),
        phases=phase_figures(phases, {"any": curve, "app": app_curve}, limits_ns),
        catch_ups=catch_ups(curve, faults),
    )


def _curve(copy: PointSource, consistency: PointClass, end_ns: int) -> Curve | None:
    points = copy.durable[consistency]
    return Curve.from_points(0, end_ns, points, 0) if points and end_ns > 0 else None


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


def optional_seconds(time_ns: int | None) -> float | None:
    """Return an instant in seconds, where there is one."""
    return None if time_ns is None else seconds(time_ns)


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
