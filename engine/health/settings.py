"""What was promised, and from when on it is an alarm."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.basics.settings import SECOND_NS
from engine.points.recovery_points import Consistency

_MINUTE_NS = 60 * SECOND_NS
_HOUR_NS = 60 * _MINUTE_NS


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Promises and thresholds of one copy; sources as given, the other values are assumptions."""

    #: The RPO promised per class of points; a class without a promise has no alarm.
    rpo_targets_ns: Mapping[Consistency, int] = field(default_factory=dict)
    #: How often a bookmark is due; None for no bookmarks.
    bookmark_interval_ns: int | None = None
    #: Over when it is made and committed: VSS takes a minute (protection.md 1.3), and one more.
    bookmark_grace_ns: int = 120 * SECOND_NS
    #: protection.md 8: three missed in a row are an alarm.
    bookmarks_lost_max: int = 3
    #: protection.md 1.3, 8: no crash-consistent point for an hour is critical (ASR 153007). Any
    #: point outside of a gap is one: it is a prefix of the order of writes.
    point_age_max_ns: int = _HOUR_NS
    #: ASR assumes a typical backlog of five minutes (protection.md 1.6).
    backlog_age_max_ns: int = 5 * _MINUTE_NS
    #: A backlog of which nothing was acknowledged for so long is stuck.
    backlog_stuck_ns: int = 10 * _MINUTE_NS
    disconnected_max_ns: int = _MINUTE_NS
    #: How old the newest point that was opened and found good may be.
    verified_age_max_ns: int = 24 * _HOUR_NS
    clock_error_max_ns: int = 5 * SECOND_NS
    #: How far back points are promised; None for no promise.
    retention_promised_ns: int | None = None
    #: protection.md 1.5: warn at 80 %.
    retention_space_percent: int = 80
    #: For how long something must be good again before an alarm is cleared.
    quiet_ns: int = 2 * _MINUTE_NS
    #: How often values are looked at for alarms.
    look_interval_ns: int = 10 * SECOND_NS

    def __post_init__(self) -> None:
        assert all(target_ns > 0 for target_ns in self.rpo_targets_ns.values())
        assert self.bookmark_interval_ns is None or self.bookmark_interval_ns > 0
        assert 0 < self.retention_space_percent < 100
        assert self.look_interval_ns > 0
        assert self.quiet_ns >= 0
