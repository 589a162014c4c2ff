"""Real time: the only module that reads a clock of the machine it runs on."""

import time

NS_PER_SECOND = 1_000_000_000


class Stopwatch:
    """Measures how long something really takes, from its construction."""

    def __init__(self) -> None:
        self._started_ns = time.perf_counter_ns()

    def elapsed_s(self) -> float:
        """Real seconds since the construction."""
        return (time.perf_counter_ns() - self._started_ns) / NS_PER_SECOND


def calendar_ns() -> int:
    """Calendar time, in nanoseconds since 1970-01-01 UTC."""
    return time.time_ns()
