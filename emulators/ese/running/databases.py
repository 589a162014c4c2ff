"""The databases of a storage group that are mounted: attaching, detaching, and their headers.

Fault model: a crash after the attach record and before the dirty header leaves a clean database
that the log names, and one after the detach record and before the clean header a dirty database
without changes to redo; recovery knows both.
"""

from collections.abc import Callable, Generator
from itertools import count
from typing import Any

from emulators.ese.errors import EseError
from emulators.ese.formats.values import LOG_TIME_ZERO, LogTime
from emulators.ese.running.log_stream import LogStream
from emulators.ese.running.mounted_database import MountedDatabase, open_file, read_clean_header
from emulators.ese.running.parameters import Parameters
from sim.kernel import Kernel
from sim.trace import Trace
from sim.volume import DiskFull, Volume, VolumeLost

Process = Generator[Any, Any, None]


class Databases:
    """What is mounted, by file name and by number.

    Args:
        kernel: simulated time.
        trace: where mounts are recorded.
        volume: where the databases lie.
        parameters: settings.
        stream: the group's log.
        now: the calendar time.

    Attributes:
        committed: the newest generation that headers must name as committed: the log being
            written, or the one that is about to become it.
    """

    def __init__(
        self,
        kernel: Kernel,
        trace: Trace,
        volume: Volume,
        parameters: Parameters,
        stream: LogStream,
        now: Callable[[], LogTime],
    ) -> None:
        self._kernel = kernel
        self._trace = trace
        self._volume = volume
        self._parameters = parameters
        self._stream = stream
        self._now = now
        self._by_name: dict[str, MountedDatabase] = {}
        self._by_dbid: dict[int, MountedDatabase] = {}
        self.committed = 0
        self._committed_created = LOG_TIME_ZERO

    @property
    def error(self) -> EseError | None:
        """What stopped the last of them, None while one runs or none is mounted."""
        errors = [mounted.file.error for mounted in self._by_name.values()]
        return errors[0] if errors and None not in errors else None

    def names(self) -> list[str]:
        """Return the files' names in the order of their mounts."""
        return list(self._by_name)

    def named(self, name: str) -> MountedDatabase:
        """Return the database of that file; it must be mounted."""
        return self._by_name[name]

    def numbered(self, dbid: int) -> MountedDatabase:
        """Return the database with that number; it must be mounted."""
        return self._by_dbid[dbid]

    def free_dbid(self, wanted: int) -> int:
        """Return a number for a database: the one it had before, or the lowest that is free."""
        free = (dbid for dbid in count(1) if dbid not in self._by_dbid)
        return next(free) if wanted in self._by_dbid else wanted

    def note_newest(self, generation: int) -> None:
        """Note that the log prepared last is that of `generation`, which headers now name."""
        self.committed = generation
        self._committed_created = self._stream.newest_created

    def first_required(self) -> list[int]:
        """Return the first generation that each header on disk asks for."""
        return [mounted.file.required_on_disk for mounted in self._by_name.values()]

    def attach(self, name: str) -> Process:
        """Attach a clean database: from here on it is dirty and the log is needed.

        What is required starts at the tip, so that lost logs are tolerated only gradually (1.2).
        """
        header = read_clean_header(self._volume, name, self._parameters.file_format)
        header.dbid = self.free_dbid(header.dbid)
        file = open_file(
            self._kernel,
            self._trace,
            self._volume,
            name,
            header,
            bytes_max=self._parameters.database_bytes_max,
        )
        mounted = MountedDatabase(file, self._stream.append)
        position = self._stream.attach(mounted)
        yield self._stream.log.commit(position)
        header.log_signature = self._stream.signature
        file.attach(position, self._now())
        self._by_name[name] = self._by_dbid[mounted.dbid] = mounted
        self._stream.flusher.add(file)
        # From here on each roll writes this header too, so it must not fall behind the log.
        yield from self._write_header(mounted, self.committed)
        yield from file.write_streaming_header()
        self._trace.record("ese.mount", database=name, dbid=mounted.dbid, lgpos=str(position))

    def detach(self, mounted: MountedDatabase) -> Process:
        """Put everything on disk, then the detach record, then the clean header (1.2)."""
        file = mounted.file
        if file.error is not None:
            raise file.error
        mounted.is_leaving = True
        yield self._stream.log.settle(self._stream.appended)
        # While a database is detached the waypoint is the log's tip.
        yield from self._write_header(mounted, self.committed)
        yield self._stream.flusher.drain(file)
        position = self._stream.detach(mounted)
        yield self._stream.log.settle(position)
        del self._by_name[mounted.name], self._by_dbid[mounted.dbid]
        self._stream.flusher.remove(file)
        try:
            yield from file.write_clean_header(position, self._now(), mounted.editor.dbtime)
        except (DiskFull, VolumeLost) as error:
            raise file.fail(error) from error
        self._trace.record("ese.dismount", database=mounted.name, lgpos=str(position))

    def write_headers(self, generation: int) -> Process:
        """Let every header name a generation that is about to become the log being written.

        Raises:
            EseError: a header cannot be written, so the log cannot go on either.
        """
        self.note_newest(generation)
        required = self._parameters.required_at(generation)
        for name in self.names():
            if name in self._by_name:  # it may have been detached meanwhile
                yield from self._write_header(self._by_name[name], required)

    def _write_header(self, mounted: MountedDatabase, required: int) -> Process:
        file = mounted.file
        file.header.dbtime = mounted.editor.dbtime
        try:
            yield from file.write_header(self.committed, self._committed_created, required)
        except (DiskFull, VolumeLost) as error:
            raise file.fail(error) from error
