"""RPO(t) phase by phase, and how long catching up took after each fault that was lifted."""

from collections.abc import Iterable, Mapping, Sequence

from reports import CatchUp, Curve, FaultResult, PhaseFigures, seconds
from rpolab.laboratory.exposure import exceedances
from rpolab.protections.base import PointClass
from scenarios import Span

NS_PER_SECOND = 1_000_000_000
BEFORE_NS = 60 * NS_PER_SECOND
"""A fault's catching up ends when RPO(t) is no higher than in this time before it struck."""

Curves = Mapping[PointClass, Curve | None]


def phase_figures(
    phases: Mapping[str, Span], curves: Curves, limits_ns: Mapping[PointClass, Sequence[int]]
) -> tuple[PhaseFigures, ...]:
    """Return the figures of each phase that the curves reach.

    Args:
        phases: where each lies.
        curves: RPO(t) of each class, None before the first point.
        limits_ns: limits of RPO to tell the exceedances of, by class.
    """
    return tuple(
        _figures(name, span, curves, limits_ns)
        for name, span in phases.items()
        if any(curve is not None and curve.end_ns > span.start_ns for curve in curves.values())
    )


def _figures(
    name: str, span: Span, curves: Curves, limits_ns: Mapping[PointClass, Sequence[int]]
) -> PhaseFigures:
    parts: dict[PointClass, Curve | None] = {
        consistency: None if curve is None else curve.between(span.start_ns, span.end_ns)
        for consistency, curve in curves.items()
    }
    to_ns = max(part.end_ns for part in parts.values() if part is not None)
    any_part, app_part = parts["any"], parts["app"]
    return PhaseFigures(
        name=name,
        from_s=seconds(span.start_ns),
        to_s=seconds(to_ns),
        rpo=None if any_part is None else any_part.statistics(),
        app_rpo=None if app_part is None else app_part.statistics(),
        exceedances=(
            *exceedances("any", any_part, limits_ns["any"]),
            *exceedances("app", app_part, limits_ns["app"]),
        ),
    )


def catch_ups(curve: Curve | None, faults: Iterable[FaultResult]) -> tuple[CatchUp, ...]:
    """Return how long catching up took after each fault that was lifted while mail went on."""
    if curve is None:
        return ()
    return tuple(
        _catch_up(curve, fault.kind, fault.fired_at_s, fault.lifted_at_s)
        for fault in faults
        if fault.fired_at_s is not None
        and fault.lifted_at_s is not None
        and round(fault.lifted_at_s * NS_PER_SECOND) < curve.end_ns
    )


def _catch_up(curve: Curve, kind: str, fired_s: float, lifted_s: float) -> CatchUp:
    fired_ns, lifted_ns = round(fired_s * NS_PER_SECOND), round(lifted_s * NS_PER_SECOND)
    before = curve.between(max(fired_ns - BEFORE_NS, curve.start_ns), fired_ns)
    level_ns = 0 if before is None else before.max_ns()
    reached_ns = curve.falls_to(level_ns, lifted_ns)
    return CatchUp(
        kind=kind,
        from_s=lifted_s,
        level_s=seconds(level_ns),
        length_s=None if reached_ns is None else seconds(reached_ns - lifted_ns),
    )
