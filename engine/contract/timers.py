"""One timer per session: asks the driver for as few wake-ups as possible."""


class Wakeup:
    """Remembers the outstanding WakeAt.

    A deadline that moves later is not announced: the timer fires early once and is planned anew.
    So a busy session, whose time-outs move with every frame, does not re-arm its timer per frame.
    """

    def __init__(self) -> None:
        self._planned_ns: int | None = None

    def fired(self) -> None:
        """Note that the outstanding wake-up has come."""
        self._planned_ns = None

    def plan(self, deadline_ns: int | None) -> int | None:
        """Return the time for a new WakeAt, or None when the outstanding one is early enough."""
        if deadline_ns is None:
            return None
        if self._planned_ns is not None and self._planned_ns <= deadline_ns:
            return None
        self._planned_ns = deadline_ns
        return deadline_ns
