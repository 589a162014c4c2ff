"""From what happened to the figures of the report: RPO(t), thresholds, verdict, assumptions."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal

import scenarios
from reports import (
    Amount,
    Assumption,
    Curve,
    ProtectionResult,
    Recovery,
    ThresholdResult,
    Verdict,
    seconds,
)
from rpolab.exposure import backlog_curve, bookmark_results, exceedances
from rpolab.health_figures import health_figures
from rpolab.ledgers import Ledgers
from rpolab.protections.base import PointClass, PointSource, Protection
from rpolab.protections.kept_copy import KeptCopy
from scenarios import Evaluation, Measure, Scenario, Threshold, combine, evaluate
from sim.fault_plan import FaultOutcome

NS_PER_SECOND = 1_000_000_000
_RPO_METRICS: dict[PointClass, str] = {"any": "rpo", "app": "app_rpo"}
UNITS: dict[Measure, Literal["s", "bytes", "count"]] = {
    Measure.DURATION_NS: "s",
    Measure.SIZE_BYTES: "bytes",
    Measure.COUNT: "count",
}


def protection_result(
    protection: Protection,
    recoveries: Sequence[Recovery],
    ledgers: Ledgers,
    end_ns: int,
    limits_ns: Mapping[PointClass, Sequence[int]],
) -> ProtectionResult:
    """Return what one protection did until `end_ns`, with its RPO(t) by class.

    Before the first point of a class, RPO(t) is the age of the run.

    Args:
        protection: what kept the mail.
        recoveries: its recoveries in their order.
        ledgers: the truth.
        end_ns: the disaster, or the run's end.
        limits_ns: the limits of RPO to tell the exceedances of, by class.
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
    )


def _curve(copy: PointSource, consistency: PointClass, end_ns: int) -> Curve | None:
    points = copy.durable[consistency]
    return Curve.from_points(0, end_ns, points, 0) if points and end_ns > 0 else None


def rpo_limits_ns(scenario: Scenario, name: str) -> dict[PointClass, list[int]]:
    """Return the limits that the scenario sets on a protection's RPO, by class."""
    return {
        consistency: [
            threshold.expression.limit
            for threshold in scenario.threshold_list()
            if threshold.protection == name
            and threshold.metric == metric
            and threshold.expression.operator in ("<", "<=")
        ]
        for consistency, metric in _RPO_METRICS.items()
    }


def optional_seconds(time_ns: int | None) -> float | None:
    """Return an instant in seconds, where there is one."""
    return None if time_ns is None else seconds(time_ns)


def judge(
    scenario: Scenario, protections: Sequence[ProtectionResult]
) -> tuple[ThresholdResult, ...]:
    """Return the verdict of every threshold of the scenario."""
    return tuple(_judge(threshold, protections) for threshold in scenario.threshold_list())


def overall(judged: Sequence[ThresholdResult], faults: Sequence[FaultOutcome]) -> Verdict:
    """Return the run's verdict; a fault that was drawn and did not fire makes it not exercised."""
    verdict = Verdict(combine(scenarios.Verdict(item.verdict.value) for item in judged).value)
    unfired = any(outcome.chosen and not outcome.fired for outcome in faults)
    if verdict is Verdict.MET and unfired:
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
    per_unit = NS_PER_SECOND if UNITS[threshold.measure] == "s" else 1
    return round(float(value / per_unit), 9)


def samples_of(
    threshold: Threshold, protections: Sequence[ProtectionResult]
) -> tuple[list[int], int]:
    """Return a threshold's samples in one run, in base units, and how many could not be taken."""
    by_name = {protection.name: protection for protection in protections}
    return _samples(threshold.metric, by_name[threshold.protection].recoveries)


def _samples(metric: str, recoveries: Sequence[Recovery]) -> tuple[list[int], int]:
    """Return a metric's samples, and how many recoveries should have given one and did not.

    RPO and losses are those of recoveries to any write, and of disasters to whatever point the
    scenario recovers them to; drills of bookmarks count for `app_rpo` alone.
    """
    counted = {
        "refused": [int(recovery.outcome == "refused") for recovery in recoveries],
        "recovered": [int(recovery.outcome == "recovered") for recovery in recoveries],
        "phantom": [recovery.phantom for recovery in recoveries if recovery.lost is not None],
        "findings": [item.findings_count for item in recoveries if item.lost is not None],
        "damaged": [recovery.damaged for recovery in recoveries if recovery.lost is not None],
    }
    if metric in counted:
        return counted[metric], 0
    if metric == "app_rpo":
        relevant = [item for item in recoveries if item.consistency == "app"]
    else:
        relevant = [
            item for item in recoveries if item.consistency == "any" or item.cause == "disaster"
        ]
    values = [_value(metric, recovery) for recovery in relevant]
    samples = [value for value in values if value is not None]
    return samples, len(values) - len(samples)


def _value(metric: str, recovery: Recovery) -> int | None:
    if recovery.outcome != "recovered" or recovery.lost is None or recovery.rpo_s is None:
        return None
    reported_s = recovery.reported_rpo_s
    values = {
        "rpo": _nanoseconds(recovery.rpo_s),
        "app_rpo": _nanoseconds(recovery.rpo_s),
        "rto": _nanoseconds(recovery.rto_s),
        "lost_messages": recovery.lost.messages,
        "lost_bytes": recovery.lost.bytes,
        "reported_rpo_error": (
            None if reported_s is None else _nanoseconds(abs(reported_s - recovery.rpo_s))
        ),
    }
    return values[metric]


def _nanoseconds(length_s: float | None) -> int | None:
    return None if length_s is None else round(length_s * NS_PER_SECOND)
