"""The kernel: simulated time. The only module that imports SimPy.

SimPy keeps the queue of events and steps through it. What is added is what a trustworthy run
needs and SimPy does not give (simulation.md, five edges): integer nanoseconds, a seeded order
of simultaneous events, waits with a limit that really end, exceptions that arrive as they were
raised, a power cut that runs no `finally`, an end to every run, and a budget of steps.

Order of simultaneous events: each event draws its place in its instant from the stream
`kernel:order`, so that no result hangs on an accident of scheduling; another seed, another
order. Whatever must stay in order (a channel, a disk, a volume, a link) keeps a queue of its
own and has only its head in the kernel. The exception is `call_at`: see there.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from heapq import heapify, heappush
from typing import Any

import simpy

from sim.budget import StepBudgetExceeded
from sim.call import Call
from sim.channel import TIMED_OUT, Channel, TimedOut
from sim.host import Host
from sim.signals import Occurrence, Process, Signal, Sleep, Task
from sim.streams import Streams

__all__ = [
    "TIMED_OUT",
    "Call",
    "Channel",
    "Host",
    "Kernel",
    "Occurrence",
    "Process",
    "Signal",
    "StepBudgetExceeded",
    "Task",
    "TimedOut",
]

# The last steps of a budget are counted by name, to say who was busy; the others cost nothing.
CENSUS_STEPS = 1_000
COMPACTION_CANCELLED_MIN = 512


class _Event(simpy.Event):
    """A kernel event that calls one function, and can be cancelled."""

    def __init__(self, schedule: "_Schedule", function: Callable[[Any], None]) -> None:
        # SimPy's own constructor is not called: it sets fields that no part of a step reads.
        self.env = schedule
        self.callbacks = [function]
        self._ok = True

    def cancel(self) -> None:
        """Make sure that it does nothing."""
        if self.callbacks:
            self.callbacks.clear()
            assert isinstance(self.env, _Schedule)
            self.env.note_cancelled()


class _Schedule(simpy.Environment):
    """SimPy's event queue with a seeded order of simultaneous events."""

    _queue: list[tuple[int, float, int, simpy.Event]]  # type: ignore[assignment]

    def __init__(self, streams: Streams, steps_max: int | None) -> None:
        super().__init__()
        self._draw = streams.stream("kernel:order").random
        self._cancelled = 0
        self.steps = 0
        self.steps_max = steps_max
        self.now_ns = 0
        self.task: Task | None = None
        self.unobserved: list[Signal] = []

    def after(self, delay_ns: int, function: Callable[[Any], None]) -> _Event:
        """Schedule a call at a drawn place of its instant."""
        assert delay_ns >= 0, f"a delay of {delay_ns} ns would be in the past"
        event = _Event(self, function)
        entry = (self.now_ns + delay_ns, self._draw(), next(self._eid), event)
        heappush(self._queue, entry)
        return event

    def at(self, at_ns: int, function: Callable[[Any], None]) -> _Event:
        """Schedule a call before all drawn places of its instant, without a draw."""
        assert at_ns >= self.now_ns, f"{at_ns} ns is past: it is {self.now_ns} ns"
        event = _Event(self, function)
        heappush(self._queue, (at_ns, -1.0, next(self._eid), event))
        return event

    def advance(self, until_ns: int) -> None:
        """Process every event up to and including an instant."""
        queue = self._queue
        step = self.step
        limit = self._steps_until_census()
        while queue and queue[0][0] <= until_ns:
            if self.steps >= limit:
                self._advance_counting(until_ns)
                break
            self.steps += 1
            self.now_ns = queue[0][0]
            step()
        self.now_ns = until_ns

    def note_cancelled(self) -> None:
        """Count a cancelled event; throw them all out when they are the majority."""
        self._cancelled += 1
        if self._cancelled >= COMPACTION_CANCELLED_MIN and self._cancelled * 2 > len(self._queue):
            # In place: `advance` holds the list. The order of the rest does not change.
            self._queue[:] = [entry for entry in self._queue if entry[3].callbacks]
            heapify(self._queue)
            self._cancelled = 0

    def _steps_until_census(self) -> float:
        """Return the number of steps after which names are counted."""
        return float("inf") if self.steps_max is None else self.steps_max - CENSUS_STEPS

    def _advance_counting(self, until_ns: int) -> None:
        """Go on until the instant or the end of the budget, counting who is busy."""
        assert self.steps_max is not None
        census: Counter[str] = Counter()
        while self._queue and self._queue[0][0] <= until_ns:
            self.now_ns, _, _, event = self._queue[0]
            if self.steps >= self.steps_max:
                raise StepBudgetExceeded(self.steps, self.now_ns, census.most_common(5))
            self.steps += 1
            census.update(_label(callback) for callback in event.callbacks or ())
            self.step()


class Kernel:
    """Simulated time and everything that happens in it.

    Args:
        streams: The run's random streams.
        steps_max: How many kernel events the whole run may take; None for no limit.
    """

    __slots__ = ("_graveyard", "_schedule", "_tasks", "streams")

    def __init__(self, streams: Streams, *, steps_max: int | None = None) -> None:
        self.streams = streams
        self._schedule = _Schedule(streams, steps_max)
        self._graveyard: list[Process] = []
        self._tasks: dict[Task, None] = {}  # those without a host

    @property
    def now_ns(self) -> int:
        """The simulated time in nanoseconds since the start of the run."""
        return self._schedule.now_ns

    @property
    def steps(self) -> int:
        """The number of kernel events processed."""
        return self._schedule.steps

    @property
    def current_task(self) -> Task | None:
        """The task that is running, if one is."""
        return self._schedule.task

    @property
    def unobserved_errors(self) -> list[Exception]:
        """The errors of failed signals that nobody waited for, oldest first.

        A failure that nobody looks at is a silent one: a run should end with none.
        """
        return [signal.error for signal in self._schedule.unobserved if signal.error is not None]

    def signal(self) -> Signal:
        """Return a new signal."""
        return Signal(self._schedule)

    def sleep(self, delay_ns: int) -> Signal:
        """Return a signal that fires after a delay: `yield kernel.sleep(n)`."""
        sleep = Sleep(self._schedule)
        self._schedule.after(delay_ns, sleep.elapse)
        return sleep

    def spawn(self, process: Process, *, name: str, host: Host | None = None) -> Task:
        """Start a process.

        A process that ends in an error passes it to whoever waits for the task; when nobody
        does, `run` raises it.

        Args:
            process: The generator.
            name: Whose work it is, for reports.
            host: The machine it runs on. On a machine without power nothing starts: the task
                is dropped from birth.
        """
        task = Task(self._schedule, process, name=name, registry=host or self)
        if host is None:
            self._tasks[task] = None
        elif host.up:
            host.adopt(task)
        else:
            self.bury(task)
        if not task.dropped:
            task.begin()
        return task

    def call_after(
        self,
        delay_ns: int,
        function: Callable[..., None],
        *args: Any,
        host: Host | None = None,
    ) -> Call:
        """Call a function after a delay, without the cost of a process.

        Args:
            delay_ns: The delay.
            function: What to call.
            args: What to call it with.
            host: The machine it happens on: a power cut there makes the call void.
        """
        call = Call(function, args, host)
        call.bind(self._schedule.after(delay_ns, call.run))
        return call

    def call_at(self, at_ns: int, function: Callable[..., None], *args: Any) -> Call:
        """Call a function from outside the simulated world, at an instant.

        Interventions (faults, drills, observations) come before everything else of their
        instant, in the order of their scheduling, and draw nothing: a run with an intervention
        is the run without it up to that instant, and further if it only looks.
        """
        call = Call(function, args, None)
        call.bind(self._schedule.at(at_ns, call.run))
        return call

    def schedule(self, delay_ns: int, function: Callable[[Any], None]) -> Occurrence:
        """Call a function with one argument, to be ignored, after a delay.

        The cheapest way, for devices: no host is asked, no process is resumed.
        """
        return self._schedule.after(delay_ns, function)

    def channel(self) -> Channel:
        """Return a new channel."""
        return Channel(self)

    def wait(self, signal: Signal, *, limit_ns: int) -> Process:
        """Wait for a signal with a time limit: `value = yield from kernel.wait(...)`.

        Returns `TIMED_OUT` when the limit passed; the signal itself goes on undisturbed.
        """
        either = self.signal()
        timer = self.call_after(limit_ns, _fire_once, either, TIMED_OUT)
        signal.then(lambda fired: _pass_on(fired, either))
        value = yield either
        timer.cancel()
        return value

    def all_of(self, signals: Iterable[Signal]) -> Signal:
        """Return a signal that fires when all have, with the list of their values.

        It fails with the first failure.
        """
        members = list(signals)
        combined = self.signal()
        missing = len(members)

        def note(signal: Signal) -> None:
            nonlocal missing
            missing -= 1
            if combined.fired:
                return
            if signal.error is not None:
                combined.fail(signal.error)
            elif missing == 0:
                combined.fire([member.value for member in members])

        for member in members:
            member.then(note)
        if not members:
            combined.fire([])
        return combined

    def run(self, until_ns: int) -> None:
        """Process every event up to and including an instant, and stop there.

        Raises:
            StepBudgetExceeded: The budget of steps is used up.
            Exception: What a process failed with while nobody waited for it: the same object.
        """
        assert until_ns >= self.now_ns, f"run({until_ns}): it is {self.now_ns} ns already"
        self._schedule.advance(until_ns)

    def forget(self, task: Task) -> None:
        """Keep a task that has ended no longer; the task calls this."""
        self._tasks.pop(task, None)

    def bury(self, task: Task) -> None:
        """Drop a task and keep its generator, so that no `finally` of it runs."""
        self._graveyard.append(task.drop())

    def close(self) -> None:
        """Tear the world down: dropped generators are closed and what they raise is ignored."""
        graveyard, self._graveyard = self._graveyard, []
        for process in graveyard:
            with suppress(Exception):
                process.close()


def _label(callback: Callable[..., Any]) -> str:
    """Name whom a kernel event serves."""
    owner = getattr(callback, "__self__", None)
    return str(getattr(owner, "label", None) or getattr(callback, "__qualname__", "?"))


def _fire_once(signal: Signal, value: Any) -> None:
    """Fire a signal unless it has fired."""
    if not signal.fired:
        signal.fire(value)


def _pass_on(source: Signal, target: Signal) -> None:
    """Let the target happen as the source did, unless it has happened."""
    if target.fired:
        source.neglect()
    elif source.error is not None:
        target.fail(source.error)
    else:
        target.fire(source.value)
