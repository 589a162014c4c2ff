"""A storage group at run time: one log stream, its databases, and the processes that write both.

Fault model: see log_writer and page_flusher for the disks. A power cut of the host ends all
processes at once; what is left is on the volumes. When the log disk is full, or the last generation
is reached, the group dismounts its databases and stops: nothing new is acknowledged, and everything
acknowledged before is on disk. A database whose disk is full stops alone; the others go on.

All databases share the log, the checkpoint and the roll (exchange.md 1.4). Each is mounted and
dismounted for itself: its attach and detach records say from where to where the log speaks of it.
A group is started once; after it has stopped, or its host has lost power, a new one is made.
"""

from collections.abc import Generator, Sequence
from typing import Any

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats import log_records
from emulators.ese.formats.schema import TableDefinition
from emulators.ese.formats.values import Lgpos, LogTime, Signature
from emulators.ese.running.backup_source import BackupSource
from emulators.ese.running.databases import Databases
from emulators.ese.running.log_stream import LogStream
from emulators.ese.running.mounted_database import MountedDatabase
from emulators.ese.running.new_database import create_database_file
from emulators.ese.running.parameters import Parameters
from emulators.ese.trees.database import Database
from emulators.ese.trees.transaction import Transaction
from sim.host import Host
from sim.kernel import Kernel, Signal
from sim.streams import Stream
from sim.trace import Trace
from sim.volume import Volume

Process = Generator[Any, Any, None]
IDLE_CHECKS_PER_ROLL = 10
HINT_THAWED = "thaw after the freeze has returned"


class StorageGroup:
    """One storage group.

    Args:
        kernel: simulated time.
        trace: where rolls, checkpoints and headers are recorded.
        stream: draws the signatures.
        host: the server; its power cut ends the group.
        name: the group's display name ('SG1').
        database_names: the files of the databases that belong to it ('MDB1.edb').
        log_volume: where logs and checkpoint lie.
        database_volume: where the databases lie.
        parameters: settings.
        epoch_ns: calendar time of the run's start, nanoseconds since 1970.
    """

    def __init__(
        self,
        kernel: Kernel,
        trace: Trace,
        stream: Stream,
        host: Host,
        *,
        name: str,
        database_names: Sequence[str],
        log_volume: Volume,
        database_volume: Volume,
        parameters: Parameters,
        epoch_ns: int,
    ) -> None:
        self._kernel = kernel
        self._trace = trace
        self._host = host
        self._epoch_ns = epoch_ns
        self._random = stream
        self.name = name
        self.database_names = tuple(database_names)
        self.parameters = parameters
        self.log_volume = log_volume
        self.database_volume = database_volume
        self._stream = LogStream(
            kernel,
            trace,
            log_volume,
            parameters,
            self._sign(),
            self,
            self.wall_ns,
        )
        self.log = self._stream.log
        self._databases = Databases(
            kernel, trace, database_volume, parameters, self._stream, self._now
        )
        self._transaction_last = 0
        self.is_frozen = False
        self.is_stopped = False
        #: What a streaming backup takes from the group, and whether one runs.
        self.backup_source = BackupSource(
            name, self.database_names, parameters, self._stream, self._databases, self.wall_ns
        )
        self._thawed = kernel.signal()
        self._settled = kernel.signal()
        self._settled.fire()

    def wall_ns(self) -> int:
        """Return the calendar time, nanoseconds since 1970."""
        return self._epoch_ns + self._kernel.now_ns

    @property
    def error(self) -> EseError | None:
        """What stopped the group, or the last of its databases; None while any of it runs."""
        return self.log.error or self._databases.error

    @property
    def checkpoint(self) -> Lgpos:
        """From where on the log is needed, for all databases together."""
        return self._stream.checkpoint.checkpoint

    # Starting and stopping.

    def create(self, tables: Sequence[TableDefinition]) -> Process:
        """Start on empty volumes: make log, checkpoint and all databases, and mount them."""
        yield from self.start()
        for name in self.database_names:
            yield from self.create_database(name, tables)

    def start(self) -> Process:
        """Begin a log stream, or go on with the one that is there, and start the processes.

        Raises:
            EseError: -528, -501, -514 or -541: there are logs that cannot be continued. Databases
                that are not clean need soft recovery before.
        """
        yield from self._stream.start()
        self._databases.note_newest(self.log.buffer.generation)
        prefix = self.parameters.prefix
        spawn = self._kernel.spawn
        spawn(self.log.run(), name=f"{prefix} log writer", host=self._host)
        spawn(self._stream.flusher.run(), name=f"{prefix} page flusher", host=self._host)
        if self.parameters.idle_roll_ns is not None:
            roll = self._roll_when_idle(self.parameters.idle_roll_ns)
            spawn(roll, name=f"{prefix} idle roll", host=self._host)

    def stop(self) -> Process:
        """Dismount all databases, end the log stream with its Term record, and the processes.

        A database that has failed stays dirty, and the log then has no Term record.

        Raises:
            EseError: the log cannot be written.
        """
        for name in self.mounted_names():
            if self.mounted(name).file.error is None:
                yield from self.dismount(name)
        if not self.mounted_names():
            position = yield from self._stream.terminate()
            yield from self._stream.flusher.write_checkpoint(position)
        self.is_stopped = True
        self.log.close()
        self._stream.flusher.close()

    # Databases.

    def mounted_names(self) -> list[str]:
        """Return the names of the databases that are mounted, in the order of their mounts."""
        return self._databases.names()

    def is_mounted(self, name: str) -> bool:
        """Return whether transactions of a database can be begun."""
        return name in self.mounted_names() and not self.mounted(name).is_leaving

    def mounted(self, name: str) -> MountedDatabase:
        """Return a database that is mounted."""
        return self._databases.named(name)

    def database(self, name: str) -> Database:
        """Return the tables of a database that is mounted."""
        return self.mounted(name).tables

    def create_database(self, name: str, tables: Sequence[TableDefinition]) -> Process:
        """Make a new database with empty tables, and mount it."""
        yield from create_database_file(
            self.database_volume,
            name,
            tables,
            self.parameters.file_format,
            signature=self._sign(),
            log_signature=self._stream.signature,
            dbid=self._databases.free_dbid(1),
        )
        yield from self.mount(name)

    def mount(self, name: str) -> Process:
        """Attach a database that is clean; waits for the end of a freeze or a dismount.

        Raises:
            EseError: -1811, -1213, -1206 or -550: what is wrong with its file; -1012: it is
                larger than the edition allows.
        """
        yield from self._begin_change()
        assert name not in self.mounted_names(), f"{name} is mounted already"
        try:
            yield from self._databases.attach(name)
        except EseError:
            self._settled.fire()
            raise
        self._settled.fire()

    def dismount(self, name: str) -> Process:
        """Bring a database to Clean Shutdown and detach it; waits for the end of a freeze.

        Raises:
            EseError: the database or the log cannot be written; it stays dirty.
        """
        yield from self._begin_change()
        try:
            if name in self.mounted_names():  # another dismount may have come before
                yield from self._databases.detach(self.mounted(name))
        except EseError:
            self._settled.fire()
            raise
        self._settled.fire()

    # Transactions.

    def begin(self, name: str) -> Transaction:
        """Begin a transaction of one database; it ends before simulated time goes on."""
        assert self.is_mounted(name), f"{name} is not mounted"
        self._transaction_last += 1
        return Transaction(self.mounted(name).editor, self._transaction_last)

    def commit(self, transaction: Transaction) -> Signal:
        """Commit; the signal fires when the commit record is on disk (the acknowledgement).

        It fails with EseError -529 or -1808 when a disk is full, -510 or -1022 when it is lost.
        """
        transaction.commit()
        file = self._databases.numbered(transaction.dbid).file
        if file.error is not None:
            refused = self._kernel.signal()
            refused.fail(file.error)
            return refused
        if file.is_oversized:
            self._expel(file.name)
        return self.log.commit(transaction.begin)

    def admit(self) -> Process:
        """Wait while the log buffers are full."""
        while self.log.backlog_bytes > self.parameters.log_backlog_bytes_max:
            yield self.log.commit(self.log.flushed)

    # Snapshots.

    def freeze(self) -> Process:
        """Bring the files to a consistent stand for a snapshot (exchange.md 4.7).

        Every committed record is then in numbered archives, the new generation exists only as
        E00tmp.log, and no page is written until `thaw`. With circular logging there is no new
        generation; log writes are held instead. Databases that are being attached or detached
        come first.
        """
        assert not self.is_frozen, f"{self.name} is frozen already"
        self.is_frozen = True
        thawed = self._thawed = self._kernel.signal()
        while not self._settled.fired:
            yield self._settled
        if thawed.fired:
            raise ese_error(-2402, self.name, HINT_THAWED)
        self._log_backup()
        yield from self._stream.flusher.pause()
        try:
            circular = self.parameters.circular_logging
            yield self.log.hold() if circular else self.log.stop_at_roll()
        except EseError:
            self.thaw()
            raise
        if thawed.fired:
            raise ese_error(-2402, self.name, HINT_THAWED)
        self._trace.record("ese.freeze", group=self.name)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        assert self.is_frozen, f"{self.name} is not frozen"
        self.is_frozen = False
        if self._settled.fired:
            self.log.resume()
            self._stream.flusher.resume()
        self._trace.record("ese.thaw", group=self.name)
        self._thawed.fire()

    # RollObserver.

    def before_roll(self, generation: int) -> Process:
        """Note in every header what is required and committed (exchange.md 1.2)."""
        yield from self._databases.write_headers(generation)

    def after_roll(self, generation: int) -> None:
        """Let pages that the new waypoint frees be written."""
        del generation
        self._stream.flusher.wake()

    def first_required(self) -> int:
        """Return the lowest generation that a header, the checkpoint or a backup asks for."""
        return self.backup_source.first_required()

    def take_leave(self) -> None:
        """Dismount everything in what is left of the log (exchange.md F17)."""
        self._kernel.spawn(self._stop_or_tell(), name=f"{self.name} stops", host=self._host)

    def _stop_or_tell(self) -> Process:
        """Stop; a database that cannot be brought to Clean Shutdown any more stays dirty."""
        try:
            yield from self.stop()
        except EseError as error:
            self._trace.record("ese.stopped", group=self.name, code=error.code)
            self.log.close()

    def _begin_change(self) -> Process:
        """Wait until no snapshot and no other attach or detach is under way."""
        while self.is_frozen or not self._settled.fired:
            yield self._thawed if self.is_frozen else self._settled
        self._settled = self._kernel.signal()

    def _expel(self, name: str) -> None:
        """Dismount a database that has outgrown its edition (exchange.md 5.1)."""
        mounted = self.mounted(name)
        if not mounted.is_leaving:
            mounted.is_leaving = True
            process = self._dismount_or_tell(name)
            self._kernel.spawn(process, name=f"{name} is too large", host=self._host)

    def _dismount_or_tell(self, name: str) -> Process:
        try:
            yield from self.dismount(name)
        except EseError as error:
            self._trace.record("ese.stopped", database=name, code=error.code)

    def _roll_when_idle(self, period: int) -> Process:
        """Close a part-filled log after a while, so that little hangs on it (exchange.md 1.3).

        Asked at the very moment the period ends: 15 minutes make 96 logs a day, not fewer (A6).
        """
        while not self.is_stopped:
            left = self.log.rolled_ns + period - self._kernel.now_ns
            if left > 0:
                yield self._kernel.sleep(left)
                continue
            is_running = not self.is_frozen and self.error is None
            if is_running and self.log.buffer.has_records:
                self.log.buffer.close_generation()
                self.log.wake()
            yield self._kernel.sleep(period // IDLE_CHECKS_PER_ROLL)

    def _log_backup(self) -> None:
        """Log that a backup of the whole group begins; 2003's log has no such record (G)."""
        if not self.parameters.file_format.has_backup_records:
            return
        record = log_records.Backup2(
            phase=0, kind=0, scope=0, dbid=0, details=bytes(24), reserved=0, data=b""
        )
        self._stream.append(log_records.encode(record))

    def _now(self) -> LogTime:
        return LogTime.from_ns(self.wall_ns())

    def _sign(self) -> Signature:
        return Signature(self._random.bits(32), self._now(), "")
