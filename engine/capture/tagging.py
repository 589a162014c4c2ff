"""What the capture itself adds to the stream: tags, what becomes of them, and TIME records.

A tag is accepted where the order holds and there is room, else refused and counted. It is never
queued, for it would outlive the freeze of the application that it stands for. In a gap nothing is
consistent (protection.md 3.4).
"""

from engine.basics.errors import ResyncRequired
from engine.basics.settings import CaptureSettings
from engine.capture.backlog import Backlog
from engine.capture.changes import Admission, Admitted, Change, Refused
from engine.capture.held import HeldWriters
from engine.capture.order import Order
from engine.capture.stream import Draft
from engine.capture.tags import PendingTags
from engine.formats.records import FLAG_PENDING, HEADER_BYTES, RecordType


class Tagging:
    """Puts tags, and what becomes of them, into the stream.

    Args:
        settings: The timeouts of two-phase tags, the interval of TIME records.
        backlog: The stream.
        order: Whether its order holds.
        held: The writers that wait.
    """

    def __init__(
        self, settings: CaptureSettings, backlog: Backlog, order: Order, held: HeldWriters
    ) -> None:
        self.pending = PendingTags(settings)
        self.refused_count = 0
        #: Whether the protection has ended: no tag, no TIME any more.
        self.is_closed = False
        self._interval_ns = settings.time_interval_ns
        self._backlog = backlog
        self._order = order
        self._held = held

    def admit(self, change: Change, cost: int, now_ns: int) -> Admission:
        """Put a tag into the stream or refuse it; `cost` is that of its record."""
        kind, order = change.kind, self._order
        if not order.is_ordered or order.is_in_gap:
            return self._refused(
                f"{kind.name} refused: order is lost, a gap is open",
                "Try again when the gap is closed; enlarge the spool or the bandwidth.",
            )
        has_room = not self._held and self._backlog.has_room(cost)
        if not has_room and self._backlog.spool.has_room(cost):
            order.overflow(cost, now_ns)
        elif not has_room:
            return self._refused(
                f"{kind.name} refused: the pool is full ({self._backlog.pool.bytes} bytes) and "
                "writers wait",
                "Try again when the link has caught up; enlarge pool_bytes_max or the bandwidth.",
            )
        flags = FLAG_PENDING if change.is_pending else 0
        draft = Draft(kind, offset=change.offset, payload=change.payload, flags=flags)
        order.append(draft, now_ns)
        sequence = self._backlog.stream.newest.sequence
        if change.is_pending:
            self.pending.insert(sequence, kind, now_ns)
        return Admitted(sequence)

    def decide(self, kind: RecordType, sequence: int, now_ns: int) -> Admission:
        """Commit or revoke a pending tag, unless its time is over."""
        if self.is_closed:
            return refused_for_good(f"{kind.name} of tag {sequence}")
        self._revoke_late(now_ns)
        if not self.pending.is_pending(sequence):
            return Refused(
                f"{kind.name} of tag {sequence} refused: no such tag is pending, its time may be "
                "over",
                "Take the next bookmark; if this repeats, see what keeps the application waiting.",
            )
        self._append_fate(kind, sequence, now_ns)
        if kind == RecordType.TAG_COMMIT:
            self.pending.commit(sequence)
        else:
            self.pending.revoke(sequence)
        return Admitted(self._backlog.stream.newest.sequence)

    def due_ns(self) -> int | None:
        """Return when `tick` has something to do on the session's clock, or None."""
        if self.is_closed:
            return None
        dues = (self._time_record_due_ns(), self.pending.deadline_ns())
        return min((due for due in dues if due is not None), default=None)

    def tick(self, now_ns: int) -> bool:
        """Revoke tags whose time is over, add a TIME record if one is due; return if any was."""
        if self.is_closed:
            return False
        before = self._backlog.stream.newest
        self._revoke_late(now_ns)
        due_ns = self._time_record_due_ns()
        if due_ns is not None and now_ns >= due_ns:
            self._order.append(Draft(RecordType.TIME), now_ns)
        return self._backlog.stream.newest != before

    def _time_record_due_ns(self) -> int | None:
        """Return when the next TIME record is due on the session's clock, or None.

        None while the pool is full, and while the newest record is a TIME record not yet
        acknowledged: an idle group whose link is down must not fill its pool with heartbeats. None
        in a gap, too, where no time can be recovered, and before a branch has begun.
        """
        backlog, order = self._backlog, self._order
        if self._held or not order.is_plain or backlog.stream.needs_epoch:
            return None
        newest = backlog.pool.newest
        if newest is not None and newest.kind == RecordType.TIME:
            return None
        if not backlog.has_room(HEADER_BYTES):
            return None
        stream = backlog.stream
        return stream.source_time_ns - stream.clock_offset_ns + self._interval_ns

    def _revoke_late(self, now_ns: int) -> None:
        for sequence in self.pending.take_timed_out(now_ns):
            self._append_fate(RecordType.TAG_REVOKE, sequence, now_ns)

    def _append_fate(self, kind: RecordType, sequence: int, now_ns: int) -> None:
        """Say what becomes of a tag, even where there is no room: 64 bytes for each tag."""
        order, backlog = self._order, self._backlog
        is_full = order.is_plain and not backlog.has_room(HEADER_BYTES)
        if is_full and backlog.spool.has_room(HEADER_BYTES):
            order.overflow(HEADER_BYTES, now_ns)
        order.append(Draft(kind, offset=sequence), now_ns)

    def _refused(self, reason: str, hint: str) -> Refused:
        self.refused_count += 1
        return Refused(reason, hint)


def refused_for_good(what: str) -> Refused:
    """Return the refusal of a capture that was abandoned."""
    return Refused(f"{what} refused: the protection has ended", ResyncRequired.hint_default)
