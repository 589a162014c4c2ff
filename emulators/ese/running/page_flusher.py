"""The process that writes dirty pages and moves the checkpoint.

Fault model of the database volume: a power cut may keep, tear or lose each page write since the
last flush. Torn pages fail their checksum (-1018); a lost page write is redone from the log, as
its records lie at or after the checkpoint, which moves only after a flush. A misdirected write
is noticed through the page number in the checksum. A lost write that nothing in the log covers
any more is not noticed, as in ESE.
"""

from collections.abc import Generator
from typing import Any

from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.format import checkpoint_name
from emulators.ese.formats.values import Lgpos
from emulators.ese.running.database_file import DatabaseFile
from emulators.ese.running.log_writer import LogWriter
from emulators.ese.running.parameters import Parameters
from sim.kernel import Kernel
from sim.trace import Trace
from sim.volume import DiskFull, Volume, VolumeLost

Process = Generator[Any, Any, None]


class PageFlusher:
    """Keeps the checkpoint within its depth of the log's tip (exchange.md F11, A3).

    Args:
        kernel: simulated time.
        trace: where checkpoints are recorded.
        parameters: checkpoint depth and waypoint depth.
        prefix: base name of the checkpoint file ('E00').
        log_volume: where the checkpoint file lies.
        log: tells the tip and which transactions are not on disk.
        database: the pages.
        checkpoint: as written last; its file exists.
    """

    def __init__(
        self,
        kernel: Kernel,
        trace: Trace,
        parameters: Parameters,
        prefix: str,
        log_volume: Volume,
        log: LogWriter,
        database: DatabaseFile,
        checkpoint: Checkpoint,
    ) -> None:
        self._kernel = kernel
        self._trace = trace
        self._parameters = parameters
        self._prefix = prefix
        self._volume = log_volume
        self._log = log
        self._database = database
        self.checkpoint = checkpoint
        self._work = kernel.signal()
        self._paused = False
        self._idle = kernel.signal()
        self._idle.fire()

    def wake(self) -> None:
        """Let the flusher look for pages that are due."""
        if not self._work.fired:
            self._work.fire()

    def pause(self) -> Process:
        """Finish the batch being written and write no more: database I/O is latched (4.7)."""
        self._paused = True
        self._database.latch()
        yield self._idle

    def resume(self) -> None:
        """Go on after `pause`."""
        self._paused = False
        self._database.release()
        self.wake()

    def run(self) -> Process:
        """Write until the end of the run, or until a disk is full or lost."""
        while self._database.error is None:
            yield self._work
            self._work = self._kernel.signal()
            if self._paused:
                continue
            self._idle = self._kernel.signal()
            try:
                yield from self._flush()
            except (DiskFull, VolumeLost) as error:
                self._database.fail(error)
            self._idle.fire()

    def _flush(self) -> Process:
        tip = self._log.buffer.appended.generation
        older_than = Lgpos(tip - self._parameters.checkpoint_depth_generations, 0, 0)
        wrote = yield from self._database.write_due(older_than)
        if wrote:
            yield from self._advance()

    def _advance(self) -> Process:
        position = min(self._log.flushed, self._database.cache.oldest_dirty())
        begin = self._log.oldest_unflushed_begin()
        if begin is not None:
            position = min(position, begin)
        if position <= self.checkpoint.checkpoint:
            return
        self.checkpoint.checkpoint = position
        name = checkpoint_name(self._prefix)
        yield self._volume.write(name, 0, (self.checkpoint.pack(),))
        yield self._volume.flush(name)
        self._database.min_required = position.generation
        self._trace.record("ese.checkpoint", prefix=self._prefix, lgpos=str(position))
