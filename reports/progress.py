"""How far a run is: simulated time, speed, time left; silent where nobody watches."""

from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from reports.durations import duration_text
from reports.records import seconds
from reports.text import fitted, printable


class _SpeedColumn(ProgressColumn):
    """Simulated seconds in a real second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}x" if speed else "", style="progress.data.speed")


class _LeftColumn(ProgressColumn):
    """The real time that the rest will take."""

    def render(self, task: Task) -> Text:
        left_s = task.time_remaining
        return Text(f"{duration_text(round(left_s))} left" if left_s is not None else "")


class RunProgress:
    """A progress line on a terminal, erased at the end; nothing in a pipe.

    Use as a context manager and call `update` with the simulated time, as often as convenient
    (the line is redrawn ten times a second whatever the number of calls).

    Args:
        title: what runs.
        duration_ns: the run's length in simulated time, None when it is not known.
        file: the terminal; standard error when left out, so that output stays clean.
    """

    def __init__(self, title: str, duration_ns: int | None, *, file: TextIO | None = None) -> None:
        self._console = Console(file=file, stderr=file is None, markup=False, highlight=False)
        self.is_shown = self._console.is_terminal
        self._total_text = duration_text(seconds(duration_ns)) if duration_ns is not None else "?"
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[simulated]}", markup=False),
            _SpeedColumn(),
            _LeftColumn(),
            console=self._console,
            transient=True,
            disable=not self.is_shown,
        )
        shown_title = fitted(printable(title, self._console.encoding), 30)
        total_s = seconds(duration_ns) if duration_ns is not None else None
        self._task = self._progress.add_task(shown_title, total=total_s, simulated="")

    def update(self, simulated_ns: int, note: str = "") -> None:
        """Notes how far the simulation is, in nanoseconds after its start.

        Args:
            simulated_ns: of all runs together.
            note: what else to show, such as 'run 3 of 20'.
        """
        if self.is_shown:
            done_s = seconds(simulated_ns)
            text = f"{duration_text(int(done_s))} of {self._total_text}"
            text = f"{note}, {text}" if note else text
            self._progress.update(self._task, completed=done_s, simulated=text)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()
