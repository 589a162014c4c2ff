"""Signals and tasks: what a simulated process waits for, and the process itself.

A process is a generator. It yields a signal and gets the signal's value back, or the very
exception object the signal failed with (SimPy rebuilds it from its arguments, and so turns an
exception with keyword-only arguments into a TypeError: simulation.md, edge 2).

Two rules give both exploration and order:
* a callback given to `then` runs at once, inside `fire`, in the order of registration, so a
  device that completes its work in order is observed in order;
* a process that waits is resumed by a kernel event of its own, whose place among the other
  events of the same instant is drawn from the seed.
"""

from collections.abc import Callable, Generator
from typing import Any, Protocol

__all__ = ["Occurrence", "Process", "Registry", "Schedule", "Signal", "Sleep", "Task"]

Process = Generator["Signal", Any, Any]


class Occurrence(Protocol):
    """One scheduled kernel event."""

    def cancel(self) -> None:
        """Make sure that it does not happen."""


class Schedule(Protocol):
    """What signals and tasks need of the kernel."""

    task: "Task | None"
    unobserved: list["Signal"]

    def after(self, delay_ns: int, function: Callable[[Any], None]) -> Occurrence:
        """Call the function with one argument, to be ignored, after a delay."""


class Registry(Protocol):
    """Who keeps a running task: its host, or the kernel.

    A task that nobody kept would be collected while it waits for something that was lost, and
    would run its `finally` blocks at a moment that no seed decides.
    """

    def forget(self, task: "Task") -> None:
        """Keep a task that has ended no longer."""


class Signal:
    """Something that happens once.

    Attributes:
        fired: Whether it has happened, well or badly.
        value: What it happened with.
        error: What it failed with, if it failed.
    """

    __slots__ = ("_callbacks", "_schedule", "error", "fired", "value")

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._callbacks: list[Callable[[Signal], None]] | None = None
        self.fired = False
        self.value: Any = None
        self.error: Exception | None = None

    def fire(self, value: Any = None) -> None:
        """Let it happen with a value."""
        assert not self.fired, f"{self} has fired before"
        self.fired = True
        self.value = value
        callbacks = self._callbacks
        if callbacks is not None:
            self._callbacks = None
            for callback in callbacks:
                callback(self)

    def fail(self, error: Exception, *, announced: bool = False) -> None:
        """Let it happen badly: who waits gets this exception object raised.

        Args:
            error: What went wrong.
            announced: The failure is also told in another way: it need not be observed here.
        """
        assert not self.fired, f"{self} has fired before"
        self.error = error
        if self._callbacks is None and not announced:
            self._schedule.unobserved.append(self)
        self.fire()

    def neglect(self) -> None:
        """Note that who waited has gone, and that a failure went by unseen."""
        if self.error is not None and self not in self._schedule.unobserved:
            self._schedule.unobserved.append(self)

    def then(self, callback: Callable[["Signal"], None]) -> None:
        """Call the callback with this signal when it fires, at once if it has fired."""
        if self.fired:
            self._observe()
            callback(self)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    @property
    def label(self) -> str:
        """Say whom it wakes, for a report on who is busy."""
        return ", ".join(_label_of(callback) for callback in self._callbacks or ()) or "nobody"

    def _is_watched(self) -> bool:
        """Tell whether anybody who is still alive will notice."""
        return any(
            not getattr(getattr(callback, "__self__", None), "dropped", False)
            for callback in self._callbacks or ()
        )

    def _observe(self) -> None:
        """Take a failure off the list of those that nobody has looked at."""
        if self.error is not None and self in self._schedule.unobserved:
            self._schedule.unobserved.remove(self)


class Sleep(Signal):
    """A signal that fires when a time has passed: itself a kernel event."""

    __slots__ = ()

    def elapse(self, _occurrence: object) -> None:
        """Fire; the kernel calls this."""
        self.fire()


class Task(Signal):
    """A running process: a signal that fires with the process's return value.

    Attributes:
        name: Whose work it is, for reports.
        dropped: Whether it was dropped: it then never runs, and never fires, again.
    """

    __slots__ = ("_awaited", "_generator", "_registry", "dropped", "name")

    def __init__(
        self, schedule: Schedule, process: Process, *, name: str, registry: Registry
    ) -> None:
        super().__init__(schedule)
        assert isinstance(process, Generator), (
            f"task {name}: {process!r} is not a generator: call the process function to start it"
        )
        self._awaited: Signal | None = None
        self._generator = process
        self.name = name
        self._registry = registry
        self.dropped = False

    @property
    def result(self) -> Any:
        """The process's return value; raises what it failed with."""
        assert self.fired, f"task {self.name} has not finished"
        if self.error is not None:
            self._observe()
            raise self.error
        return self.value

    @property
    def label(self) -> str:
        """The name."""
        return self.name

    def begin(self) -> None:
        """Schedule the first step; the kernel calls this."""
        self._schedule.after(0, self.resume)

    def drop(self) -> Process:
        """Let it never run again, and hand over the generator.

        The caller keeps the generator until the world is torn down: a generator that is
        collected runs its `finally` blocks, which a machine without power does not do.
        """
        self.dropped = True
        return self._generator

    def resume(self, _occurrence: object) -> None:
        """Run the process to its next yield; the kernel and signals call this."""
        if self.dropped:
            return
        awaited = self._awaited
        schedule = self._schedule
        schedule.task = self
        try:
            if awaited is None:
                target = next(self._generator)
            elif awaited.error is None:
                target = self._generator.send(awaited.value)
            else:
                target = self._generator.throw(awaited.error)
        except StopIteration as stop:
            self._finish(stop.value)
        except Exception as error:
            if not self._end_with(error):
                raise
        else:
            self._wait_for(target)
        finally:
            schedule.task = None

    def _wake(self, _signal: Signal) -> None:
        """Be resumed among the other events of this instant."""
        if not self.dropped:
            self._schedule.after(0, self.resume)

    def _wait_for(self, target: object) -> None:
        """Wait for what the process yielded."""
        if not isinstance(target, Signal):
            message = (
                f"task {self.name} yielded {type(target).__name__}, not a signal. "
                f"Hint: delegate to another process function with 'yield from'."
            )
            raise TypeError(message)
        if self.dropped:
            return
        self._awaited = target
        # A sleep is a kernel event already and has its drawn place: no second one is needed.
        direct = type(target) is Sleep and not target.fired
        target.then(self.resume if direct else self._wake)

    def _finish(self, value: Any) -> None:
        """Fire with the return value."""
        self._registry.forget(self)
        if not self.dropped:
            self.fire(value)

    def _end_with(self, error: Exception) -> bool:
        """Fail; tells whether anybody will notice."""
        self._registry.forget(self)
        watched = not self.dropped and self._is_watched()
        if not self.dropped:
            self.fail(error)
        return watched


def _label_of(callback: Callable[..., Any]) -> str:
    """Name a callback by its owner's label, or by itself."""
    owner = getattr(callback, "__self__", None)
    label = getattr(owner, "label", None)
    if isinstance(label, str):
        return label
    return getattr(callback, "__qualname__", type(callback).__name__)
