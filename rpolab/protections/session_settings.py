"""The engine's settings for what a scenario says of a protection and its copies."""

from dataclasses import replace

from engine import JournalSettings, ResyncSettings, RetentionPolicy, SessionSettings, Stage
from rpolab.protections.schedules import bandwidth_rules, daily_hours
from scenarios import ContinuousDataProtection
from scenarios import Copy as CopySettings

PEER_TIMEOUT_HEARTBEATS = 4
HEARTBEAT_NS_MIN = 1_000_000_000
SEGMENTS_IN_SPACE = 16
SEGMENT_BYTES_MIN = 1 << 20
"""A limited space has so many segments, none smaller than this. Assumption."""


def session_settings(
    spec: ContinuousDataProtection,
    copy: CopySettings,
    starts_ns: int,
    resync: ResyncSettings | None = None,
) -> SessionSettings:
    """Return the settings of the sessions of a copy.

    Args:
        spec: the protection.
        copy: the copy.
        starts_ns: calendar time of the run's start.
        resync: when both ends are compared; the protection's own where None.
    """
    heartbeat_ns = max(spec.heartbeat_ns, HEARTBEAT_NS_MIN)
    hours = daily_hours(spec.resync_hours, starts_ns)
    settings = SessionSettings(
        batch_linger_ns=spec.batch_linger_ns,
        heartbeat_interval_ns=heartbeat_ns,
        peer_timeout_ns=PEER_TIMEOUT_HEARTBEATS * heartbeat_ns,
        resync=resync or ResyncSettings(policy=spec.resync, hours=hours),
        bandwidth=bandwidth_rules(copy.bandwidth, starts_ns),
    )
    return settings if copy.compression else replace(settings, batch_compression_level=None)


def journal_settings(copy: CopySettings) -> JournalSettings:
    """Return the bounds of a copy's journal: a small space wants small segments, or none is free.

    Retention gives up sealed segments only.
    """
    usual, space = JournalSettings(), copy.retention.space_bytes
    if space is None:
        return usual
    wanted = max(space // SEGMENTS_IN_SPACE, SEGMENT_BYTES_MIN)
    return replace(usual, segment_bytes_max=min(wanted, usual.segment_bytes_max))


def retention_policy(copy: CopySettings) -> RetentionPolicy:
    """Return which points a copy keeps."""
    written = copy.retention
    return RetentionPolicy(
        every_write_ns=written.every_write_ns,
        stages=tuple(Stage(age_ns, every_ns) for _, age_ns, every_ns in written.windows()),
        space_bytes_max=written.space_bytes,
        when_full=written.when_full,
    )
