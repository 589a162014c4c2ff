"""The log files of one storage group on its volume: made, rolled, deleted, and kept in reserve.

Fault model: names and lengths are durable at once, contents when they are flushed. The volume may
be full at any growth. A next log is then made of a reserve log, whose room is taken already
(exchange.md F7, F17). A power cut between any two steps leaves files that recovery accepts: a
reserve log that has become E00tmp.log and has no header yet stands beside a whole E00.log.

Only room is reserved: nothing ever reads a reserve log, so its bytes are zeros that cost nothing,
where ESE writes its fill pattern.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from emulators.ese.formats.format import (
    Format,
    archive_generation,
    archive_name,
    current_name,
    reserve_names,
    temporary_name,
)
from emulators.ese.formats.log_file import FLAG_RESERVE_LOG, LogHeader
from emulators.ese.formats.log_stream import blank_log
from emulators.ese.formats.values import LOG_TIME_ZERO, LogTime
from emulators.ese.running.circular_logging import circular_flags
from sim.kernel import Signal
from sim.volume import DiskFull, Volume

Process = Generator[Any, Any, None]


class LogFiles:
    """The names of exchange.md F2 to F7 on one volume.

    Args:
        volume: the log volume.
        prefix: base name of the log files ('E00').
        log_format: sizes and versions.
        header: makes the header of a generation from its creation time and that of the one before.
        wall_ns: the calendar time, in nanoseconds since 1970.
        circular: whether circular logging is on.

    Attributes:
        newest: the header of the log prepared last, which the next one follows; None at the
            beginning of a stream.
    """

    def __init__(
        self,
        volume: Volume,
        prefix: str,
        log_format: Format,
        header: Callable[[int, LogTime, LogTime], LogHeader],
        wall_ns: Callable[[], int],
        *,
        circular: bool,
    ) -> None:
        self.volume = volume
        self.current = current_name(prefix)
        self._temporary = temporary_name(prefix)
        self._prefix = prefix
        self._format = log_format
        self._header = header
        self._wall_ns = wall_ns
        self._circular = circular
        self.newest: LogHeader | None = None

    def create_reserves(self) -> Process:
        """Take the room of the reserve logs that are not there, as each start does (F7)."""
        for name in reserve_names(self._prefix, self._format):
            if not self.volume.exists(name):
                yield self.volume.create(name)
                yield self.volume.truncate(name, self._format.log_bytes)

    def prepare(self, generation: int) -> Generator[Any, Any, bool]:
        """Format E00tmp.log as the log of `generation`; return whether a reserve log was used.

        Raises:
            DiskFull: the volume has no room, and the reserve logs are used up.
        """
        header = self._next_header(generation)
        yield from self.discard_temporary()
        yield self.volume.create(self._temporary)
        is_reserve = False
        try:
            yield self._write(header)
        except DiskFull:
            yield from self._take_reserve()
            is_reserve = True
            header = replace(header, flags=header.flags | FLAG_RESERVE_LOG)
            yield self._write(header)
        self.newest = header
        yield self.volume.flush(self._temporary)
        return is_reserve

    def archive_current(self, generation: int) -> Process:
        """Give the log that is full the name of its generation."""
        archive = archive_name(self._prefix, generation, self._format)
        yield self.volume.rename(self.current, archive)

    def promote_temporary(self) -> Process:
        """Make the prepared log the current one."""
        yield self.volume.rename(self._temporary, self.current)

    def discard_temporary(self) -> Process:
        """Delete E00tmp.log where one is left over."""
        if self.volume.exists(self._temporary):
            yield self.volume.delete(self._temporary)

    def delete_before(self, generation: int) -> Process:
        """Delete the archives below a generation, oldest first so that no hole ever shows."""
        for name in self.volume.names():
            found = archive_generation(name, self._prefix, self._format)
            if found is not None and found < generation:
                yield self.volume.delete(name)

    def _next_header(self, generation: int) -> LogHeader:
        before = self.newest
        previous_created = LOG_TIME_ZERO if before is None else before.created
        header = self._header(generation, LogTime.from_ns(self._wall_ns()), previous_created)
        return replace(header, flags=circular_flags(is_on=self._circular, before=before))

    def _write(self, header: LogHeader) -> Signal:
        blank = blank_log(header.pack(), header.generation, self._format.log_bytes)
        return self.volume.write(self._temporary, 0, blank)

    def _take_reserve(self) -> Process:
        """Put the last reserve log in the place of an E00tmp.log that has no room.

        Raises:
            DiskFull: there is none left.
        """
        yield self.volume.delete(self._temporary)
        left = [
            name for name in reserve_names(self._prefix, self._format) if self.volume.exists(name)
        ]
        if not left:
            needed, free = self._format.log_bytes, self.volume.free_bytes
            raise DiskFull(self.volume.name, self._temporary, needed, free)
        yield self.volume.rename(left[-1], self._temporary)
