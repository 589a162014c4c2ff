"""The process that puts the log buffer on disk: group commit, and the roll to the next generation.

Fault model: a power cut may keep, tear or lose the last write to the current log; what was
acknowledged had been flushed before. A crash between the two renames of a roll leaves no E00.log
but an E00tmp.log without records (exchange.md 1.1, R1). Media errors in closed logs are not made
here; recovery finds them by checksum. A full log disk stops the group (-529), and so does the loss
of a disk (-510): commits that wait then fail, and what was acknowledged stays true.
"""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.format import (
    SECTOR_BYTES,
    Format,
    archive_name,
    current_name,
    temporary_name,
)
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import LogFrame, blank_log, lgpos_at
from emulators.ese.formats.values import LOG_TIME_ZERO, Lgpos, LogTime
from emulators.ese.running.log_buffer import LogBuffer
from sim.kernel import Kernel, Signal
from sim.trace import Trace
from sim.volume import DiskFull, Volume, VolumeLost

Process = Generator[Any, Any, None]


class RollObserver(Protocol):
    """What must happen in the database before a roll completes."""

    def before_roll(self, generation: int) -> Process:
        """Put on disk that `generation` is about to become the log being written.

        Raises:
            EseError: the database cannot be written, so the log cannot go on either.
        """

    def after_roll(self, generation: int) -> None:
        """Take note that `generation` is the log being written."""


@dataclass(slots=True)
class CommitWaiter:
    """A transaction whose commit record ends at `end`; it began at `begin`."""

    begin: Lgpos
    end: Lgpos
    signal: Signal


class LogWriter:
    """Writes one storage group's logs.

    Args:
        kernel: simulated time.
        trace: where flushes that matter are recorded.
        volume: the log volume.
        prefix: base name of the log files ('E00').
        log_format: sizes and versions.
        buffer: the log buffer to write out.
        header: makes the header of a generation from its creation time and that of the one before.
        observer: told before and after each roll.
        wall_ns: the calendar time, in nanoseconds since 1970.
    """

    def __init__(
        self,
        kernel: Kernel,
        trace: Trace,
        volume: Volume,
        prefix: str,
        log_format: Format,
        buffer: LogBuffer,
        header: Callable[[int, LogTime, LogTime], LogHeader],
        observer: RollObserver,
        wall_ns: Callable[[], int],
    ) -> None:
        self._kernel = kernel
        self._wall_ns = wall_ns
        self._trace = trace
        self._volume = volume
        self._prefix = prefix
        self._format = log_format
        self.buffer = buffer
        self._header = header
        self._observer = observer
        self._waiters: deque[CommitWaiter] = deque()
        self._work = kernel.signal()
        self._frozen: Signal | None = None
        self._frozen_generation = 0
        self._resume = kernel.signal()
        self._created = LOG_TIME_ZERO
        self._is_closing = False
        self.flushed = buffer.appended
        self.written_bytes = 0
        self.rolled_ns = kernel.now_ns
        self.error: EseError | None = None

    @property
    def backlog_bytes(self) -> int:
        """Bytes of the log that are appended but not on disk."""
        tip, flushed = self.buffer.appended, self.flushed
        generations = (tip.generation - flushed.generation) * self._format.log_bytes
        sectors = (tip.sector - flushed.sector) * SECTOR_BYTES
        return generations + sectors + tip.byte - flushed.byte

    def create_first(self) -> Process:
        """Make the log of the first generation on an empty volume."""
        generation = self.buffer.generation
        yield from self._prepare(generation)
        yield self._volume.rename(temporary_name(self._prefix), current_name(self._prefix))

    def resume_stream(self, frame: LogFrame, created: LogTime) -> None:
        """Go on with the current log that is on disk; `created` is its creation time."""
        self.buffer.resume(frame)
        self.flushed = self.buffer.appended
        self._created = created

    def close(self) -> None:
        """End `run` when all that was appended is on disk."""
        self._is_closing = True
        self.wake()

    def commit(self, begin: Lgpos) -> Signal:
        """Return a signal that fires when all that was appended so far is on disk.

        Args:
            begin: where the transaction began; kept back from the checkpoint until then.
        """
        signal = self._kernel.signal()
        if self.error is not None:
            signal.fail(self.error)
            return signal
        self._waiters.append(CommitWaiter(begin, self.buffer.appended, signal))
        self.wake()
        return signal

    def wake(self) -> None:
        """Let the writer look for work."""
        if not self._work.fired:
            self._work.fire()

    def oldest_unflushed_begin(self) -> Lgpos | None:
        """Return where the oldest transaction began whose commit is not on disk."""
        return self._waiters[0].begin if self._waiters else None

    def stop_at_roll(self) -> Signal:
        """Close the current generation and stop between the two renames of its roll.

        This is what a VSS freeze does to a group without circular logging (exchange.md 4.7). The
        signal fires when the archives hold every record appended until now.
        """
        assert self._frozen is None, "the log is being frozen already"
        self._frozen = self._kernel.signal()
        self._frozen_generation = self.buffer.generation
        self._resume = self._kernel.signal()
        if self.error is not None:
            self._frozen.fail(self.error)
            return self._frozen
        self.buffer.close_generation()
        self.wake()
        return self._frozen

    def resume(self) -> None:
        """Go on after `stop_at_roll`, whether the stop had been reached or not.

        Its signal fires in any case, so that who still waits for it can give up.
        """
        assert self._frozen is not None, "the log is not frozen"
        frozen, self._frozen = self._frozen, None
        if not frozen.fired:
            frozen.fire()
        self._resume.fire()

    def run(self) -> Process:
        """Write until the end of the run; a full or lost disk ends it and fails all commits."""
        try:
            while True:
                if self._work.fired:
                    self._work = self._kernel.signal()
                yield from self._write_out()
                if self._is_closing:
                    return
                if not self._work.fired:
                    yield self._work
        except (DiskFull, VolumeLost, EseError) as error:
            self._fail(error)

    def _write_out(self) -> Process:
        while self.flushed < self.buffer.appended or self.buffer.flushing_is_closed:
            yield from self._flush()
            if self.buffer.flushing_is_closed:
                yield from self._roll()

    def _flush(self) -> Process:
        """Write until the generation has nothing more to write: records come in meanwhile."""
        frame = self.buffer.flushing
        name = current_name(self._prefix)
        while frame.pending:
            end = lgpos_at(frame.generation, frame.position)
            offset, data = frame.flush()
            written = self._volume.write(name, offset, (data,))
            yield self._kernel.all_of((written, self._volume.flush(name)))
            self.written_bytes += len(data)
            self.flushed = max(self.flushed, end)
            self._acknowledge()

    def _acknowledge(self) -> None:
        while self._waiters and self._waiters[0].end <= self.flushed:
            self._waiters.popleft().signal.fire(self.flushed)

    def _roll(self) -> Process:
        """Make the next generation current (exchange.md 1.1, log roll sequence)."""
        generation = self.buffer.flushing.generation
        yield from self._prepare(generation + 1)
        yield from self._observer.before_roll(generation + 1)
        yield self._volume.rename(
            current_name(self._prefix), archive_name(self._prefix, generation, self._format)
        )
        if self._frozen is not None and generation == self._frozen_generation:
            self._frozen.fire()
            yield self._resume
        yield self._volume.rename(temporary_name(self._prefix), current_name(self._prefix))
        self.buffer.rolled()
        frame = self.buffer.flushing
        self.flushed = max(self.flushed, lgpos_at(frame.generation, frame.first_position))
        self.rolled_ns = self._kernel.now_ns
        self._acknowledge()
        self._observer.after_roll(frame.generation)
        self._trace.record("log.roll", prefix=self._prefix, generation=frame.generation)

    def _prepare(self, generation: int) -> Process:
        """Format E00tmp.log in full and put the header of `generation` in it."""
        name = temporary_name(self._prefix)
        created = LogTime.from_ns(self._wall_ns())
        header = self._header(generation, created, self._created).pack()
        self._created = created
        yield self._volume.create(name)
        yield self._volume.write(name, 0, blank_log(header, generation, self._format.log_bytes))
        yield self._volume.flush(name)

    def _fail(self, error: DiskFull | VolumeLost | EseError) -> None:
        where = f"{self._prefix}.log generation {self.buffer.flushing.generation}"
        if isinstance(error, EseError):
            self.error = error
        elif isinstance(error, DiskFull):
            hint = f"free space on the log volume, then mount ({error})"
            self.error = ese_error(-529, where, hint)
        else:
            self.error = ese_error(-510, where, f"recover from a copy ({error})")
        while self._waiters:
            self._waiters.popleft().signal.fail(self.error)
        if self._frozen is not None and not self._frozen.fired:
            self._frozen.fail(self.error)
        self._trace.record("log.stopped", prefix=self._prefix, code=self.error.code)
