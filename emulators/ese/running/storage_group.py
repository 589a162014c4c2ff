"""A storage group at run time: one log stream, its database, and the processes that write both.

Fault model: see log_writer and page_flusher for the disks. A power cut of the host ends all
processes at once; what is left is on the volumes. When a disk is full the group stops: nothing
more is acknowledged, and everything acknowledged before is on disk.
"""

from collections.abc import Generator, Sequence
from typing import Any

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats import log_records
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import checkpoint_name
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import LogFrame
from emulators.ese.formats.page import HEADER_PAGES, Page, page_offset
from emulators.ese.formats.schema import TableDefinition
from emulators.ese.formats.values import LGPOS_ZERO, DbmsParam, LogTime, Signature
from emulators.ese.running.circular_logging import DBMS_CIRCULAR
from emulators.ese.running.database_file import DatabaseFile
from emulators.ese.running.log_buffer import LogBuffer
from emulators.ese.running.log_writer import LogWriter
from emulators.ese.running.page_flusher import PageFlusher
from emulators.ese.running.parameters import Parameters
from emulators.ese.trees.database import Database, DatabaseBuilder
from emulators.ese.trees.editor import DBID, Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.transaction import Transaction
from sim.host import Host
from sim.kernel import Kernel, Signal
from sim.streams import Stream
from sim.trace import Trace
from sim.volume import DiskFull, Volume, VolumeLost

Process = Generator[Any, Any, None]
IDLE_CHECKS_PER_ROLL = 10


class StorageGroup:
    """One storage group with one database.

    Args:
        kernel: simulated time.
        trace: where rolls, checkpoints and headers are recorded.
        stream: draws the signatures.
        host: the server; its power cut ends the group.
        name: the group's display name ('SG1').
        database_name: the database file's name ('MDB1.edb').
        log_volume: where logs and checkpoint lie.
        database_volume: where the database lies.
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
        database_name: str,
        log_volume: Volume,
        database_volume: Volume,
        parameters: Parameters,
        epoch_ns: int,
    ) -> None:
        self._kernel = kernel
        self._trace = trace
        self._host = host
        self._epoch_ns = epoch_ns
        self.name = name
        self.database_name = database_name
        self.parameters = parameters
        self.log_volume = log_volume
        self.database_volume = database_volume
        self._log_signature = self._sign(stream)
        self._database_signature = self._sign(stream)
        log_format = parameters.file_format
        frame = LogFrame(parameters.generation_first, log_format.log_bytes)
        self._buffer = LogBuffer(log_format, frame)
        self.log = LogWriter(
            kernel,
            trace,
            log_volume,
            parameters.prefix,
            log_format,
            self._buffer,
            self._log_header,
            self,
            self.wall_ns,
            circular=parameters.circular_logging,
        )
        self._transaction_last = 0
        self.is_frozen = False
        self._has_database = False

    def wall_ns(self) -> int:
        """Return the calendar time, nanoseconds since 1970."""
        return self._epoch_ns + self._kernel.now_ns

    @property
    def error(self) -> EseError | None:
        """What stopped the group, or None while it runs."""
        return self.log.error or (self._file.error if self._has_database else None)

    def create(self, tables: Sequence[TableDefinition]) -> Process:
        """Make log, checkpoint and database on empty volumes, mount, and start the processes."""
        self.checkpoint = Checkpoint(
            checkpoint=self._buffer.appended,
            signature=self._log_signature,
            parameters=self._dbms_parameters(),
        )
        yield from self.log.create_first()
        yield self.log_volume.create(checkpoint_name(self.parameters.prefix))
        yield self.log_volume.write(
            checkpoint_name(self.parameters.prefix), 0, (self.checkpoint.pack(),)
        )
        yield self.log_volume.flush(checkpoint_name(self.parameters.prefix))
        yield from self._create_database(tables)
        self._start()
        yield from self._attach()

    def begin(self) -> Transaction:
        """Begin a transaction; it ends before simulated time goes on."""
        self._transaction_last += 1
        return Transaction(self.editor, self._transaction_last)

    def commit(self, transaction: Transaction) -> Signal:
        """Commit; the signal fires when the commit record is on disk (the acknowledgement).

        It fails with EseError -529 or -1808 when a disk is full, -510 or -1022 when it is lost.
        """
        transaction.commit()
        if self._file.error is not None:
            refused = self._kernel.signal()
            refused.fail(self._file.error)
            return refused
        return self.log.commit(transaction.begin)

    def admit(self) -> Process:
        """Wait while the log buffers are full."""
        while self.log.backlog_bytes > self.parameters.log_backlog_bytes_max:
            yield self.log.commit(self.log.flushed)

    def freeze(self) -> Process:
        """Bring the files to a consistent stand for a snapshot (exchange.md 4.7).

        Every committed record is then in numbered archives, the new generation exists only as
        E00tmp.log, and no page is written until `thaw`. With circular logging there is no new
        generation; log writes are held instead.
        """
        assert not self.is_frozen, f"{self.name} is frozen already"
        self.is_frozen = True
        self._log_backup()
        yield from self._flusher.pause()
        try:
            circular = self.parameters.circular_logging
            yield self.log.hold() if circular else self.log.stop_at_roll()
        except EseError:
            self.thaw()
            raise
        if not self.is_frozen:
            raise ese_error(-2402, self.name, "thaw after the freeze has returned")
        self._trace.record("ese.freeze", group=self.name)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        assert self.is_frozen, f"{self.name} is not frozen"
        self.is_frozen = False
        self.log.resume()
        self._flusher.resume()
        self._trace.record("ese.thaw", group=self.name)

    def before_roll(self, generation: int) -> Process:
        """Note in the header what is required and committed (exchange.md 1.2)."""
        depth = self.parameters.waypoint_depth
        reached = min(generation - depth, generation - 1)
        waypoint = max(self._file.waypoint, reached)
        created = LogTime.from_ns(self.wall_ns())
        self._file.header.dbtime = self.editor.dbtime
        try:
            yield from self._file.write_header(generation, created, waypoint)
        except (DiskFull, VolumeLost) as error:
            raise self._file.fail(error) from error

    def after_roll(self, generation: int) -> None:
        """Let pages that the new waypoint frees be written."""
        del generation
        self._flusher.wake()

    def first_required(self) -> int:
        """Return the lowest generation that the database's header asks for."""
        return self._file.header.generation_min_required

    def _start(self) -> None:
        prefix = self.parameters.prefix
        spawn = self._kernel.spawn
        spawn(self.log.run(), name=f"{prefix} log writer", host=self._host)
        spawn(self._flusher.run(), name=f"{prefix} page flusher", host=self._host)
        spawn(self._roll_when_idle(), name=f"{prefix} idle roll", host=self._host)

    def _create_database(self, tables: Sequence[TableDefinition]) -> Process:
        builder = DatabaseBuilder(tables, self.parameters.file_format)
        page_bytes = self.parameters.file_format.page_bytes
        pages = builder.pages()
        last_pgno = builder.pages_total
        header = DatabaseHeader(
            file_format=self.parameters.file_format,
            signature=self._database_signature,
            log_signature=self._log_signature,
            dbtime=builder.dbtime,
            objid_last=builder.objid_last,
        )
        cache = PageCache(self._load, self.parameters.file_format)
        for page in pages.values():
            cache.adopt(page)
        self.editor = Editor(cache, self._buffer.append, builder.dbtime)
        self._file = DatabaseFile(
            self._kernel,
            self._trace,
            self.database_volume,
            self.database_name,
            header,
            cache,
            last_pgno,
            waypoint=self.parameters.generation_first,
        )
        self._has_database = True
        volume, name = self.database_volume, self.database_name
        yield volume.create(name)
        block = header.pack()
        yield volume.write(name, 0, (block, block))
        yield volume.truncate(name, (last_pgno + HEADER_PAGES) * page_bytes)
        for pgno, page in pages.items():
            yield volume.write(name, page_offset(pgno, page_bytes), (page.to_bytes(pgno),))
        yield volume.flush(name)
        space = Space(cache, self.editor, self._file.grow)
        self.database = Database(cache, self.editor, space)
        self._flusher = PageFlusher(
            self._kernel,
            self._trace,
            self.parameters,
            self.parameters.prefix,
            self.log_volume,
            self.log,
            self._file,
            self.checkpoint,
        )

    def _attach(self) -> Process:
        """Attach the new database: from here on it is dirty and the log is needed."""
        header = self._file.header
        position = self._buffer.append(
            log_records.encode(
                log_records.AttachDb(
                    procid=0,
                    dbid=DBID,
                    pages_max=0,
                    lgpos_consistent=LGPOS_ZERO,
                    signature=self._database_signature,
                    log_signature=self._log_signature,
                    path=self.database_name,
                )
            )
        )
        yield self.log.commit(position)
        now = LogTime.from_ns(self.wall_ns())
        header.state = DatabaseState.DIRTY_SHUTDOWN
        header.attach = position
        header.attach_time = now
        generation = self.parameters.generation_first
        yield from self._file.write_header(generation, now, generation)

    def _roll_when_idle(self) -> Process:
        """Close a part-filled log after a while, so that little hangs on it (exchange.md 1.3).

        Asked at the very moment the period ends: 15 minutes make 96 logs a day, not fewer (A6).
        """
        period = self.parameters.idle_roll_ns
        while True:
            left = self.log.rolled_ns + period - self._kernel.now_ns
            if left > 0:
                yield self._kernel.sleep(left)
                continue
            is_running = not self.is_frozen and self.error is None
            if is_running and self._buffer.has_records:
                self._buffer.close_generation()
                self.log.wake()
            yield self._kernel.sleep(period // IDLE_CHECKS_PER_ROLL)

    def _log_backup(self) -> None:
        record = log_records.Backup2(
            phase=0, kind=0, scope=0, dbid=DBID, details=bytes(24), reserved=0, data=b""
        )
        self._buffer.append(log_records.encode(record))

    def _log_header(self, generation: int, created: LogTime, previous: LogTime) -> LogHeader:
        return LogHeader(
            generation=generation,
            created=created,
            previous_created=previous,
            signature=self._log_signature,
            log_format=self.parameters.file_format,
            parameters=self._dbms_parameters(),
            checkpoint=self.checkpoint.checkpoint,
        )

    def _dbms_parameters(self) -> DbmsParam:
        return DbmsParam(
            system_path=f"{self.log_volume.name}/",
            log_path=f"{self.log_volume.name}/",
            flags=DBMS_CIRCULAR if self.parameters.circular_logging else 0,
            log_sectors=self.parameters.file_format.log_sectors,
        )

    def _load(self, pgno: int) -> Page:
        page_bytes = self.parameters.file_format.page_bytes
        offset = page_offset(pgno, page_bytes)
        image = self.database_volume.peek(self.database_name, offset, page_bytes)
        return Page.from_bytes(image, pgno, self.database_name)

    def _sign(self, stream: Stream) -> Signature:
        return Signature(stream.bits(32), LogTime.from_ns(self.wall_ns()), "")
