"""How far back the points of a copy reach, and how long its space will do."""

from engine.health.report import RetentionFigures
from engine.points.recovery_points import RecoveryPoint


class RetentionWatch:
    """Follows the window and the space.

    Args:
        begin_ns: The source's wall clock when the protection began.
        promised_ns: How far back points are promised, None for no promise.
    """

    def __init__(self, begin_ns: int, promised_ns: int | None) -> None:
        self._begin_ns = begin_ns
        self._promised_ns = promised_ns
        self._first: tuple[int, int] | None = None  # (now, used bytes) of the first look
        self._last: tuple[int, int] | None = None
        self._limit_bytes: int | None = None
        self.cut_count = 0

    def space(self, used_bytes: int, limit_bytes: int | None, now_ns: int) -> None:
        """Note what the journal takes and may take."""
        if self._first is None:
            self._first = now_ns, used_bytes
        self._last, self._limit_bytes = (now_ns, used_bytes), limit_bytes

    def cut(self) -> None:
        """Note that the window was shortened because the space ran out."""
        self.cut_count += 1

    def used_percent(self) -> int | None:
        """Return how full the space is, None without a limit."""
        if self._last is None or not self._limit_bytes:
            return None
        return self._last[1] * 100 // self._limit_bytes

    def missing_ns(self, oldest: RecoveryPoint | None, newest: RecoveryPoint | None) -> int:
        """Return what the window from the oldest to the newest point lacks of the promise.

        A protection that is younger than the promise owes no more than its own age, up to its
        newest point: that points are late is another alarm's matter.
        """
        if self._promised_ns is None or newest is None:
            return 0
        owed_ns = min(self._promised_ns, newest.source_time_ns - self._begin_ns)
        return max(0, owed_ns - _window_ns(oldest, newest))

    def figures(
        self, oldest: RecoveryPoint | None, newest: RecoveryPoint | None
    ) -> RetentionFigures:
        """Return everything, given the oldest and the newest point."""
        return RetentionFigures(
            window_ns=_window_ns(oldest, newest),
            promised_ns=self._promised_ns,
            missing_ns=self.missing_ns(oldest, newest),
            used_bytes=None if self._last is None else self._last[1],
            limit_bytes=self._limit_bytes,
            left_ns=self._left_ns(),
            cut_count=self.cut_count,
        )

    def _left_ns(self) -> int | None:
        """Return when the limit is reached at the mean growth so far, None if it is not growing."""
        if self._first is None or self._last is None or self._limit_bytes is None:
            return None
        grown_bytes, passed_ns = self._last[1] - self._first[1], self._last[0] - self._first[0]
        if grown_bytes <= 0:
            return None
        return max(0, self._limit_bytes - self._last[1]) * passed_ns // grown_bytes


def _window_ns(oldest: RecoveryPoint | None, newest: RecoveryPoint | None) -> int:
    if oldest is None or newest is None:
        return 0
    return max(0, newest.source_time_ns - oldest.source_time_ns)
