"""The process that writes dirty pages and moves the checkpoint.

Fault model of the database volume: a power cut may keep, tear or lose each page write since the
last flush. Torn pages fail their checksum (-1018); a lost page write is redone from the log, as
its records lie at or after the checkpoint, which moves only after a flush. A misdirected write
is noticed through the page number in the checksum. A lost write that nothing in the log covers
any more is not noticed, as in ESE. A database whose disk is full or lost stops alone, and holds
the group's checkpoint back from then on.
"""

from collections.abc import Generator
from typing import Any

from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.format import checkpoint_name
from emulators.ese.formats.values import Lgpos
from emulators.ese.running.database_file import DatabaseFile
from emulators.ese.running.log_writer import LogWriter
from emulators.ese.running.parameters import Parameters
from emulators.ese.trees.page_cache import LGPOS_MAX
from sim.kernel import Kernel, Signal
from sim.trace import Trace
from sim.volume import DiskFull, Volume, VolumeLost

Process = Generator[Any, Any, None]


class PageFlusher:
    """Keeps the checkpoint within its depth of the log's tip (exchange.md F11, A3).

    Args:
        kernel: simulated time.
        trace: where checkpoints are recorded.
        parameters: checkpoint depth, waypoint depth and the checkpoint file's base name.
        log_volume: where the checkpoint file lies.
        log: tells the tip and which transactions are not on disk.
        checkpoint: as written last; its file exists. It is that of all databases of the group.
    """

    def __init__(
        self,
        kernel: Kernel,
        trace: Trace,
        parameters: Parameters,
        log_volume: Volume,
        log: LogWriter,
        checkpoint: Checkpoint,
    ) -> None:
        self._kernel = kernel
        self._trace = trace
        self._parameters = parameters
        self._volume = log_volume
        self._log = log
        self._files: dict[str, DatabaseFile] = {}
        self._drained: dict[str, Signal] = {}
        self.checkpoint = checkpoint
        self._work = kernel.signal()
        self._paused = False
        self._is_closing = False
        self._idle = kernel.signal()
        self._idle.fire()

    def add(self, file: DatabaseFile) -> None:
        """Look after the pages of one more database."""
        self._files[file.name] = file

    def remove(self, file: DatabaseFile) -> None:
        """Leave a database alone from now on."""
        del self._files[file.name]

    def wake(self) -> None:
        """Let the flusher look for pages that are due."""
        if not self._work.fired:
            self._work.fire()

    def drain(self, file: DatabaseFile) -> Signal:
        """Return a signal that fires when all pages of a database are on disk.

        All its records must be on disk, and the database must not change any more. The signal
        fails with the database's error.
        """
        self._drained[file.name] = self._kernel.signal()
        self.wake()
        return self._drained[file.name]

    def pause(self) -> Process:
        """Finish the batch being written and write no more: database I/O is latched (4.7)."""
        self._paused = True
        for file in self._files.values():
            file.latch()
        yield self._idle

    def resume(self) -> None:
        """Go on after `pause`."""
        self._paused = False
        for file in self._files.values():
            file.release()
        self.wake()

    def close(self) -> None:
        """End `run`."""
        self._is_closing = True
        self.wake()

    def run(self) -> Process:
        """Write until the end of the run, or until the disk of the checkpoint is lost."""
        while not self._is_closing:
            yield self._work
            self._work = self._kernel.signal()
            if self._paused:
                continue
            self._idle = self._kernel.signal()
            try:
                yield from self._flush()
            except (DiskFull, VolumeLost):
                # The log lies on the same disk, and its writer stops the group.
                self._is_closing = True
            self._idle.fire()

    def write_checkpoint(self, position: Lgpos) -> Process:
        """Move the checkpoint to a position before which nothing is needed, on disk."""
        self.checkpoint.checkpoint = position
        name = checkpoint_name(self._parameters.prefix)
        yield self._volume.write(name, 0, (self.checkpoint.pack(),))
        yield self._volume.flush(name)
        for file in self._files.values():
            file.min_required = max(file.min_required, position.generation)
        prefix = self._parameters.prefix
        self._trace.record("ese.checkpoint", prefix=prefix, lgpos=str(position))

    def _flush(self) -> Process:
        wrote = False
        for file in list(self._files.values()):
            if file.error is None:
                wrote |= yield from self._flush_one(file)
        if wrote:
            yield from self._advance()
        self._tell_drained()

    def _flush_one(self, file: DatabaseFile) -> Generator[Any, Any, bool]:
        """Write what is due of one database; return whether anything was."""
        if file.name in self._drained:
            older_than, on_disk = LGPOS_MAX, self._log.buffer.appended.generation
        else:
            tip = self._log.buffer.appended.generation
            older_than = Lgpos(tip - self._parameters.checkpoint_depth_generations, 0, 0)
            on_disk = self._log.flushed.generation - 1
        together = self._parameters.unflushed_pages_max
        try:
            wrote = yield from file.write_due(older_than, on_disk, together)
            while wrote and file.name in self._drained and file.cache.dirty_count:
                wrote = yield from file.write_due(LGPOS_MAX, on_disk, together)
        except (DiskFull, VolumeLost) as error:
            file.fail(error)
            return False
        return wrote

    def _tell_drained(self) -> None:
        for name in list(self._drained):
            file = self._files[name]
            if file.error is not None:
                self._drained.pop(name).fail(file.error)
            elif not file.cache.dirty_count:
                self._drained.pop(name).fire()

    def _advance(self) -> Process:
        if any(file.error is not None for file in self._files.values()):
            return  # pages that were taken to be written may not have come to the disk
        oldest = (file.cache.oldest_dirty() for file in self._files.values())
        position = min(self._log.flushed, *oldest)
        begin = self._log.oldest_unflushed_begin()
        if begin is not None:
            position = min(position, begin)
        if position > self.checkpoint.checkpoint:
            yield from self.write_checkpoint(position)
