"""Instants of a run on the clock of its scenario, and where an axis has its marks."""

import datetime as dt
from collections.abc import Iterator

from reports.durations import clock_text, duration_text
from reports.model import ScenarioReference

_DAY_S = 86_400
_STEPS_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800),
    *(3_600, 7_200, 10_800, 21_600, 43_200, _DAY_S, 2 * _DAY_S, 7 * _DAY_S),
)


class Clock:
    """Tells the instants of a run.

    Args:
        scenario: when the run starts.
        length_s: how long it is; instants of more than a day are told with their date.
    """

    def __init__(self, scenario: ScenarioReference, length_s: float) -> None:
        self._start: dt.datetime | None
        try:
            self._start = dt.datetime.fromisoformat(scenario.starts_at)
        except ValueError:
            self._start = None
        offset_s = self._seconds_of_day()
        self._has_days = offset_s + length_s > _DAY_S

    @property
    def epoch_s(self) -> float:
        """The run's start as seconds after 1970 on the scenario's clock; 0 if it has none."""
        if self._start is None:
            return 0.0
        return self._start.replace(tzinfo=dt.UTC).timestamp()

    def text(self, time_s: float) -> str:
        """An instant: '10:30', '5 Jun 10:30' in a run of days, or the time since the start."""
        if self._start is None:
            return f"after {duration_text(time_s)}"
        told = clock_text(self._seconds_of_day() + time_s)
        if not self._has_days:
            return told
        day = self._start + dt.timedelta(seconds=time_s)
        return f"{day.day} {day:%b} {told}"

    def span_text(self, from_s: float, to_s: float) -> str:
        """A stretch of time: '10:20 to 10:40'."""
        return f"{self.text(from_s)} to {self.text(to_s)}"

    def ticks(self, from_s: float, to_s: float, marks_max: int = 7) -> Iterator[float]:
        """Yield round instants in a stretch of time, at most so many."""
        length_s = max(to_s - from_s, 1e-9)
        longest_s = -(-length_s // (marks_max * _DAY_S)) * _DAY_S
        step_s = next((step for step in _STEPS_S if length_s / step <= marks_max), longest_s)
        offset_s = self._seconds_of_day()
        count = -(-(from_s + offset_s) // step_s)
        while count * step_s - offset_s <= to_s:
            yield count * step_s - offset_s
            count += 1

    def _seconds_of_day(self) -> float:
        if self._start is None:
            return 0.0
        midnight = self._start.replace(hour=0, minute=0, second=0, microsecond=0)
        return (self._start - midnight).total_seconds()
