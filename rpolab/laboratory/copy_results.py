"""From a protection and its copies to its part of the result: each copy's, and the best of all.

What a protection could give over the run is what the copies could that outlive the mail server's
site: a local copy is lost with it. Where no copy stands elsewhere, all count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import (
    Amount,
    CopyResult,
    Curve,
    FaultResult,
    LostMessage,
    ProtectionResult,
    Recovery,
    StageLoss,
)
from rpolab.laboratory.coverage import coverage
from rpolab.laboratory.exposure import backlog_curve, bookmark_results, exceedances
from rpolab.laboratory.health_figures import health_figures
from rpolab.laboratory.ledgers import Ledgers
from rpolab.laboratory.phase_figures import catch_ups, phase_figures
from rpolab.protections.base import PointClass, PointSource, Protection
from rpolab.protections.cdp import Cdp
from rpolab.protections.kept_copy import KeptCopy
from scenarios import Span

Durable = Mapping[PointClass, Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the figures of every copy are asked over.

    Attributes:
        end_ns: the disaster, or the run's end.
        limits_ns: the limits of RPO to tell the exceedances of, by class.
        phases: where each phase of the run lies.
        faults: what became of the faults.
    """

    end_ns: int
    limits_ns: Mapping[PointClass, Sequence[int]]
    phases: Mapping[str, Span]
    faults: Sequence[FaultResult]


def protection_result(
    protection: Protection,
    recoveries: Sequence[Recovery],
    recoveries_of: Mapping[str, Sequence[Recovery]],
    ledgers: Ledgers,
    asked: Asked,
) -> ProtectionResult:
    """Return what one protection did, with its RPO(t) by class.

    Before the first point of a class, RPO(t) is the age of the run.

    Args:
        protection: what kept the mail.
        recoveries: the best of its copies' recoveries, in their order.
        recoveries_of: all recoveries of each copy, by its name.
        ledgers: the truth.
        asked: what the figures are asked over.
    """
    copies = protection.copies
    outliving = [copy for copy in copies if not _is_local(copy)] or list(copies)
    head = outliving[0]
    results = [
        _copy_result(protection, copy, recoveries_of[copy.name], asked)
        for copy in copies
        if isinstance(copy, KeptCopy) and len(copies) > 1
    ]
    return ProtectionResult(
        name=protection.name,
        kind=protection.kind,
        acknowledged=Amount(messages=ledgers.acknowledged_count, bytes=ledgers.acknowledged_bytes),
        copies=tuple(results),
        **_history(protection, head, _best_of(outliving), recoveries, asked),
    )


def _copy_result(
    protection: Protection,
    copy: KeptCopy,
    recoveries: Sequence[Recovery],
    asked: Asked,
) -> CopyResult:
    return CopyResult(
        name=copy.title,
        site=copy.copy_site,
        role="local" if copy.is_local else "remote",
        state=copy.state,
        **_history(protection, copy, copy.durable, recoveries, asked),
    )


def _history(
    protection: Protection,
    copy: PointSource,
    durable: Durable,
    recoveries: Sequence[Recovery],
    asked: Asked,
) -> dict[str, Any]:
    """Return the fields of a KeptHistory."""
    end_ns, limits_ns = asked.end_ns, asked.limits_ns
    curve = _curve(durable["any"], end_ns)
    app_curve = _curve(durable["app"], end_ns)
    health = copy.health.report() if isinstance(copy, KeptCopy) else None
    attempts = protection.bookmarks.results if isinstance(protection, Cdp) else []
    return {
        "recoveries": tuple(recoveries),
        "rpo": None if curve is None else curve.statistics(),
        "curve": () if curve is None else curve.vertices(),
        "app_rpo": None if app_curve is None else app_curve.statistics(),
        "app_curve": () if app_curve is None else app_curve.vertices(),
        "health": None if health is None else health_figures(health),
        "backlog": backlog_curve(copy, end_ns),
        "bookmarks": bookmark_results(attempts, durable["app"]),
        "exceedances": (
            *exceedances("any", curve, limits_ns["any"]),
            *exceedances("app", app_curve, limits_ns["app"]),
        ),
        "phases": phase_figures(asked.phases, {"any": curve, "app": app_curve}, limits_ns),
        "catch_ups": catch_ups(curve, asked.faults),
        "coverage": coverage(copy, end_ns) if isinstance(copy, KeptCopy) else (),
        "loss_by_stage": loss_by_stage(recoveries),
    }


def _is_local(copy: PointSource) -> bool:
    return isinstance(copy, KeptCopy) and copy.is_local


def _best_of(copies: Sequence[PointSource]) -> Durable:
    """Return the advances of the newest point that any of the copies has."""
    if len(copies) == 1:
        return copies[0].durable
    classes: tuple[PointClass, ...] = ("any", "app")
    return {
        consistency: _merged([copy.durable[consistency] for copy in copies])
        for consistency in classes
    }


def _merged(histories: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for at_ns, source_ns in sorted(advance for history in histories for advance in history):
        if not merged or source_ns > merged[-1][1]:
            merged.append((at_ns, source_ns))
    return merged


def _curve(points: Sequence[tuple[int, int]], end_ns: int) -> Curve | None:
    return Curve.from_points(0, end_ns, points, 0) if points and end_ns > 0 else None


def loss_by_stage(recoveries: Sequence[Recovery]) -> tuple[StageLoss, ...]:
    """Return what the disaster's recovery lost, by where it was then; nothing without a disaster.

    It is the last recovery of a disaster that came back: after a refusal the nearest point's.
    """
    disasters = [
        item for item in recoveries if item.cause == "disaster" and item.outcome == "recovered"
    ]
    stages: dict[str, list[LostMessage]] = {}
    for message in disasters[-1].lost_messages_list if disasters else ():
        stages.setdefault(message.stage, []).append(message)
    return tuple(
        StageLoss(
            stage=stage,
            messages=len(messages),
            bytes=sum(message.bytes for message in messages),
            came_back=sum(bool(message.came_back) for message in messages),
            by=next((message.came_back for message in messages if message.came_back), ""),
        )
        for stage, messages in stages.items()
    )
