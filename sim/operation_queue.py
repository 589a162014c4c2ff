"""The way of an operation through a volume: issued, perhaps held, served, applied, shown, told.

Everything stays in the order of issue: the disk serves in order, what it has served is applied
in order, and a filter's push-back stops all that follows. A signal is fired only when the
queue's own state is in order again, so whoever is told may issue, hold, or cut the power.
"""

from collections import deque
from collections.abc import Callable

from sim.disk import Disk
from sim.kernel import Kernel, Signal
from sim.operation import Kind, Operation, Pending
from sim.volume_errors import VolumeError, VolumeHeld

__all__ = ["Filter", "OperationQueue"]

Filter = Callable[[Operation], Signal | None]


class OperationQueue:
    """The operations under way on one volume.

    Args:
        kernel: The kernel.
        volume: The volume's name.
        disk: The disk that serves it.
        apply: Carries an operation out; returns what its signal fires with.

    Attributes:
        filters: Who is shown every change.
        is_held: Whether operations wait for `release`.
    """

    __slots__ = (
        "_apply",
        "_delays",
        "_disk",
        "_epoch",
        "_hold_signal",
        "_in_progress",
        "_kernel",
        "_served",
        "_volume",
        "_waiting",
        "filters",
        "is_held",
    )

    def __init__(
        self, kernel: Kernel, volume: str, disk: Disk, apply: Callable[[Pending], object]
    ) -> None:
        self._kernel = kernel
        self._volume = volume
        self._disk = disk
        self._apply = apply
        self._epoch = 0
        self._in_progress: deque[Pending] = deque()
        self._waiting: deque[tuple[Pending, int]] = deque()
        self._served = 0  # how many of those in progress the disk is done with
        self._delays = 0  # how many push-back signals the head waits for
        self._hold_signal: Signal | None = None
        self.filters: list[Filter] = []
        self.is_held = False

    def issue(self, pending: Pending, byte_count: int) -> None:
        """Begin an operation, or let it wait while the volume is held."""
        if self.is_held:
            self._waiting.append((pending, byte_count))
        else:
            self._submit(pending, byte_count)

    def hold(self) -> Signal:
        """Let later operations wait; the signal fires when all earlier ones have completed."""
        if self.is_held:
            raise VolumeHeld(self._volume)
        self.is_held = True
        signal = self._kernel.signal()
        if self._in_progress:
            self._hold_signal = signal
        else:
            signal.fire()
        return signal

    def release(self) -> None:
        """Let the operations that waited go on."""
        self.is_held = False
        self._hold_signal = None
        waiting, self._waiting = self._waiting, deque()
        for pending, byte_count in waiting:
            self._submit(pending, byte_count)

    def abandon(self) -> list[Pending]:
        """Drop everything under way, and the filters; returns the operations dropped."""
        self._epoch += 1
        self._disk.drop(self)
        dropped = [*self._in_progress, *(pending for pending, _ in self._waiting)]
        self._in_progress.clear()
        self._waiting.clear()
        self._served = self._delays = 0
        self._hold_signal = None
        self.is_held = False
        self.filters.clear()
        return dropped

    def _submit(self, pending: Pending, byte_count: int) -> None:
        """Queue an operation at the disk."""
        self._in_progress.append(pending)
        self._disk.submit(byte_count, self._disk_done, self)

    def _disk_done(self) -> None:
        """Note that the disk is done with the next operation in progress."""
        self._served += 1
        self._complete_served()

    def _complete_served(self) -> None:
        """Complete, in order, what the disk is done with, until push-back stops it."""
        while self._served and not self._delays:
            pending = self._in_progress[0]
            try:
                value = self._apply(pending)
            except VolumeError as error:
                self._tell_head(None, error)
                continue
            if self.filters and pending.kind is not Kind.READ and not self._show(pending, value):
                return
            self._tell_head(value)

    def _show(self, pending: Pending, value: object) -> bool:
        """Show an operation to the filters; tells whether it may complete at once."""
        epoch = self._epoch
        operation = Operation(
            self._volume,
            pending.kind,
            pending.file,
            pending.offset,
            pending.payload,
            pending.new_name,
            pending.size,
            self._kernel.now_ns,
        )
        delays: list[Signal] = []
        for observer in tuple(self.filters):
            delay = observer(operation)
            if epoch != self._epoch:  # the filter cut the power: nothing is in progress
                return False
            if delay is not None and not delay.fired:
                delays.append(delay)
        self._delays = len(delays)
        for delay in delays:
            delay.then(lambda _: self._lift(epoch, value))
        return not delays

    def _lift(self, epoch: int, value: object) -> None:
        """Go on after push-back."""
        if epoch != self._epoch:
            return
        self._delays -= 1
        if self._delays == 0:
            self._tell_head(value)
            self._complete_served()

    def _tell_head(self, value: object, error: VolumeError | None = None) -> None:
        """Fire the head's signal."""
        pending = self._in_progress.popleft()
        self._served -= 1
        hold_signal = None
        if not self._in_progress and self._hold_signal is not None:
            hold_signal, self._hold_signal = self._hold_signal, None
        if error is None:
            pending.signal.fire(value)
        else:
            pending.signal.fail(error)
        if hold_signal is not None:
            hold_signal.fire()
