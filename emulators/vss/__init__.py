"""The Volume Shadow Copy Service: service, writers, and a requestor for copy backups."""

from emulators.vss.codes import BackupType, VssCode, VssError, WriterLevel, WriterState
from emulators.vss.components import (
    Component,
    ComponentKind,
    DatabaseFiles,
    FileSpec,
    Freezable,
    StorageGroupFiles,
)
from emulators.vss.exchange_writer import EventLogEntry, ExchangeWriter
from emulators.vss.provider import Provider, SlowProvider
from emulators.vss.requestor import CopyBackupRequestor, Outcome, RetryPolicy, SnapshotResult
from emulators.vss.service import SnapshotService
from emulators.vss.session import PhaseFault, Session, WriterStatus
from emulators.vss.snapshot_set import SnapshotSet, SnapshotTimes
from emulators.vss.transitions import WriterEvent
from emulators.vss.vssadmin import list_writers
from emulators.vss.writer import Writer

__all__ = [
    "BackupType",
    "Component",
    "ComponentKind",
    "CopyBackupRequestor",
    "DatabaseFiles",
    "EventLogEntry",
    "ExchangeWriter",
    "FileSpec",
    "Freezable",
    "Outcome",
    "PhaseFault",
    "Provider",
    "RetryPolicy",
    "Session",
    "SlowProvider",
    "SnapshotResult",
    "SnapshotService",
    "SnapshotSet",
    "SnapshotTimes",
    "StorageGroupFiles",
    "VssCode",
    "VssError",
    "Writer",
    "WriterEvent",
    "WriterLevel",
    "WriterState",
    "WriterStatus",
    "list_writers",
]
