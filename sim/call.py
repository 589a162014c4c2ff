"""Calls: functions that are called later, at the cost of one kernel event."""

from collections.abc import Callable
from typing import Any

from sim.host import Host
from sim.signals import Occurrence

__all__ = ["Call"]


class Call:
    """A function to be called later.

    Attributes:
        done: Whether it was called, cancelled, or made void by a power cut.
    """

    __slots__ = ("_args", "_epoch", "_event", "_function", "_host", "done")

    def __init__(
        self, function: Callable[..., None], args: tuple[Any, ...], host: Host | None
    ) -> None:
        self._function = function
        self._args = args
        self._host = host
        self._epoch = 0 if host is None else host.epoch
        self._event: Occurrence | None = None
        self.done = False

    @property
    def label(self) -> str:
        """The function's name."""
        return getattr(self._function, "__qualname__", repr(type(self._function)))

    def cancel(self) -> None:
        """Make sure that it is not called; harmless when it was."""
        if not self.done:
            self.done = True
            if self._event is not None:
                self._event.cancel()

    def bind(self, event: Occurrence) -> None:
        """Remember the kernel event, to cancel it."""
        self._event = event

    def run(self, _event: object) -> None:
        """Call the function, unless its host lost power since; the kernel calls this."""
        self.done = True
        self._event = None
        host = self._host
        if host is None or (host.up and host.epoch == self._epoch):
            self._function(*self._args)
