"""The Volume Shadow Copy Service: leads writers and volumes through one snapshot set at a time.

Fault model.
May happen: a writer fails, is slow or does not answer in any event; flushing or holding the
writes takes too long; the provider fails or is slow; a second requestor comes while a set is in
progress; the host loses its power (service and writers are then gone: make new ones).
Promised: one snapshot set at a time on the machine (0x80042316). However a set ends, the writes
of its volumes have been released and its writers thawed or told to abort, and another set may
begin. Every failure is a VssError with the code of exchange.md 4.4.
Not checked: that a requestor goes on to BackupComplete after a good snapshot; until it does, or
aborts, its writers refuse another backup.
"""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from emulators.vss.codes import RETRYABLE, BackupType, VssCode, VssError, WriterLevel
from emulators.vss.hold import hold_and_commit
from emulators.vss.session import guid_from
from emulators.vss.snapshot_set import Phase, SnapshotSet, SnapshotTimes
from emulators.vss.transitions import WriterEvent
from sim.kernel import TIMED_OUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulators.vss.provider import Provider
    from emulators.vss.session import Session, WriterStatus
    from emulators.vss.writer import Writer
    from sim.kernel import Host, Kernel, Process, Task
    from sim.streams import Stream
    from sim.trace import Trace
    from sim.volume import Volume

__all__ = ["EVENT_LIMIT_NS", "VOLUMES_MAX", "SnapshotService"]

VOLUMES_MAX = 64
"""Volumes in one snapshot set (exchange.md 4.1, 5)."""

EVENT_LIMIT_NS = 60 * 10**9
"""How long the service waits for a writer's answer to an event other than Freeze, whose limit is
the writer's own window. An assumption: the sheet gives no figure."""


class SnapshotService:
    """The machine's shadow copy service.

    `stream` gives the ids of snapshot sets. `host` is the machine: its power cut ends the
    service. `trace`, if given, is told of every event's outcome.
    """

    def __init__(
        self,
        kernel: "Kernel",
        stream: "Stream",
        *,
        host: "Host | None" = None,
        trace: "Trace | None" = None,
    ) -> None:
        self.kernel = kernel
        self.host = host
        self.writers: list[Writer] = []
        self._stream = stream
        self._trace = trace
        self._in_progress: SnapshotSet | None = None

    def register(self, writer: "Writer") -> None:
        """Let a writer take part in every later backup."""
        assert writer not in self.writers
        self.writers.append(writer)

    def gather_writer_status(self) -> "tuple[WriterStatus, ...]":
        """Return every writer's status (GatherWriterStatus)."""
        return tuple(writer.status for writer in self.writers)

    def gather_writer_metadata(self) -> "Process":
        """Ask every writer who it is (Identify); returns None.

        Raises:
            VssError: a writer failed at it.
        """
        yield from self._tell(WriterEvent.IDENTIFY, tuple(self.writers), None)

    def start_snapshot_set(self, backup_type: BackupType = BackupType.COPY) -> SnapshotSet:
        """Begin a snapshot set.

        Raises:
            VssError: VSS_E_SNAPSHOT_SET_IN_PROGRESS, another set has not been taken yet.
        """
        if self._in_progress is not None:
            raise VssError(
                VssCode.VSS_E_SNAPSHOT_SET_IN_PROGRESS,
                "shadow copy service",
                f"the snapshot set {self._in_progress.id} is in progress",
                "wait some seconds and try again",
            )
        self._in_progress = SnapshotSet(guid_from(self._stream.bits(128)), backup_type)
        return self._in_progress

    def add_to_snapshot_set(self, snapshot_set: SnapshotSet, volume: "Volume") -> None:
        """Add a volume to the set.

        Raises:
            VssError: the set has 64 volumes, has this one, or is past that; the volume is lost.
        """
        self._require(snapshot_set, Phase.ADDING)
        where = f"volume {volume.name}"
        if volume in snapshot_set.volumes:
            raise VssError(
                VssCode.VSS_E_OBJECT_ALREADY_EXISTS,
                where,
                "the set has it already",
                "add each volume once",
            )
        if len(snapshot_set.volumes) == VOLUMES_MAX:
            raise VssError(
                VssCode.VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED,
                where,
                f"the set has {VOLUMES_MAX} volumes",
                "put fewer storage groups into one backup",
            )
        if volume.lost:
            raise VssError(
                VssCode.VSS_E_OBJECT_NOT_FOUND,
                where,
                "there is no such volume any more",
                "restore the volume first",
            )
        snapshot_set.volumes.append(volume)

    def prepare_for_backup(self, snapshot_set: SnapshotSet) -> "Process":
        """Announce the backup to the writers (PrepareForBackup); returns None.

        Raises:
            VssError: a writer failed or is in another backup; the set has been aborted.
        """
        self._require(snapshot_set, Phase.ADDING)
        snapshot_set.writers = writers = tuple(self.writers)
        try:
            yield from self._tell(WriterEvent.PREPARE_BACKUP, writers, snapshot_set.session())
        except VssError:
            yield from self._abandon(snapshot_set)
            raise
        snapshot_set.phase = Phase.PREPARED

    def do_snapshot_set(self, snapshot_set: SnapshotSet, provider: "Provider") -> "Process":
        """Take the snapshot (DoSnapshotSet); returns `SnapshotTimes`.

        Raises:
            VssError: it failed; the set has been aborted and nothing is held.
        """
        self._require(snapshot_set, Phase.PREPARED)
        snapshot_set.phase = Phase.WORKING
        session = snapshot_set.session()
        writers = snapshot_set.writers
        committed = False
        try:
            yield from self._tell(WriterEvent.PREPARE_SNAPSHOT, writers, session)
            frozen_from_ns = self.kernel.now_ns
            yield from self._tell(WriterEvent.FREEZE, writers, session)
            hold = yield from hold_and_commit(
                self.kernel, snapshot_set.volumes, provider, snapshot_set.id
            )
            committed = True
            yield from self._tell(WriterEvent.THAW, writers, session)
            thawed_ns = self.kernel.now_ns
            yield from self._tell(WriterEvent.POST_SNAPSHOT, writers, session)
        except VssError:
            if committed:
                provider.abort(snapshot_set.id)
            yield from self._abandon(snapshot_set)
            raise
        snapshot_set.phase = Phase.TAKEN
        self._in_progress = None
        return SnapshotTimes(frozen_from_ns, hold, thawed_ns)

    def backup_complete(self, snapshot_set: SnapshotSet, *, succeeded: bool) -> "Process":
        """End a backup whose snapshot was taken (BackupComplete, BackupShutdown); returns None.

        `succeeded` is SetBackupSucceeded for all components.

        Raises:
            VssError: a writer failed at it; the backup has ended all the same.
        """
        self._require(snapshot_set, Phase.TAKEN)
        snapshot_set.phase = Phase.ENDED
        session = replace(snapshot_set.session(), succeeded=succeeded)
        problem: VssError | None = None
        try:
            yield from self._tell(WriterEvent.BACKUP_COMPLETE, snapshot_set.writers, session)
        except VssError as error:
            problem = error
        yield from self._tell(WriterEvent.BACKUP_SHUTDOWN, snapshot_set.writers, session)
        if problem is not None:
            raise problem

    def abort_backup(self, snapshot_set: SnapshotSet) -> "Process":
        """End a backup that shall not go on (AbortBackup); returns None.

        Harmless if it has ended. A writer that fails even at this shows it in its status.
        """
        assert snapshot_set.phase is not Phase.WORKING, "the set aborts itself if it must"
        yield from self._abandon(snapshot_set)

    def _abandon(self, snapshot_set: SnapshotSet) -> "Process":
        if snapshot_set.phase is Phase.ENDED:
            return
        snapshot_set.phase = Phase.ENDED
        with suppress(VssError):  # the first failure counts, and the status has this one
            yield from self._tell(WriterEvent.ABORT, snapshot_set.writers, snapshot_set.session())
        if self._in_progress is snapshot_set:
            self._in_progress = None

    def _require(self, snapshot_set: SnapshotSet, phase: Phase) -> None:
        if snapshot_set.phase is not phase:
            raise VssError(
                VssCode.VSS_E_BAD_STATE,
                f"snapshot set {snapshot_set.id}",
                f"this needs '{phase.value}', but '{snapshot_set.phase.value}'",
                "follow the order of exchange.md 4.1",
            )

    def _tell(
        self, event: WriterEvent, writers: "Sequence[Writer]", session: "Session | None"
    ) -> "Process":
        """Send an event to the writers; raises VssError for the first of them that fails.

        Freeze goes level by level and stops at the first that fails; all else goes to all.
        """
        if event is not WriterEvent.FREEZE:
            yield from self._tell_together(event, writers, session)
            return
        for level in WriterLevel:
            of_level = [writer for writer in writers if writer.level is level]
            yield from self._tell_together(event, of_level, session)

    def _tell_together(
        self, event: WriterEvent, writers: "Sequence[Writer]", session: "Session | None"
    ) -> "Process":
        tasks = [
            self.kernel.spawn(
                self._tell_one(writer, event, session),
                name=f"VSS {event} {writer.name}",
                host=self.host,
            )
            for writer in writers
        ]
        codes = yield self.kernel.all_of(tasks)
        for writer, code in zip(writers, codes, strict=True):
            if code is not VssCode.S_OK:
                raise _writer_failed(writer, event, code)

    def _tell_one(
        self, writer: "Writer", event: WriterEvent, session: "Session | None"
    ) -> "Process":
        """Send one event to one writer; returns its code, or that it does not respond."""
        answer = self.kernel.spawn(
            writer.handle(event, session), name=f"{writer.name}: {event}", host=writer.host
        )
        # Freeze has the writer's own window as its limit, and the writer keeps to it.
        limit_ns = None if event is WriterEvent.FREEZE else EVENT_LIMIT_NS
        try:
            code = yield from self._answer(answer, limit_ns)
        except VssError as error:
            code = error.code
        if code is TIMED_OUT:
            code = VssCode.VSS_E_WRITER_NOT_RESPONDING
            writer.give_up(event, code)
        if self._trace is not None:
            self._trace.record(
                "vss", event=event.value, writer=writer.instance_id, code=f"0x{code:08X}"
            )
        return code

    def _answer(self, answer: "Task", limit_ns: int | None) -> "Process":
        if limit_ns is None:
            return (yield answer)
        return (yield from self.kernel.wait(answer, limit_ns=limit_ns))


def _writer_failed(writer: "Writer", event: WriterEvent, code: VssCode) -> VssError:
    said = f": {writer.last_problem}" if writer.last_problem else ""
    if code in RETRYABLE:
        hint = "the whole backup may be tried again"
    else:
        hint = "see `vssadmin list writers` and the application's event log"
    return VssError(code, f"writer '{writer.name}'", f"{event} failed{said}", hint)
