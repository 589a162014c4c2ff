"""Several runs at once, each in a process of its own; the order of their ends changes nothing.

A worker that dies takes the study with it: what it ran has no result, and a study with a hole is
none. Nothing here waits for a process that is gone.
"""

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Self

from rpolab.runs import TimedRun, run_timed
from rpolab.wall_clock import Stopwatch
from scenarios import Scenario

REPORT_EVERY_S = 0.1
_STOP_S = 5.0

Progress = Callable[[int, int], None]
"""Called with the number of a task and how many nanoseconds it has simulated."""


class WorkerLostError(RuntimeError):
    """A process that ran a part of a study ended before it had a result."""


@dataclass(frozen=True, slots=True)
class Task:
    """One run: its scenario with its seed, and what is to be kept of it."""

    scenario: Scenario
    replay: str = ""
    keep: Path | None = None
    keep_trace: bool = False

    def run(self, progress: Callable[[int], None] | None = None) -> TimedRun:
        """Runs it in this process."""
        return run_timed(
            self.scenario,
            progress=progress,
            keep=self.keep,
            keep_trace=self.keep_trace,
            replay=self.replay,
        )


def processors() -> int:
    """How many processes can work at once on this machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_all(tasks: Sequence[Task], jobs: int, progress: Progress | None = None) -> list[TimedRun]:
    """Runs all tasks and returns their results in the order of the tasks.

    Args:
        tasks: at least one.
        jobs: how many run at once; with 1, in this process.
        progress: told how far each task is.

    Raises:
        WorkerLostError: a process ended without a result; all others are stopped.
    """
    workers = min(jobs, len(tasks))
    if workers > 1:
        with _Pool(tasks, workers, progress) as pool:
            return pool.results()
    return [
        task.run(None if progress is None else _bound(progress, number))
        for number, task in enumerate(tasks)
    ]


def _bound(progress: Progress, number: int) -> Callable[[int], None]:
    return lambda simulated_ns: progress(number, simulated_ns)


class _Pool:
    """Processes that take one task after the other, until none is left.

    As a context manager: at its end all processes are gone, however it ends.
    """

    def __init__(self, tasks: Sequence[Task], workers: int, progress: Progress | None) -> None:
        self._tasks = tasks
        self._progress = progress
        self._next = iter(range(len(tasks)))
        self._found: dict[int, TimedRun] = {}
        self._doing: dict[Connection, int] = {}
        self._processes: dict[Connection, SpawnProcess] = {}
        self._workers = workers

    def __enter__(self) -> Self:
        context = get_context("spawn")
        for _ in range(self._workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs,), daemon=True)
            with _interrupts_ignored():
                process.start()
            theirs.close()
            self._processes[ours] = process
        return self

    def __exit__(self, *_error: object) -> None:
        for connection, process in self._processes.items():
            connection.close()
            process.kill()
        for process in self._processes.values():
            process.join(_STOP_S)

    def results(self) -> list[TimedRun]:
        """Gives out the tasks, and waits for what becomes of each."""
        for connection in self._processes:
            self._give(connection)
        while self._doing:
            ready = wait(list(self._doing))
            for connection in [item for item in self._doing if item in ready]:
                self._hear(connection)
        return [self._found[number] for number in range(len(self._tasks))]

    def _give(self, connection: Connection) -> None:
        number = next(self._next, None)
        self._doing.pop(connection, None)
        if number is not None:
            self._doing[connection] = number
            with self._loss_told(connection):
                connection.send(self._tasks[number])

    def _hear(self, connection: Connection) -> None:
        number = self._doing[connection]
        with self._loss_told(connection):
            said = connection.recv()
        if isinstance(said, int):
            if self._progress is not None:
                self._progress(number, said)
        elif isinstance(said, TimedRun):
            self._found[number] = said
            self._give(connection)
        else:
            raise said

    @contextmanager
    def _loss_told(self, connection: Connection) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError) as error:
            process, task = self._processes[connection], self._tasks[self._doing[connection]]
            process.join(_STOP_S)
            message = (
                f"the process that ran seed {task.scenario.seed} of "
                f"'{task.scenario.title}' {_end_of(process.exitcode)}"
            )
            raise WorkerLostError(message) from error


def _end_of(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was ended by signal {-exit_code}"
    return f"ended with exit code {exit_code}"


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Lets a process start with Ctrl-C ignored: it is this process that answers to it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(connection: Connection) -> None:
    """What a worker does: one task after the other, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            task: Task = connection.recv()
            connection.send(_outcome(task, connection))
        except (EOFError, OSError):
            return


def _outcome(task: Task, connection: Connection) -> TimedRun | Exception:
    report = _Reports(connection)
    try:
        return task.run(report)
    except Exception as error:  # noqa: BLE001 - it is raised again where the study is asked for
        return _portable(error)


def _portable(error: Exception) -> Exception:
    """The error as one that can be sent; its traceback goes with it as a note."""
    import traceback  # noqa: PLC0415 - only where something went wrong

    trace = "".join(traceback.format_exception(error))
    try:
        copy: Exception = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled a moment ago
    except Exception:  # noqa: BLE001 - whatever it holds, its text can be sent
        copy = RuntimeError(f"{type(error).__name__}: {error}")
    copy.add_note(trace)
    return copy


class _Reports:
    """Sends how far the simulation is, now and then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._watch = Stopwatch()
        self._next_s = 0.0

    def __call__(self, simulated_ns: int) -> None:
        elapsed_s = self._watch.elapsed_s()
        if elapsed_s >= self._next_s:
            self._next_s = elapsed_s + REPORT_EVERY_S
            self._connection.send(simulated_ns)
