"""The samples of a metric in one run, from what its result holds: scenarios/metrics.py says which.

A share is counted in parts of a billion, so that samples are whole numbers like all others.
"""

from collections.abc import Callable, Iterable, Sequence

from reports import KeptHistory, ProtectionResult, Recovery, RpoStatistics
from scenarios import SHARE_PARTS, MetricName, Sampling, Span

Samples = tuple[list[int], int]
"""The samples, and how many should have been taken and could not."""

NS_PER_SECOND = 1_000_000_000
ORDERED_MODES = ("data", "spool")
STEPS = {
    "detect": "detect",
    "decide": "decide",
    "fence": "fence",
    "image": "make the image",
    "verify": "verify",
    "replay": "replay",
    "mount": "mount",
    "mailboxes": "point mailboxes",
    "directory": "directory",
    "dns": "DNS",
    "clients": "clients",
}
"""How the step of a recovery that a metric names begins."""


def metric_samples(
    name: MetricName, span: Span | None, protections: Sequence[ProtectionResult]
) -> Samples:
    """Return the samples of a metric.

    Args:
        name: the metric, with its protection and copy.
        span: the phase that it is restricted to, None for the whole run.
        protections: those of the run's result.
    """
    history = _history(name, protections)
    if name.metric.sampling is Sampling.FAULT:
        return _catch_ups(history, span)
    if name.metric.sampling is not Sampling.RUN:
        recoveries = [item for item in history.recoveries if _is_in(span, item.at_s)]
        return _of_recoveries(name, recoveries)
    value = _of_run(name, history, span)
    return ([], 1) if value is None else ([value], 0)


def _history(name: MetricName, protections: Sequence[ProtectionResult]) -> KeptHistory:
    """Return what the protection did, or the copy that is named; a single one is the same."""
    protection = next(item for item in protections if item.name == name.protection)
    for copy in protection.copies:
        if name.copy in (copy.name, copy.site):
            return copy
    return protection


def _is_in(span: Span | None, at_s: float) -> bool:
    return span is None or span.holds(_nanoseconds(at_s))


def _of_recoveries(name: MetricName, recoveries: Iterable[Recovery]) -> Samples:
    """Return one sample of each recovery that counts for the metric.

    RPO and losses are those of recoveries to any write, and of disasters to whatever point the
    scenario recovers them to; drills of bookmarks count for `app_rpo` alone.
    """
    metric = name.metric.name
    match name.metric.sampling:
        case Sampling.EVERY_RECOVERY:
            return [int(item.outcome == metric) for item in recoveries], 0
        case Sampling.OPENED:
            counted = [_counted(metric, item) for item in recoveries if item.lost is not None]
            return counted, 0
        case Sampling.BOOKMARK_RECOVERY:
            relevant = [item for item in recoveries if item.consistency == "app"]
        case _:
            relevant = [
                item for item in recoveries if item.consistency == "any" or item.cause == "disaster"
            ]
    values = [_value(metric, recovery) for recovery in relevant]
    samples = [value for value in values if value is not None]
    return samples, len(values) - len(samples)


def _counted(metric: str, recovery: Recovery) -> int:
    counts = {
        "phantom": recovery.phantom,
        "damaged": recovery.damaged,
        "findings": recovery.findings_count,
    }
    return counts[metric]


def _value(metric: str, recovery: Recovery) -> int | None:
    lost = recovery.lost
    if recovery.outcome != "recovered" or lost is None or recovery.rpo_s is None:
        return None
    if metric.startswith("rto."):
        return _step(metric.removeprefix("rto."), recovery)
    reported_s = recovery.reported_rpo_s
    error_s = None if reported_s is None else abs(reported_s - recovery.rpo_s)
    values = {
        "rpo": _nanoseconds(recovery.rpo_s),
        "app_rpo": _nanoseconds(recovery.rpo_s),
        "rto": _optional(recovery.rto_s),
        "lost_messages": lost.messages,
        "lost_bytes": lost.bytes,
        "lost_logs": lost.logs,
        "lost_mailboxes": len({message.mailbox for message in recovery.lost_messages_list}),
        "reported_rpo_error": _optional(error_s),
    }
    return values[metric]


def _step(step: str, recovery: Recovery) -> int | None:
    found = [item.seconds for item in recovery.rto_steps if item.step.startswith(STEPS[step])]
    return _nanoseconds(sum(found)) if found else None


def _catch_ups(history: KeptHistory, span: Span | None) -> Samples:
    lengths = [item.length_s for item in history.catch_ups if _is_in(span, item.from_s)]
    samples = [_nanoseconds(length_s) for length_s in lengths if length_s is not None]
    return samples, len(lengths) - len(samples)


def _of_run(name: MetricName, history: KeptHistory, span: Span | None) -> int | None:
    metric = name.metric.name
    if "exposure_" in metric or metric.endswith("rpo_not_met"):
        return _exposure(name, history, span)
    if metric in _OF_BOOKMARKS:
        taken = [item.taken for item in history.bookmarks if _is_in(span, item.at_s)]
        return sum(taken) if metric == "bookmarks_made" else len(taken) - sum(taken)
    if metric.endswith("coverage"):
        return _coverage("app" if metric.startswith("app_") else "any", history)
    if metric == "backlog_max" and span is not None:
        return max(
            (int(size) for at_s, size in history.backlog if _is_in(span, at_s)), default=None
        )
    return None if history.health is None else _OF_HEALTH[metric](history)


def _exposure(name: MetricName, history: KeptHistory, span: Span | None) -> int | None:
    """Return a figure of RPO(t); it is exact, as the whole curve was at hand when it was made."""
    metric = name.metric.name
    is_app = metric.startswith("app_")
    if span is None:
        statistics = history.app_rpo if is_app else history.rpo
        exceedances = history.exceedances
    else:
        phase = next(
            (item for item in history.phases if _nanoseconds(item.from_s) == span.start_ns), None
        )
        if phase is None:  # the disaster came before it
            return None
        statistics = phase.app_rpo if is_app else phase.rpo
        exceedances = phase.exceedances
    if name.limit_ns is not None:
        wanted = ("app" if is_app else "any", name.limit_ns)
        for item in exceedances:
            if (item.consistency, _nanoseconds(item.limit_s)) == wanted:
                return _nanoseconds(item.total_s)
        return None
    return None if statistics is None else _statistic(metric, statistics)


def _statistic(metric: str, statistics: RpoStatistics) -> int:
    values = {
        "max": statistics.max_s,
        "p99": statistics.p99_s,
        "p95": statistics.p95_s,
        "mean": statistics.mean_s,
    }
    return _nanoseconds(values[metric.rpartition("_")[2]])


def _coverage(consistency: str, history: KeptHistory) -> int | None:
    for item in history.coverage:
        if item.consistency == consistency and item.window_s:
            return round(item.recoverable_s / item.window_s * SHARE_PARTS)
    return None


def _unordered(history: KeptHistory) -> int:
    assert history.health is not None, "asked with health alone"
    modes = history.health.mode_s
    return _nanoseconds(sum(length for mode, length in modes.items() if mode not in ORDERED_MODES))


_OF_BOOKMARKS = ("bookmarks_made", "bookmarks_missed")


def _of_health(read: Callable[..., float]) -> Callable[[KeptHistory], int]:
    return lambda history: round(read(history.health))


_OF_HEALTH: dict[str, Callable[[KeptHistory], int]] = {
    "backlog_max": _of_health(lambda health: health.backlog_bytes_max),
    "backlog_age_max": _of_health(lambda health: _nanoseconds(health.backlog_s_max)),
    "throttled": _of_health(lambda health: _nanoseconds(health.throttled_s)),
    "unordered": _unordered,
    "gaps": _of_health(lambda health: health.gaps),
    "retention_window": _of_health(lambda health: _nanoseconds(health.window_s)),
    "alarms": _of_health(lambda health: len(health.alarms)),
    "sent_bytes": _of_health(lambda health: health.sent_wire_bytes),
}


def _optional(length_s: float | None) -> int | None:
    return None if length_s is None else _nanoseconds(length_s)


def _nanoseconds(length_s: float) -> int:
    return round(length_s * NS_PER_SECOND)
