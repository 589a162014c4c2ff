"""Faults that can never come, and thresholds that no run can decide."""

import math
from collections.abc import Iterator
from fractions import Fraction

from scenarios.conditions import Condition
from scenarios.doubts import Doubt, Doubted
from scenarios.draft import Draft
from scenarios.expressions import Expression, parse_expression
from scenarios.fault_checks import is_for_good
from scenarios.faults import AnyFault, LostLog, PowerCut, SiteLoss
from scenarios.findings import Path
from scenarios.grammar import QuantityError
from scenarios.metrics import MetricName, Sampling, parse_metric_name
from scenarios.phases import Span
from scenarios.protections import ContinuousDataProtection
from scenarios.quantities import spell_duration

_BELOW, _ABOVE = ("<", "<="), (">", ">=", "==")


def fault_doubts(draft: Draft) -> Iterator[Doubt]:
    """Faults that come after everything, or wait for what cannot be."""
    disaster_ns = _disaster_ns(draft)
    for index, fault in draft.faults.items():
        span = draft.span_of(fault)
        if span is not None and disaster_ns is not None and span.start_ns > disaster_ns:
            message = (
                "the fault never comes: the run ends with the loss of the mail server, "
                f"{spell_duration(disaster_ns)} after its start"
            )
            hint = "let it come before that"
            yield Doubt(Doubted.NEVER_FIRES, ("faults", index), message, hint)
        if fault.when is not None and (why := _impossible(draft, fault.when)):
            message = f"this can never be: {why}"
            yield Doubt(
                Doubted.NEVER_FIRES, ("faults", index, "when"), message, "write another limit"
            )


def _disaster_ns(draft: Draft) -> int | None:
    """When the mail server is lost for certain and for good."""
    instants = [
        span.start_ns
        for fault in draft.faults.values()
        if isinstance(fault, SiteLoss | PowerCut)
        and fault.site == draft.exchange_site
        and is_for_good(fault)
        and fault.probability == 1
        and fault.at is not None
        and (span := draft.span_of(fault)) is not None
        and span.length_ns
    ]
    return min(instants, default=None)


def _impossible(draft: Draft, condition: Condition) -> str:
    """Why a condition cannot become true; empty where it may."""
    protection = draft.protections.get(condition.protection)
    duration_ns = draft.duration_ns
    if not isinstance(protection, ContinuousDataProtection) or duration_ns is None:
        return ""
    spills = protection.overflow == "spill"
    if condition.quantity.name == "mode":
        needs_spill = condition.limit in ("spool", "metadata", "bitmap")
        return "with 'overflow: push_back' it stays in data" if needs_spill and not spills else ""
    assert not isinstance(condition.limit, str), "only a mode is a word"
    marks = protection.bookmarks
    most: dict[str, tuple[Fraction | int, str]] = {
        "pool": (1, "a pool is full at 100 %"),
        "rpo": (duration_ns, f"the run lasts {spell_duration(duration_ns)}"),
        "app_rpo": (duration_ns, f"the run lasts {spell_duration(duration_ns)}"),
        "backlog_age": (duration_ns, f"the run lasts {spell_duration(duration_ns)}"),
        "bookmarks": (
            0 if marks is None else duration_ns // marks.every_ns + 1,
            "no more bookmarks are made in the run",
        ),
    }
    if not spills:
        room = protection.pool_bytes
        most["backlog"] = (room, f"no more than the pool's {room >> 20} MiB can wait")
    limit, why = most.get(condition.quantity.name, (condition.limit, ""))
    is_beyond = condition.limit > limit or (condition.limit == limit and condition.operator == ">")
    return why if is_beyond and condition.operator in _ABOVE else ""


def threshold_doubts(draft: Draft) -> Iterator[Doubt]:
    """Thresholds without samples, of too few, and of what cannot be."""
    thresholds = draft.plain.get("thresholds")
    for text, expressions in (thresholds if isinstance(thresholds, dict) else {}).items():
        try:
            name = parse_metric_name(text)
            read = [parse_expression(expression) for expression in expressions]
        except (QuantityError, TypeError):
            continue  # reported as a value
        samples = _samples_max(draft, name)
        path: Path = ("thresholds", text)
        if samples == 0:
            message = f"'{text}' has no sample: {_why_none(name)}"
            yield Doubt(Doubted.NEVER_SAMPLED, path, message, _remedy(name))
            continue
        for index, expression in enumerate(read):
            if samples is not None:
                yield from _too_few((*path, index), expression, samples)
            yield from _unmeetable(draft, (*path, index), name, expression)


def _why_none(name: MetricName) -> str:
    if name.metric.sampling is Sampling.FAULT:
        return "no fault of the scenario is ever lifted"
    where = f" in the phase '{name.phase}'" if name.phase else ""
    what = "a bookmark" if name.metric.sampling is Sampling.BOOKMARK_RECOVERY else "a write"
    return f"nothing is recovered to {what}{where}"


def _remedy(name: MetricName) -> str:
    if name.metric.sampling is Sampling.FAULT:
        return "add a fault with a duration, such as a link_outage"
    if name.metric.sampling is Sampling.BOOKMARK_RECOVERY:
        return "write 'classes: [any, app]' under 'drills'"
    return "add 'drills: {every: 5 min}'"


def _samples_max(draft: Draft, name: MetricName) -> int | None:
    """The most samples that a run can have; None where nobody can tell."""
    if name.metric.sampling is Sampling.RUN or draft.duration_ns is None:
        return None
    if name.metric.sampling is Sampling.FAULT:
        return None if any(_is_lifted(fault) for fault in draft.faults.values()) else 0
    count = _recoveries(draft, name)
    return None if count is None else count * _runs(draft)


def _is_lifted(fault: AnyFault) -> bool:
    return not is_for_good(fault) and getattr(fault, "kind", "") not in _AT_ONCE


_AT_ONCE = ("bit_rot", "lost_write", "misdirected_write", "stale_snapshot")


def _recoveries(draft: Draft, name: MetricName) -> int | None:
    """How many recoveries of the metric's class a run can have, as far as that is certain."""
    duration_ns, start_ns = draft.duration_ns, draft.start_ns
    if duration_ns is None or start_ns is None or draft.replayed is not None:
        return None
    if any(_may_be_a_disaster(draft, fault) for fault in draft.faults.values()):
        return None  # it ends the drills, and is recovered from
    if draft.drills is None:
        return 0
    wanted = {Sampling.RECOVERY: "any", Sampling.BOOKMARK_RECOVERY: "app"}.get(name.metric.sampling)
    classes = draft.drills.classes
    span = draft.phase_spans.get(name.phase, Span(0, duration_ns + 1))
    times = {moment.after_start_ns(start_ns) for moment in draft.drills.at}
    if draft.drills.every_ns is not None:
        times |= set(range(draft.drills.every_ns, duration_ns, draft.drills.every_ns))
    count = sum(span.holds(time) for time in times if time < duration_ns)
    count += draft.drills.at_end and span.holds(duration_ns)
    return count * (len(classes) if wanted is None else classes.count(wanted))


def _may_be_a_disaster(draft: Draft, fault: AnyFault) -> bool:
    is_loss = isinstance(fault, SiteLoss | PowerCut) and fault.site == draft.exchange_site
    return is_loss or isinstance(fault, LostLog)


def _runs(draft: Draft) -> int:
    written = draft.plain.get("replications", 1)
    if isinstance(written, dict):
        written = written.get("count", 1)
    return written if isinstance(written, int) and written > 0 else 1


def _too_few(path: Path, expression: Expression, samples: int) -> Iterator[Doubt]:
    share = expression.percentile
    if share is None or expression.operator not in _BELOW:
        return
    needed = math.ceil(1 / (1 - share))
    if samples < needed:
        function = f"p({float(share * 100):g})"
        message = f"{function} of {samples} samples is their maximum: {needed} are needed"
        hint = f"drill {needed / samples:.1f} times as often, or write 'max'"
        yield Doubt(Doubted.TOO_FEW_SAMPLES, path, message, hint)


def _unmeetable(
    draft: Draft, path: Path, name: MetricName, expression: Expression
) -> Iterator[Doubt]:
    """Limits below the line's delay, and of bookmarks below the interval between them."""
    protection = draft.protections.get(name.protection)
    if not isinstance(protection, ContinuousDataProtection) or expression.function != "max":
        return
    if expression.operator not in _BELOW:
        return
    limit_ns, metric = expression.limit, name.metric.name
    delay_ns = _delay_ns(draft, protection)
    if metric == "exposure_max" and delay_ns is not None and limit_ns <= delay_ns:
        told = spell_duration(delay_ns)
        message = f"what was written is {told} old before it can be at the copy: the line's delay"
        yield Doubt(Doubted.CANNOT_BE_MET, path, message, f"write more than '{told}'")
    marks = protection.bookmarks
    if metric not in ("app_exposure_max", "app_rpo") or marks is None:
        return
    if draft.duration_ns is not None and marks.every_ns > draft.duration_ns:
        return
    if limit_ns <= marks.every_ns + (delay_ns or 0):
        every = spell_duration(marks.every_ns)
        message = (
            f"bookmarks every {every} are up to {every} old before the next, and "
            f"{spell_duration(marks.every_ns // 2)} in the mean: less cannot be promised"
        )
        hint = f"write more than '{every}', or make bookmarks more often"
        yield Doubt(Doubted.CANNOT_BE_MET, path, message, hint)


def _delay_ns(draft: Draft, protection: ContinuousDataProtection) -> int | None:
    home = draft.exchange_site
    delays = [
        link.latency_ns
        for link in draft.links.values()
        if home is not None and any(link.connects(home, copy.site) for copy in protection.copies)
    ]
    return min(delays, default=None)
