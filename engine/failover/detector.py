"""Whether the source is gone, as this copy sees it, and whether this copy may stand in for it.

A detector alone decides nothing: silence may be the line's. Automatic failover takes the detector's
time-out, a lease and the witness's own opinion together (protection.md 3.7).
"""


class Detector:
    """Gives the source up after a time of silence.

    Args:
        timeout_ns: How long a silence may last.
        now_ns: The time; the silence before it is not known and does not count.
    """

    def __init__(self, timeout_ns: int, now_ns: int) -> None:
        self._timeout_ns = timeout_ns
        self._heard_at_ns = now_ns

    def heard(self, now_ns: int) -> None:
        """Note a sign of life: anything that came from the source."""
        self._heard_at_ns = max(self._heard_at_ns, now_ns)

    def due_ns(self) -> int:
        """Return when the source is given up if nothing is heard until then."""
        return self._heard_at_ns + self._timeout_ns

    def is_silent(self, now_ns: int) -> bool:
        """Return whether the source was silent for too long."""
        return now_ns >= self.due_ns()


class Lease:
    """The witness's word that no other copy will be promoted automatically for a while.

    It counts from when it was asked for, not from when the answer came, and ends a margin early:
    so it is over here before the witness gives it to another copy.
    """

    def __init__(self, margin_ns: int) -> None:
        self._margin_ns = margin_ns
        self._until_ns = 0

    def given(self, asked_at_ns: int, length_ns: int) -> None:
        """Note that the lease that was asked for then was given."""
        self._until_ns = max(self._until_ns, asked_at_ns + length_ns - self._margin_ns)

    def holds(self, now_ns: int) -> bool:
        """Return whether this copy has the lease now."""
        return now_ns < self._until_ns
