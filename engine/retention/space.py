"""What the journal takes of its space, and saying so before something has to give."""

from collections.abc import Sequence

from engine.contract.actions import HistoryShortened, SpaceChanged, SpaceState
from engine.points.recovery_points import RecoveryPoint
from engine.retention.settings import RetentionPolicy

#: The warning is taken back this much below where it is given, so that it does not flap.
_HYSTERESIS_PERCENT = 5
_HINTS = {
    "enough": "Nothing is to be done.",
    "low": "Give the journal more space, or shorten its retention before it runs out.",
    "full": "Give the journal more space, unpin points, or shorten its retention.",
}


class SpaceWatch:
    """Compares what is used with what may be.

    Args:
        policy: Says how much that is, and when to warn.
    """

    def __init__(self, policy: RetentionPolicy) -> None:
        self._policy = policy
        self._state: SpaceState = "enough"

    @property
    def is_full(self) -> bool:
        """Return whether more was used than may be, at the last look."""
        return self._state == "full"

    def look(self, used: int) -> list[SpaceChanged | HistoryShortened]:
        """Take note of the bytes that are used; return what is to be told."""
        limit = self._policy.space_bytes_max
        if limit is None:
            return []
        state = self._state_at(used, limit)
        if state == self._state:
            return []
        self._state = state
        return [SpaceChanged(state, used, limit, self._policy.when_full, _HINTS[state])]

    def _state_at(self, used: int, limit: int) -> SpaceState:
        if used > limit:
            return "full"
        warned = self._state != "enough"
        percent = self._policy.warn_percent - (_HYSTERESIS_PERCENT if warned else 0)
        return "low" if used * 100 >= limit * percent else "enough"


def shortening(
    policy: RetentionPolicy,
    points: Sequence[RecoveryPoint],
    kept: Sequence[RecoveryPoint],
    frontier: int,
) -> HistoryShortened:
    """Return the notice of what space takes from the history, beyond what age does.

    Args:
        policy: Which says how.
        points: What there was to choose from.
        kept: What is kept up to the new frontier, which is the last of them.
        frontier: The frontier before.
    """
    stays = {point.sequence for point in kept}
    leaving = [
        point
        for point in points
        if point.sequence < kept[-1].sequence and point.sequence not in stays
    ]
    before = [point.source_time_ns for point in points if point.sequence <= frontier]
    return HistoryShortened(
        policy=policy.when_full,
        points_given_up=len(leaving),
        every_write_from_ns_before=before[-1] if before else None,
        every_write_from_ns=kept[-1].source_time_ns,
        oldest_ns_before=before[0] if before else None,
        oldest_ns=kept[0].source_time_ns,
        hint=_HINTS["full"],
    )
