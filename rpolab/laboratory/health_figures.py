"""From the engine's report of its own health to the figures in the result of a run."""

from engine import Consistency, Health
from engine.health.rpo import RpoFigures
from engine.health.stages import Stage
from reports import CopyHealthFigures, HealthNote, RaisedAlarm, RpoStatistics, seconds


def health_figures(health: Health) -> CopyHealthFigures:
    """Return the health of a copy as the result shows it."""
    source = health.source
    assert source is not None, "in a laboratory both ends are known"
    bookmarks, clock_error_ns = health.bookmarks, health.clock.error_max_ns
    return CopyHealthFigures(
        at_s=seconds(health.at_ns),
        severity=health.severity.name.lower(),
        reported_rpo=_statistics(health.rpo[Stage.RECEIVED, Consistency.WRITE]),
        reported_app_rpo=_statistics(health.rpo[Stage.RECEIVED, Consistency.APP]),
        clock_error_s=None if clock_error_ns is None else seconds(clock_error_ns),
        app_points=health.points.available[Consistency.APP],
        bookmarks=(
            {} if bookmarks is None else {kind.value: n for kind, n in bookmarks.counts.items()}
        ),
        gaps=health.points.gap_count,
        window_s=seconds(health.retention.window_ns),
        backlog_bytes_max=source.backlog.size_bytes_max,
        backlog_s_max=seconds(source.backlog.oldest_ns_max),
        throttled_s=seconds(source.throttled.total_ns),
        mode_s={mode.value: seconds(spent) for mode, spent in source.capture.mode_ns.items()},
        sent_raw_bytes=source.sent_raw_bytes,
        sent_wire_bytes=source.sent_wire_bytes,
        rpo_stages={
            stage.value: {
                "any": _reached(health.rpo[stage, Consistency.WRITE]),
                "app": _reached(health.rpo[stage, Consistency.APP]),
            }
            for stage in Stage
        },
        retention_left_s=_optional(health.retention.left_ns),
        not_met_s=_optional(health.rpo[Stage.RECEIVED, Consistency.WRITE].not_met_ns),
        verified_until_s=(
            None
            if health.verification is None
            else _optional(health.verification.verified_until_ns)
        ),
        alarms=tuple(
            RaisedAlarm(
                name=alarm.name,
                severity=alarm.severity.name.lower(),
                message=alarm.message,
                hint=alarm.hint,
            )
            for alarm in health.alarms
        ),
        events=tuple(
            HealthNote(
                at_s=seconds(event.at_ns),
                name=event.name,
                change=event.change.value,
                severity=event.severity.name.lower(),
                message=event.message,
            )
            for event in health.events
        ),
    )


def _optional(length_ns: int | None) -> float | None:
    return None if length_ns is None else seconds(length_ns)


def _reached(figures: RpoFigures) -> RpoStatistics | None:
    """Return the figures of a stage; None where no point ever reached it."""
    return None if figures.newest_ns is None else _statistics(figures)


def _statistics(figures: RpoFigures) -> RpoStatistics:
    return RpoStatistics(
        max_s=seconds(figures.max_ns),
        p99_s=seconds(figures.p99_ns),
        p95_s=seconds(figures.p95_ns),
        mean_s=seconds(round(figures.mean_ns)),
    )
