"""The engine's settings for what a scenario says of a protection and its copies."""

from engine import JournalSettings, ResyncSettings, RetentionPolicy, SessionSettings
from scenarios import ContinuousDataProtection
from scenarios import Copy as CopySettings

PEER_TIMEOUT_HEARTBEATS = 4
HEARTBEAT_NS_MIN = 1_000_000_000


def session_settings(spec: ContinuousDataProtection, resync: ResyncSettings) -> SessionSettings:
    """Return the settings of the sessions of a copy.

    Args:
        spec: the protection.
        resync: when both ends are compared.
    """
    heartbeat_ns = max(spec.heartbeat_ns, HEARTBEAT_NS_MIN)
    return SessionSettings(
        batch_linger_ns=spec.batch_linger_ns,
        heartbeat_interval_ns=heartbeat_ns,
        peer_timeout_ns=PEER_TIMEOUT_HEARTBEATS * heartbeat_ns,
        resync=resync,
    )


def journal_settings() -> JournalSettings:
    """Return the bounds of a copy's journal."""
    return JournalSettings()


def retention_policy(copy: CopySettings) -> RetentionPolicy:
    """Return which points a copy keeps."""
    return RetentionPolicy(every_write_ns=copy.retention_ns, stages=())
