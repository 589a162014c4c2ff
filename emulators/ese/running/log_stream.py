"""A storage group's log stream from its start to its end: what is begun, resumed and terminated.

Fault model: see existing_log for what may lie on the volume, and log_writer for the writing.
"""

from collections.abc import Callable, Generator
from typing import Any

from emulators.ese.formats import log_records
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.format import checkpoint_name
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import LogFrame
from emulators.ese.formats.values import DbmsParam, Lgpos, LogTime, Signature
from emulators.ese.running.attach_list import AttachList
from emulators.ese.running.circular_logging import DBMS_CIRCULAR
from emulators.ese.running.existing_log import find_log, read_checkpoint
from emulators.ese.running.log_buffer import LogBuffer
from emulators.ese.running.log_writer import LogWriter, RollObserver
from emulators.ese.running.mounted_database import MountedDatabase
from emulators.ese.running.page_flusher import PageFlusher
from emulators.ese.running.parameters import Parameters
from sim.kernel import Kernel
from sim.trace import Trace
from sim.volume import Volume

Process = Generator[Any, Any, None]


class LogStream:
    """The log, the checkpoint, and who is attached.

    Args:
        kernel: simulated time.
        trace: where rolls and checkpoints are recorded.
        volume: the log volume.
        parameters: settings.
        signature: of a stream that is begun; one that is resumed keeps its own.
        observer: told before and after each roll.
        wall_ns: the calendar time, in nanoseconds since 1970.
    """

    def __init__(
        self,
        kernel: Kernel,
        trace: Trace,
        volume: Volume,
        parameters: Parameters,
        signature: Signature,
        observer: RollObserver,
        wall_ns: Callable[[], int],
    ) -> None:
        self._volume = volume
        self._parameters = parameters
        self._wall_ns = wall_ns
        self._attached = AttachList()
        self.signature = signature
        log_format = parameters.file_format
        frame = LogFrame(parameters.generation_first, log_format.log_bytes)
        self._buffer = LogBuffer(log_format, frame)
        #: Appends a record and returns its position.
        self.append = self._buffer.append
        self.log = LogWriter(
            kernel,
            trace,
            volume,
            parameters.prefix,
            log_format,
            self._buffer,
            self._header,
            observer,
            wall_ns,
            circular=parameters.circular_logging,
        )
        self.checkpoint = Checkpoint(
            checkpoint=self._buffer.appended,
            signature=signature,
            parameters=self._dbms_parameters(),
        )
        self.flusher = PageFlusher(kernel, trace, parameters, volume, self.log, self.checkpoint)

    @property
    def appended(self) -> Lgpos:
        """Where the next record will begin."""
        return self._buffer.appended

    @property
    def newest_created(self) -> LogTime:
        """When the newest log was made; headers name it, as a proof of identity."""
        newest = self.log.files.newest
        assert newest is not None, "the stream has not begun"
        return newest.created

    def start(self) -> Process:
        """Go on with the stream on the volume, or begin one; then log that the engine started.

        Raises:
            EseError: -528, -501, -514 or -541: there are logs that cannot be continued.
        """
        prefix, log_format = self._parameters.prefix, self._parameters.file_format
        found = yield from find_log(self._volume, prefix, log_format)
        if found is None:
            yield from self.log.create_first()
        else:
            self.signature = found.header.signature
            yield from self.log.resume_stream(found.frame, found.header)
        self._take_over_checkpoint()
        name = checkpoint_name(prefix)
        if not self._volume.exists(name):
            yield self._volume.create(name)
        yield from self.flusher.write_checkpoint(self._buffer.appended)
        now = LogTime.from_ns(self._wall_ns())
        self.append(log_records.encode(log_records.Init2(self._dbms_parameters(), now)))

    def attach(self, mounted: MountedDatabase) -> Lgpos:
        """Log that a database is attached; return where the log says so."""
        position = self.append(log_records.encode(mounted.attach_record()))
        self._attached.attach(mounted.attach_info(position))
        return position

    def detach(self, mounted: MountedDatabase) -> Lgpos:
        """Log that a database is detached; return where the log says so."""
        record = log_records.DetachDb(procid=0, dbid=mounted.dbid, path=mounted.name)
        position = self.append(log_records.encode(record))
        self._attached.detach(mounted.dbid, position)
        return position

    def terminate(self) -> Generator[Any, Any, Lgpos]:
        """Log that the engine shut down; return from where a recovery would begin."""
        position = self.appended
        now = LogTime.from_ns(self._wall_ns())
        self.append(log_records.encode(log_records.Term2(position, position, 0, now)))
        yield self.log.settle(position)
        return position

    def _take_over_checkpoint(self) -> None:
        """Keep what the checkpoint file says of backups."""
        checkpoint = self.checkpoint
        checkpoint.signature = self.signature
        found = read_checkpoint(self._volume, self._parameters.prefix)
        if found is not None and found.signature == self.signature:
            checkpoint.full_backup_checkpoint = found.full_backup_checkpoint
            checkpoint.full_backup = found.full_backup
            checkpoint.full_backup_time = found.full_backup_time
            checkpoint.incremental_backup = found.incremental_backup
            checkpoint.incremental_backup_time = found.incremental_backup_time

    def _header(self, generation: int, created: LogTime, previous: LogTime) -> LogHeader:
        return LogHeader(
            generation=generation,
            created=created,
            previous_created=previous,
            signature=self.signature,
            log_format=self._parameters.file_format,
            parameters=self._dbms_parameters(),
            checkpoint=self.checkpoint.checkpoint,
            attachments=self._attached.at(generation),
        )

    def _dbms_parameters(self) -> DbmsParam:
        return DbmsParam(
            system_path=f"{self._volume.name}/",
            log_path=f"{self._volume.name}/",
            flags=DBMS_CIRCULAR if self._parameters.circular_logging else 0,
            log_sectors=self._parameters.file_format.log_sectors,
        )
