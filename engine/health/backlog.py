"""The backlog at the source: how much, how old, and how long it will take at the measured rate.

The rate is what the target acknowledged while there was something to acknowledge; idle time does
not count. It is measured over a sliding minute, in slots, so its memory is a dozen numbers.
"""

from collections import deque
from dataclasses import dataclass

from engine.basics.settings import SECOND_NS

#: Over how much busy time the rate is measured, and in which steps. Assumption.
SLOT_NS = 5 * SECOND_NS
SLOTS = 12


@dataclass(frozen=True, slots=True)
class BacklogFigures:
    """What waits at the source.

    Attributes:
        size_bytes: Raw bytes captured and not acknowledged.
        size_bytes_max: The most there ever were.
        oldest_ns: Age of the oldest of them, 0 without any.
        oldest_ns_max: The highest such age.
        drain_bytes_per_s: How fast they are acknowledged, None where nothing was measured.
        drain_ns: How long the backlog takes at that rate if nothing is added; None where it does
            not move at all.
    """

    size_bytes: int
    size_bytes_max: int
    oldest_ns: int
    oldest_ns_max: int
    drain_bytes_per_s: int | None
    drain_ns: int | None


class BacklogMeter:
    """Measures a backlog from what is shown of it at events.

    Args:
        now_ns: The driver's steady clock.
    """

    def __init__(self, now_ns: int) -> None:
        self._since_ns = now_ns
        self._size_bytes = self._size_bytes_max = 0
        self._oldest_at_ns: int | None = None
        self._oldest_ns_max = 0
        self._acknowledged_bytes = 0
        self._slots: deque[tuple[int, int]] = deque(maxlen=SLOTS)  # busy ns, bytes
        self._busy_ns = self._busy_bytes = 0

    def observe(
        self, size_bytes: int, oldest_at_ns: int | None, acknowledged_bytes: int, now_ns: int
    ) -> None:
        """Take the backlog as it is now.

        Args:
            size_bytes: Raw bytes captured and not acknowledged.
            oldest_at_ns: When the oldest of them was captured, by the clock of `now_ns`.
            acknowledged_bytes: Raw bytes ever acknowledged.
            now_ns: Not before the last call's.
        """
        assert acknowledged_bytes >= self._acknowledged_bytes, "nothing is taken back"
        if self._size_bytes:
            self._busy_ns += now_ns - self._since_ns
        # What was acknowledged at once, between two looks, took no time that anybody knows of.
        if self._busy_ns:
            self._busy_bytes += acknowledged_bytes - self._acknowledged_bytes
        if self._busy_ns >= SLOT_NS:
            self._slots.append((self._busy_ns, self._busy_bytes))
            self._busy_ns = self._busy_bytes = 0
        self._age(now_ns)
        self._acknowledged_bytes, self._since_ns = acknowledged_bytes, now_ns
        self._size_bytes, self._oldest_at_ns = size_bytes, oldest_at_ns
        self._size_bytes_max = max(self._size_bytes_max, size_bytes)

    def figures(self, now_ns: int) -> BacklogFigures:
        """Return the backlog in figures."""
        rate = self._bytes_per_s()
        drain_ns = 0 if not self._size_bytes else None
        if self._size_bytes and rate:
            drain_ns = -(-self._size_bytes * SECOND_NS // rate)
        return BacklogFigures(
            size_bytes=self._size_bytes,
            size_bytes_max=self._size_bytes_max,
            oldest_ns=self._age(now_ns),
            oldest_ns_max=self._oldest_ns_max,
            drain_bytes_per_s=rate,
            drain_ns=drain_ns,
        )

    def _age(self, now_ns: int) -> int:
        """Return the age of the oldest bytes, and remember the highest."""
        age_ns = 0 if self._oldest_at_ns is None else max(0, now_ns - self._oldest_at_ns)
        self._oldest_ns_max = max(self._oldest_ns_max, age_ns)
        return age_ns

    def _bytes_per_s(self) -> int | None:
        slots = [*self._slots, (self._busy_ns, self._busy_bytes)]
        busy_ns = sum(slot[0] for slot in slots)
        return sum(slot[1] for slot in slots) * SECOND_NS // busy_ns if busy_ns else None
