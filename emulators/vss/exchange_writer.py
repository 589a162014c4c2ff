"""The Microsoft Exchange writer: the information store's part in a snapshot.

Fault model: that of `writer`, with the window of 20 seconds that Exchange asks for (exchange.md
4.2, V3). When it passes, ESE thaws itself: event 2004 and error -2402 (JET_errOSSnapshotTimeOut).
Promised: the unit of backup is the storage group; a snapshot set that lacks one of its volumes
is refused as inconsistent. A COPY backup truncates no log (exchange.md 4.8), whatever is said of
its success.
Not checked: full, incremental and differential backups: the writer refuses them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulators.vss.codes import BackupType, VssCode, VssError, WriterLevel
from emulators.vss.components import (
    Component,
    ComponentKind,
    DatabaseFiles,
    FileSpec,
    Freezable,
    StorageGroupFiles,
    components_of,
)
from emulators.vss.session import Session, guid_from
from emulators.vss.transitions import WriterEvent
from emulators.vss.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.kernel import Host, Kernel, Process
    from sim.streams import Stream

__all__ = [
    "EXCHANGE_WRITER_ID",
    "FREEZE_WINDOW_NS",
    "Component",
    "ComponentKind",
    "DatabaseFiles",
    "EventLogEntry",
    "ExchangeWriter",
    "FileSpec",
    "Freezable",
    "StorageGroupFiles",
]

EXCHANGE_WRITER_ID = "{76fe1ac4-15f7-4bcd-987e-8e1acb462fb7}"  # exchange.md 4.5
EXCHANGE_WRITER_NAME = "Microsoft Exchange Writer"
FREEZE_WINDOW_NS = 20 * 10**9
ERROR_SNAPSHOT_TIMEOUT = -2402  # JET_errOSSnapshotTimeOut

# Event numbers of ESE (exchange.md 1.6).
EVENT_FREEZE_STARTED = 2001
EVENT_FREEZE_ENDED = 2003
EVENT_FREEZE_TIMEOUT = 2004
EVENT_BACKUP_DONE = 2006
EVENT_BACKUP_ABORTED = 2007
EVENT_COPY_BACKUP = 2009


@dataclass(frozen=True, slots=True)
class EventLogEntry:
    """One entry of the application event log."""

    time_ns: int
    event_id: int
    text: str


class ExchangeWriter(Writer):
    """The writer of one Exchange server and its storage groups.

    `stream` gives the writer's instance id. `event_log` holds what ESE would have logged.
    """

    def __init__(
        self,
        kernel: "Kernel",
        stream: "Stream",
        server: str,
        storage_groups: "Sequence[Freezable]",
        *,
        host: "Host | None" = None,
    ) -> None:
        super().__init__(
            kernel,
            name=EXCHANGE_WRITER_NAME,
            writer_id=EXCHANGE_WRITER_ID,
            instance_id=guid_from(stream.bits(128)),
            level=WriterLevel.BACK_END,
            freeze_window_ns=FREEZE_WINDOW_NS,
            host=host,
        )
        self.server = server
        self.event_log: list[EventLogEntry] = []
        self._storage_groups = tuple(storage_groups)
        self._taking_part: tuple[Freezable, ...] = ()

    def components(self) -> tuple[Component, ...]:
        """Return the metadata: for each running storage group its logs and mounted databases."""
        return tuple(
            component
            for group in self._storage_groups
            if group.files.mounted
            for component in components_of(self.server, group.files)
        )

    def freeze(self) -> "Process":
        """Freeze every storage group of the snapshot set, all at once."""
        self._log_each(EVENT_FREEZE_STARTED, "freeze started")
        errors: list[Exception | None] = yield from self._all(self._taking_part, "freeze")
        if any(errors):
            frozen = [
                group
                for group, error in zip(self._taking_part, errors, strict=True)
                if error is None
            ]
            yield from self._all(frozen, "thaw")
            raise next(error for error in errors if error is not None)

    def thaw(self) -> "Process":
        """Thaw every storage group that was frozen."""
        errors: list[Exception | None] = yield from self._all(self._taking_part, "thaw")
        self._log_each(EVENT_FREEZE_ENDED, "freeze ended")
        for error in errors:
            if error is not None:
                raise error

    def work(self, event: WriterEvent, session: Session | None) -> "Process":
        """Check and note what the other events bring; none of them takes time."""
        yield from ()
        if event is WriterEvent.PREPARE_BACKUP:
            assert session is not None
            _require_copy(session)
            self._log(EVENT_COPY_BACKUP, f"a copy backup begins, snapshot set {session.set_id}")
        elif event is WriterEvent.PREPARE_SNAPSHOT:
            assert session is not None
            self._taking_part = self._groups_in(session)
        elif event is WriterEvent.BACKUP_COMPLETE:
            self._log(EVENT_BACKUP_DONE, "the backup has ended; a copy backup truncates no log")
        elif event is WriterEvent.ABORT:
            self._log(EVENT_BACKUP_ABORTED, "the backup was aborted")

    def window_passed(self) -> None:
        """Note that ESE ended the freeze by itself (exchange.md 4.7, 5)."""
        window_ms = self.freeze_window_ns // 1_000_000
        self._log_each(
            EVENT_FREEZE_TIMEOUT,
            f"freeze timed out ({window_ms} ms), error {ERROR_SNAPSHOT_TIMEOUT}",
        )

    def _all(self, groups: "Sequence[Freezable]", what: str) -> "Process":
        """Freeze or thaw groups side by side; returns each one's error or None."""
        tasks = [
            self.kernel.spawn(
                _error_of(group.freeze() if what == "freeze" else group.thaw()),
                name=f"{group.files.name}: {what}",
                host=self.host,
            )
            for group in groups
        ]
        return (yield self.kernel.all_of(tasks))

    def _groups_in(self, session: Session) -> "tuple[Freezable, ...]":
        """Return the running groups whose volumes are in the set; half a group is an error."""
        chosen = []
        for group in self._storage_groups:
            needed = group.files.volumes
            missing = [name for name in needed if name not in session.volumes]
            if not group.files.mounted or len(missing) == len(needed):
                continue
            if missing:
                raise VssError(
                    VssCode.VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT,
                    f"storage group {group.files.name}",
                    f"the snapshot set lacks its volumes {', '.join(missing)}",
                    "add every volume with logs or databases of the group",
                )
            chosen.append(group)
        return tuple(chosen)

    def _log_each(self, event_id: int, text: str) -> None:
        for group in self._taking_part:
            self._log(event_id, f"storage group {group.files.name}: {text}")

    def _log(self, event_id: int, text: str) -> None:
        self.event_log.append(EventLogEntry(self.kernel.now_ns, event_id, text))


def _require_copy(session: Session) -> None:
    if session.backup_type is not BackupType.COPY:
        raise VssError(
            VssCode.VSS_E_WRITERERROR_NONRETRYABLE,
            EXCHANGE_WRITER_NAME,
            f"a backup of type {session.backup_type.name} is not offered",
            "ask for a COPY backup",
        )


def _error_of(process: "Process") -> "Process":
    """Run a process; returns what it raised, or None."""
    try:
        yield from process
    except AssertionError:
        raise  # a programmer's error is nobody's to handle
    except Exception as error:  # noqa: BLE001 - handed on to who asked
        return error
    return None
