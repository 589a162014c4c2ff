"""Channels: queues between processes, first in, first out."""

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from sim.signals import Process, Signal, Task

if TYPE_CHECKING:
    from sim.kernel import Kernel

__all__ = ["TIMED_OUT", "Channel", "TimedOut"]


class TimedOut:
    """The type of `TIMED_OUT`: what a wait with a time limit returns when the limit passed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "TIMED_OUT"

    def __bool__(self) -> bool:
        return False


TIMED_OUT: Final = TimedOut()


class Channel:
    """An unbounded queue of items.

    A receiver whose time limit passed, or whose host lost its power, takes no further part:
    the next item goes to the next receiver or stays (simulation.md, SimPy edge 1, where it is
    swallowed).
    """

    __slots__ = ("_items", "_kernel", "_receivers")

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel
        self._items: deque[Any] = deque()
        self._receivers: deque[tuple[Signal, Task | None]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Any) -> None:
        """Add an item: to the receiver who has waited longest, if there is one."""
        receivers = self._receivers
        while receivers:
            signal, task = receivers.popleft()
            if not signal.fired and not (task is not None and task.dropped):
                signal.fire(item)
                return
        self._items.append(item)

    def clear(self) -> int:
        """Forget the items that nobody has received; returns how many."""
        count = len(self._items)
        self._items.clear()
        return count

    def receive(self, limit_ns: int | None = None) -> Process:
        """Receive an item: `item = yield from channel.receive(limit_ns=...)`.

        Args:
            limit_ns: How long to wait; `TIMED_OUT` is returned when that time has passed.
        """
        if self._items:
            return self._items.popleft()
        signal = self._kernel.signal()
        self._receivers.append((signal, self._kernel.current_task))
        if limit_ns is None:
            return (yield signal)
        timer = self._kernel.call_after(limit_ns, self._give_up, signal)
        item = yield signal
        timer.cancel()
        return item

    def _give_up(self, signal: Signal) -> None:
        """End one receiver's wait, unless an item came first."""
        if signal.fired:
            return
        self._receivers = deque(entry for entry in self._receivers if entry[0] is not signal)
        signal.fire(TIMED_OUT)
