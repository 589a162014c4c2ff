"""What the engine at a copy says of itself."""

from typing import Literal

from pydantic import Field

from reports.records import Record, RpoStatistics, Seconds

Severity = Literal["healthy", "warning", "critical"]


class RaisedAlarm(Record):
    """An alarm that stands."""

    name: str
    severity: Severity
    message: str
    hint: str = ""


class HealthNote(Record):
    """Something that an operator was told."""

    at_s: Seconds
    name: str
    change: Literal["raised", "eased", "cleared", "noted"]
    severity: Severity
    message: str


class CopyHealthFigures(Record):
    """What the engine at the copy says of itself: at the disaster, or at the end of the run.

    `reported_rpo` is its own RPO(t), whose percentiles are up to 1 % too high. `bookmarks` counts
    those that were due: found, uploading, delayed, lost.
    """

    at_s: Seconds
    severity: Severity
    reported_rpo: RpoStatistics
    reported_app_rpo: RpoStatistics
    clock_error_s: Seconds | None
    app_points: int = Field(ge=0)
    bookmarks: dict[str, int] = Field(default_factory=dict)
    gaps: int = Field(ge=0)
    window_s: Seconds
    backlog_bytes_max: int = Field(ge=0)
    backlog_s_max: Seconds
    throttled_s: Seconds
    mode_s: dict[str, Seconds]
    sent_raw_bytes: int = Field(ge=0)
    sent_wire_bytes: int = Field(ge=0)
    rpo_stages: dict[str, dict[str, RpoStatistics | None]] = Field(
        default_factory=dict, description="RPO received, applied and verified, each by class."
    )
    retention_left_s: Seconds | None = None
    not_met_s: Seconds | None = None
    verified_until_s: Seconds | None = None
    alarms: tuple[RaisedAlarm, ...] = ()
    events: tuple[HealthNote, ...] = ()
