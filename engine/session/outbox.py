"""What the source sends when: batches, the window, the linger and the bandwidth limit.

The limit counts batches and what a resync asks. Greetings, heartbeats and errors are too few to
count, and must not wait.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from engine.basics.settings import SessionSettings
from engine.capture.capture import Capture
from engine.formats.wire import BatchEncoder, Stamp
from engine.session.bandwidth import BandwidthLimit
from engine.session.negotiation import Terms


class Hold(Enum):
    """What keeps records from being sent though they are there."""

    WINDOW = "window"
    BANDWIDTH = "bandwidth"


@dataclass(slots=True)
class SendFigures:
    """What one session has sent, and for how long it could not though it had something.

    `window_full_ns` is back-pressure: the line or the target is slower than the writers.
    `throttled_ns` is the schedule's doing. Both are counted up to the last event.
    """

    batches: int = 0
    records: int = 0
    raw_bytes: int = 0
    wire_bytes: int = 0
    window_full_ns: int = 0
    throttled_ns: int = 0


class Outbox:
    """The sending half of a source session.

    Args:
        capture: Where the records are.
        settings: Bounds and times.
        send: Sends the bytes of a frame at a time; they stand for so many raw ones.
        stamp: Makes the stamp of a frame that is sent at a time.
    """

    def __init__(
        self,
        capture: Capture,
        settings: SessionSettings,
        send: Callable[[bytes, int, int], None],
        stamp: Callable[[int], Stamp],
    ) -> None:
        #: The newest sequence sent on this connection.
        self.sent_sequence = 0
        #: Raw bytes sent and not yet acknowledged.
        self.window_bytes = 0
        self.figures = SendFigures()
        self._capture = capture
        self._settings = settings
        self._send = send
        self._stamp = stamp
        self._limit = BandwidthLimit(settings.bandwidth)
        self._encoder = BatchEncoder(0, None)
        self._terms: Terms | None = None
        self._linger_until_ns: int | None = None
        self._free_at_ns: int | None = None  # of the bandwidth limit
        self._wall_offset_ns = 0
        self._hold: Hold | None = None
        self._held_since_ns = 0

    def begin(self, sequence: int, terms: Terms) -> None:
        """Begin a connection: everything after this sequence is to be sent on it."""
        self.sent_sequence = sequence
        self.window_bytes = 0
        self._linger_until_ns = self._free_at_ns = None
        if terms != self._terms:
            level = self._settings.batch_compression_level if terms.has_zstd else None
            self._encoder = BatchEncoder(terms.version, level)
            self._terms = terms

    def end(self, now_ns: int) -> None:
        """End a connection: nothing is held back any more, for nothing can be sent."""
        self._account(None, now_ns)

    def acknowledged(self, freed_bytes: int) -> None:
        """Note how many raw bytes have left the window."""
        self.window_bytes -= freed_bytes
        assert self.window_bytes >= 0, "the window holds sent records only"

    def is_gathering(self, now_ns: int) -> bool:
        """Return whether nothing but more records, or the timer, can make a batch go."""
        return (
            self._is_lingering(now_ns, self._settings.batch_bytes_max)
            and self._hold is None
            and not self._settings.bandwidth
            and self._wall_offset_ns == self._capture.clock_offset_ns
        )

    def pump(self, now_ns: int) -> None:
        """Send what may be sent now: a full batch at once, a small one after its linger."""
        if self._wall_offset_ns != self._capture.clock_offset_ns:
            self._wall_offset_ns = self._capture.clock_offset_ns
            self._free_at_ns = None  # another rule may hold now
        batch_bytes_max = self._limit.batch_bytes_max(
            now_ns + self._wall_offset_ns, self._settings.batch_bytes_max
        )
        self._account(self._pump(now_ns, batch_bytes_max), now_ns)

    def free_at_ns(self, now_ns: int) -> int:
        """Return when the bandwidth limit lets something go: `now_ns` itself, or later."""
        return self._limit.free_at_ns(now_ns, self._capture.clock_offset_ns)

    def send_counted(self, data: bytes, now_ns: int) -> None:
        """Send a frame that is no batch, on the account of the bandwidth limit."""
        self._limit.spend(len(data))
        self.figures.wire_bytes += len(data)
        self._send(data, now_ns, 0)

    def due_ns(self) -> int | None:
        """Return when to pump again though nothing happens, None where there is no need."""
        dues = (self._linger_until_ns, self._free_at_ns)
        return min((due for due in dues if due is not None), default=None)

    def _pump(self, now_ns: int, batch_bytes_max: int) -> Hold | None:
        if self._free_at_ns is not None and now_ns < self._free_at_ns:
            return Hold.BANDWIDTH
        self._free_at_ns = None
        if self._is_lingering(now_ns, batch_bytes_max):
            return None
        while self.sent_sequence < self._capture.sendable_sequence:
            last, batch_bytes, is_full = self._next_batch(batch_bytes_max)
            if not last:
                self._linger_until_ns = None
                return Hold.WINDOW  # the next ACK comes back here
            if not is_full and self._settings.batch_linger_ns:
                if self._linger_until_ns is None:
                    self._linger_until_ns = now_ns + self._settings.batch_linger_ns
                if now_ns < self._linger_until_ns:
                    return None
            self._linger_until_ns = None
            free_at_ns = self._limit.free_at_ns(now_ns, self._wall_offset_ns)
            if free_at_ns > now_ns:
                self._free_at_ns = free_at_ns
                return Hold.BANDWIDTH
            self._send_batch(last, batch_bytes, now_ns)
        self._linger_until_ns = None
        return None

    def _send_batch(self, last: int, batch_bytes: int, now_ns: int) -> None:
        first = self.sent_sequence + 1
        numbers = range(first, last + 1)
        parts = [part for n in numbers for part in self._capture.entry(n).parts]
        data = self._encoder.encode(self._stamp(now_ns), first, len(numbers), parts)
        self.sent_sequence = last
        self.window_bytes += batch_bytes
        self._limit.spend(len(data))
        figures = self.figures
        figures.batches += 1
        figures.records += len(numbers)
        figures.raw_bytes += batch_bytes
        figures.wire_bytes += len(data)
        self._send(data, now_ns, batch_bytes)

    def _is_lingering(self, now_ns: int, batch_bytes_max: int) -> bool:
        """Return whether a small batch still waits: the usual answer while writes come in."""
        if self._linger_until_ns is None or now_ns >= self._linger_until_ns:
            return False
        return self._capture.pool_bytes - self.window_bytes < batch_bytes_max

    def _next_batch(self, batch_bytes_max: int) -> tuple[int, int, bool]:
        """Return the last sequence (0: none fits the window), the raw bytes, and if it is full."""
        capture, window_bytes_max = self._capture, self._settings.window_bytes_max
        last, total = 0, 0
        for sequence in range(self.sent_sequence + 1, capture.sendable_sequence + 1):
            cost = capture.entry(sequence).cost_bytes
            # A record larger than the batch or the window goes alone, or it would never go.
            if total and total + cost > batch_bytes_max:
                return last, total, True
            window = self.window_bytes + total
            if window and window + cost > window_bytes_max:
                return last, total, True
            last, total = sequence, total + cost
        return last, total, total >= batch_bytes_max

    def _account(self, hold: Hold | None, now_ns: int) -> None:
        """Count the time since the last look under what held records back in it."""
        passed_ns = now_ns - self._held_since_ns
        if self._hold is Hold.WINDOW:
            self.figures.window_full_ns += passed_ns
        elif self._hold is Hold.BANDWIDTH:
            self.figures.throttled_ns += passed_ns
        self._hold, self._held_since_ns = hold, now_ns
