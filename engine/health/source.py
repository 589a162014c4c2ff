"""What only the source knows: its backlog, its modes, and for how long it was held back."""

from dataclasses import dataclass

from engine.capture.capture import Capture
from engine.capture.figures import CaptureFigures
from engine.health.backlog import BacklogFigures, BacklogMeter
from engine.session.outbox import SendFigures
from engine.session.source import SourceSession


@dataclass(frozen=True, slots=True)
class ThrottleFigures:
    """For how long something kept the stream or its writers waiting.

    Attributes:
        writers_held_ns: Writers waited, because the pool was full.
        window_full_ns: Records waited for the line or the target.
        schedule_ns: Records waited for the bandwidth schedule.
        resync_ns: How much of all this fell into gaps and resyncs.
        differential_ns: And how much into ordinary replication (MaxRep's two columns).
    """

    writers_held_ns: int
    window_full_ns: int
    schedule_ns: int
    resync_ns: int
    differential_ns: int

    @property
    def total_ns(self) -> int:
        """Return the sum; two causes at one time count twice."""
        return self.resync_ns + self.differential_ns


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """The source's half of a health report.

    Attributes:
        capture: Modes, gaps, refused tags.
        backlog: What waits.
        throttled: For how long it had to.
        stuck_ns: For how long there was a backlog and nothing of it was acknowledged.
        sent_raw_bytes: Changes that were sent, uncompressed.
        sent_wire_bytes: The same as they went over the line.
    """

    capture: CaptureFigures
    backlog: BacklogFigures
    throttled: ThrottleFigures
    stuck_ns: int
    sent_raw_bytes: int
    sent_wire_bytes: int


class SourceHealth:
    """Follows a capture and whatever sessions it is given.

    Args:
        capture: The group's capture.
        now_ns: The driver's steady clock.
    """

    def __init__(self, capture: Capture, now_ns: int) -> None:
        self._capture = capture
        self._meter = BacklogMeter(now_ns)
        self._session: SourceSession | None = None
        self._before = SendFigures()  # of all sessions that are gone
        self._seen = SendFigures()
        self._since_ns = now_ns
        self._moved_at_ns = now_ns
        self._acknowledged = 0
        self._acknowledged_earlier = 0  # of captures before this one
        self._are_writers_held = False
        self._is_in_gap = False
        self._writers_held_ns = 0
        self._resync_ns = 0
        self._differential_ns = 0

    def attach(self, session: SourceSession, now_ns: int) -> None:
        """Follow another session, of this capture or, after a host crash, of the next one.

        What the last session did is kept.
        """
        self.observe(now_ns)
        if session.capture is not self._capture:
            self._capture, self._acknowledged_earlier = session.capture, self._acknowledged
        self._before = _sum(self._before, self._seen)
        self._session, self._seen = session, SendFigures()

    def observe(self, now_ns: int) -> None:
        """Look at the source after something has happened there; O(1)."""
        capture = self._capture
        figures = capture.figures(now_ns)
        size_bytes = figures.pool_bytes + figures.spool_bytes
        self._count_waiting(now_ns)
        acknowledged = self._acknowledged_earlier + figures.acknowledged_bytes
        if not size_bytes or acknowledged > self._acknowledged:
            self._moved_at_ns = now_ns
        self._acknowledged = acknowledged
        oldest_at_ns = None
        if capture.sendable_sequence >= capture.oldest_sequence:
            oldest = capture.entry(capture.oldest_sequence)
            oldest_at_ns = oldest.source_time_ns - capture.clock_offset_ns
        self._meter.observe(size_bytes, oldest_at_ns, acknowledged, now_ns)
        self._are_writers_held = capture.held_count > 0
        self._is_in_gap = capture.is_in_gap

    def figures(self, now_ns: int) -> SourceFigures:
        """Return everything up to now."""
        self.observe(now_ns)
        sent = _sum(self._before, self._seen)
        return SourceFigures(
            capture=self._capture.figures(now_ns),
            backlog=self._meter.figures(now_ns),
            throttled=ThrottleFigures(
                writers_held_ns=self._writers_held_ns,
                window_full_ns=sent.window_full_ns,
                schedule_ns=sent.throttled_ns,
                resync_ns=self._resync_ns,
                differential_ns=self._differential_ns,
            ),
            stuck_ns=now_ns - self._moved_at_ns,
            sent_raw_bytes=sent.raw_bytes,
            sent_wire_bytes=sent.wire_bytes,
        )

    def _count_waiting(self, now_ns: int) -> None:
        """Count the waiting since the last look under what was going on then."""
        passed_ns, self._since_ns = now_ns - self._since_ns, now_ns
        waited_ns = passed_ns if self._are_writers_held else 0
        self._writers_held_ns += waited_ns
        if self._session is not None:
            seen = _sum(SendFigures(), self._session.figures)
            waited_ns += seen.window_full_ns - self._seen.window_full_ns
            waited_ns += seen.throttled_ns - self._seen.throttled_ns
            self._seen = seen
        if self._is_in_gap:
            self._resync_ns += waited_ns
        else:
            self._differential_ns += waited_ns


def _sum(one: SendFigures, other: SendFigures) -> SendFigures:
    return SendFigures(
        batches=one.batches + other.batches,
        records=one.records + other.records,
        raw_bytes=one.raw_bytes + other.raw_bytes,
        wire_bytes=one.wire_bytes + other.wire_bytes,
        window_full_ns=one.window_full_ns + other.window_full_ns,
        throttled_ns=one.throttled_ns + other.throttled_ns,
    )
