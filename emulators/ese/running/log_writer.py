"""The process that puts the log buffer on disk: group commit, and the roll to the next generation.

Fault model: a power cut may keep, tear or lose the last write to the current log; what was
acknowledged had been flushed before. A crash between the two renames of a roll leaves no E00.log
but an E00tmp.log without records (exchange.md 1.1, R1). Media errors in closed logs are not made
here; recovery finds them by checksum. The loss of a disk stops the group (-510): commits that wait
then fail, and what was acknowledged stays true.

When the log disk is full at a roll (-529), or the last generation was reached (-519), commits are
refused from then on. What was appended before is still written, into the reserve logs or the last
generation, and acknowledged as far as these reach; so is what the dismount of the databases logs,
which the observer is asked for then.
"""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from emulators.ese.errors import EseError, ese_error, refusal
from emulators.ese.events import Event, event
from emulators.ese.formats.format import SECTOR_BYTES, Format
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import LogFrame, lgpos_at
from emulators.ese.formats.values import Lgpos, LogTime
from emulators.ese.running.log_buffer import LogBuffer
from emulators.ese.running.log_files import LogFiles
from emulators.ese.running.log_sequence import generations_left, sequence_end, warning_is_due
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

    def first_required(self) -> int:
        """Return the lowest generation that a header on disk asks for."""

    def take_leave(self) -> None:
        """Dismount everything, and close the log: commits are refused from now on."""


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
        circular: whether logs that no database requires are deleted at each roll (F15).

    Attributes:
        events: what was written to the event log: 514, 428 and 429.
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
        *,
        circular: bool = False,
    ) -> None:
        self._kernel = kernel
        self._trace = trace
        self._volume = volume
        self._prefix = prefix
        self._format = log_format
        self.files = LogFiles(volume, prefix, log_format, header, wall_ns, circular=circular)
        self.buffer = buffer
        self._observer = observer
        self._circular = circular
        self._waiters: deque[CommitWaiter] = deque()
        self._work = kernel.signal()
        self._frozen: Signal | None = None
        self._frozen_generation = 0
        self._resume = kernel.signal()
        self._is_held = False
        self._is_closing = False
        self._refused: EseError | None = None
        self._has_asked = False
        self.events: list[Event] = []
        self.flushed = buffer.appended
        self.rolled_ns = kernel.now_ns
        self._stopped: EseError | None = None

    @property
    def error(self) -> EseError | None:
        """Why commits are refused, None while they are not."""
        return self._stopped or self._refused

    @property
    def backlog_bytes(self) -> int:
        """Bytes of the log that are appended but not on disk."""
        tip, flushed = self.buffer.appended, self.flushed
        generations = (tip.generation - flushed.generation) * self._format.log_bytes
        sectors = (tip.sector - flushed.sector) * SECTOR_BYTES
        return generations + sectors + tip.byte - flushed.byte

    def create_first(self) -> Process:
        """Make the reserve logs and the log of the first generation on an empty volume."""
        yield from self.files.create_reserves()
        yield from self.files.prepare(self.buffer.generation)
        yield from self.files.promote_temporary()

    def resume_stream(self, frame: LogFrame, header: LogHeader) -> Process:
        """Go on with the current log that is on disk, and make the reserve logs that are used.

        Raises:
            EseError: -548: it is the last generation, which is kept for the end of a stream.
        """
        if header.generation >= self._format.generation_max:
            where = f"{self.files.current} generation {header.generation:#x}"
            raise sequence_end(where, is_consistent=True)
        yield from self.files.create_reserves()
        self.files.newest = header
        self.buffer.resume(frame)
        self.flushed = self.buffer.appended

    def close(self) -> None:
        """End `run` when all that was appended is on disk."""
        self._is_closing = True
        self.wake()

    def commit(self, begin: Lgpos) -> Signal:
        """Return a signal that fires when all that was appended so far is on disk.

        Args:
            begin: where the transaction began; kept back from the checkpoint until then.
        """
        if self._refused is None:
            return self.settle(begin)
        refused = self._kernel.signal()
        refused.fail(self._refused)
        return refused

    def settle(self, begin: Lgpos) -> Signal:
        """Do as `commit`, also while commits are refused: for the records of a dismount."""
        signal = self._kernel.signal()
        if self._stopped is not None:
            signal.fail(self._stopped)
            return signal
        if self.flushed >= self.buffer.appended:
            signal.fire(self.flushed)
            return signal
        if self.buffer.appended <= self.flushed:
            signal.fire(self.flushed)
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
        frozen = self._begin_freeze()
        if not frozen.fired:
            self._frozen_generation = self.buffer.generation
            self.buffer.close_generation()
            self.wake()
        return frozen

    def hold(self) -> Signal:
        """Write nothing from the next moment on at which there is no E00tmp.log.

        This is what a VSS freeze does to a group with circular logging (exchange.md 4.7): there is
        no new generation. The signal fires when the writer stands still.
        """
        frozen = self._begin_freeze()
        self._is_held = not frozen.fired
        self.wake()
        return frozen

    def resume(self) -> None:
        """Go on after `stop_at_roll` or `hold`, whether the stop had been reached or not.

        Its signal fires in any case, so that who still waits for it can give up.
        """
        assert self._frozen is not None, "the log is not frozen"
        frozen, self._frozen = self._frozen, None
        if not frozen.fired:
            frozen.fire()
        self._is_held = False
        self._resume.fire()

    def run(self) -> Process:
        """Write until the end of the run; a full or lost disk ends it and fails all commits."""
        try:
            while True:
                if self._work.fired:
                    self._work = self._kernel.signal()
                yield from self._write_out()
                if self._is_closing:
                    break
                if self._refused is not None and not self._has_asked:
                    self._has_asked = True
                    self._observer.take_leave()
                if not self._work.fired:
                    yield self._work
        except (DiskFull, VolumeLost, EseError) as error:
            self._fail(error)
        if self._refused is not None and self._stopped is None:
            self._fail(self._refused)

    def _begin_freeze(self) -> Signal:
        assert self._frozen is None, "the log is being frozen already"
        self._frozen = self._kernel.signal()
        self._frozen_generation = 0
        self._resume = self._kernel.signal()
        if self.error is not None:
            self._frozen.fail(self.error)
        return self._frozen

    def _write_out(self) -> Process:
        yield from self._stand_still()
        while self.flushed < self.buffer.appended or self.buffer.flushing_is_closed:
            if self.buffer.flushing.pending:
                yield from self._flush()
            else:
                yield from self._roll()
            yield from self._stand_still()

    def _stand_still(self) -> Process:
        """Stay here while writes are held."""
        if self._is_held and self._frozen is not None:
            yield from self.files.discard_temporary()
            self._frozen.fire()
            yield self._resume

    def _flush(self) -> Process:
        """Write what the generation has to write."""
        frame = self.buffer.flushing
        end = lgpos_at(frame.generation, frame.position)
        offset, data = frame.flush()
        name = self.files.current
        written = self._volume.write(name, offset, (data,))
        yield self._kernel.all_of((written, self._volume.flush(name)))
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
        yield from self.files.archive_current(generation)
        if generation == self._frozen_generation and self._stops_for_freeze():
            yield self._resume
        yield from self.files.promote_temporary()
        self.buffer.rolled()
        frame = self.buffer.flushing
        self.flushed = max(self.flushed, lgpos_at(frame.generation, frame.first_position))
        self.rolled_ns = self._kernel.now_ns
        self._acknowledge()
        self._observer.after_roll(frame.generation)
        self._trace.record("log.roll", prefix=self._prefix, generation=frame.generation)
        if self._circular:
            yield from self.files.delete_before(self._observer.first_required())

    def _stops_for_freeze(self) -> bool:
        """Tell who froze the log that it stands; nobody waits any more after an early thaw."""
        if self._frozen is None or self._frozen.fired:
            return False
        self._frozen.fire()
        return True

    def _prepare(self, generation: int) -> Process:
        """Prepare E00tmp.log; refuse commits from now on where it is of the last kind there is."""
        where = f"{self.files.current} generation {generation - 1}"
        if generation > self._format.generation_max:
            raise sequence_end(where)
        if warning_is_due(generation, self._format):
            self._note(514, generations_left(generation, self._format))
        is_reserve = yield from self.files.prepare(generation)
        if is_reserve:
            self._note(428, where)
            hint = "free space on the log volume, then mount"
            self._refuse(refusal(-529, f"{where}: in a reserve log", hint, 428, 429))
        elif generation == self._format.generation_max:
            self._refuse(sequence_end(where))

    def _refuse(self, error: EseError) -> None:
        """Take nothing new from now on."""
        if self._refused is None:
            self._refused = error
            if self._frozen is not None and not self._frozen.fired:
                self._frozen.fail(error)

    def _note(self, event_id: int, where: str) -> None:
        self.events.append(event(event_id, where))
        self._trace.record("ese.event", prefix=self._prefix, id=event_id, where=where)

    def _fail(self, error: DiskFull | VolumeLost | EseError) -> None:
        where = f"{self.files.current} generation {self.buffer.flushing.generation}"
        if self._refused is not None:
            self._stopped = self._refused
        elif isinstance(error, EseError):
            self._stopped = error
        elif isinstance(error, DiskFull):
            hint = f"free space on the log volume, then mount ({error})"
            self._stopped = ese_error(-529, where, hint)
        else:
            self._stopped = ese_error(-510, where, f"recover from a copy ({error})")
        if self._stopped.code == -529:
            self._note(429, where)
        while self._waiters:
            self._waiters.popleft().signal.fail(self._stopped)
        if self._frozen is not None and not self._frozen.fired:
            self._frozen.fail(self._stopped)
        self._trace.record("log.stopped", prefix=self._prefix, code=self._stopped.code)
