"""What a session calls on a capture: it ships the records, and lets the stream go on."""

from engine.basics.cursor import Cursor
from engine.basics.settings import CaptureSettings
from engine.capture.backlog import Backlog
from engine.capture.compared import Compared
from engine.capture.held import HeldWriters
from engine.capture.order import Order
from engine.capture.tagging import Tagging
from engine.contract.actions import ReadSource
from engine.contract.events import SourceRead


class Served(Compared):
    """The side of a capture that a session sees.

    Args:
        backlog: The records.
        settings: Bounds and intervals.
    """

    def __init__(self, backlog: Backlog, settings: CaptureSettings) -> None:
        super().__init__(backlog)
        self.is_abandoned = False
        self._order = Order(backlog, settings)
        self._held = HeldWriters()
        self._tags = Tagging(settings, backlog, self._order, self._held)
        self.pending_tags = self._tags.pending

    @property
    def held_count(self) -> int:
        """Return the number of writers that wait for room."""
        return len(self._held)

    @property
    def has_released(self) -> bool:
        """Return whether tickets wait to be taken."""
        return self._held.has_released

    @property
    def is_calm(self) -> bool:
        """Return whether every change becomes a record at once, and no writer or tag waits."""
        is_anyone_waiting = self._held or self._held.has_released or self.pending_tags
        return not is_anyone_waiting and self._order.is_plain

    def time_due_ns(self) -> int | None:
        """Return when `tick` has something to do on the session's clock, or None."""
        return self._tags.due_ns()

    def tick(self, now_ns: int) -> bool:
        """Revoke tags whose time is over, add a TIME record if one is due; return if any was."""
        return self._tags.tick(now_ns)

    def acknowledge(self, cursor: Cursor, now_ns: int) -> int:
        """Free all records up to a durable cursor and let waiting changes into the stream.

        Returns:
            The raw bytes freed.

        Raises:
            RemoteProtocolError: As `check`; nothing is changed then.
        """
        freed = self._backlog.acknowledge(cursor)
        self._refill(now_ns)
        return freed

    def wants_reads(self, now_ns: int) -> list[ReadSource]:
        """Return the reads of live files that fill a gap; ask after every event."""
        if self._held or self.is_abandoned or not self._order.is_in_gap:
            return []
        self._advance(now_ns)
        return self._order.wants_reads(now_ns)

    def source_read(self, event: SourceRead, now_ns: int) -> None:
        """Take the answer to a read."""
        if not self.is_abandoned:
            self._order.answered(event, now_ns)
            self._advance(now_ns)

    def forget_reads(self) -> None:
        """Take back the reads under way: their session has ended."""
        self._order.drain.forget_reads()

    def _has_room(self, cost: int) -> bool:
        return not self._held and self._backlog.has_room(cost)

    def _refill(self, now_ns: int) -> None:
        before = self.newest.sequence
        self._order.refill(now_ns)
        if self.newest.sequence < before:
            self.pending_tags.forget_after(self.newest.sequence)
        self._admit_held(now_ns)
        self._advance(now_ns)

    def _admit_held(self, now_ns: int, *, is_room_needed: bool = True) -> None:
        while self._held:
            change = self._held.first
            if is_room_needed and not self._backlog.has_room(change.cost_bytes):
                return
            self._order.append(change.draft, now_ns)
            self._held.release()

    def _advance(self, now_ns: int) -> None:
        self._order.advance(now_ns, is_held=bool(self._held))
