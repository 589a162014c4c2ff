"""One direction of a connection: a queue, what is in transmission, what is in flight.

The fault model is the link's (link.py). A message goes in parts, each of what the line carries in
a short while, so that the other end of a slow line sees that something comes.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.bandwidth import Bandwidth, Sender
from sim.kernel import Occurrence, Signal
from sim.streams import Stream

if TYPE_CHECKING:
    from sim.link import Link

__all__ = ["PACKET_BYTES", "Message", "Pipe"]

PACKET_BYTES = 1460  # the payload of a TCP segment on Ethernet
PARTS_A_SECOND = 10
"""What the line carries in a tenth of a second arrives together: fewer events than packets, and no
receiver that listens for a second takes a long message for silence."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way; data None closes the stream."""

    data: bytes | None
    wire_bytes: int
    sent: Signal

    def part(self, begin: int, end: int) -> bytes | None:
        """Return the data that these bytes on the wire stand for."""
        if self.data is None or end - begin == self.wire_bytes:
            return self.data
        size = len(self.data)
        return self.data[size * begin // self.wire_bytes : size * end // self.wire_bytes]


class Pipe:
    """One direction of a connection: waiting to be sent, in transmission, in flight, arrived."""

    __slots__ = (
        "_arrival",
        "_bandwidth",
        "_deliver",
        "_draws",
        "_flight",
        "_kernel",
        "_left_bytes",
        "_link",
        "_part_bytes",
        "_queue",
        "_sender",
        "_sent",
        "unsent_bytes",
    )

    def __init__(self, link: "Link", bandwidth: Bandwidth, draws: Stream) -> None:
        self._kernel = link.kernel
        self._link = link
        self._bandwidth = bandwidth
        self._draws = draws
        self._queue: deque[Message] = deque()
        self._flight: deque[tuple[int, bytes | None]] = deque()
        self._arrival: Occurrence | None = None
        self._left_bytes = 0  # of the message in transmission, what has left
        self._part_bytes = 0
        self._sent: deque[Signal | None] = deque()
        self._sender = Sender(self._part_sent, self._tell_sent)
        self._deliver: Callable[[bytes | None], None] | None = None
        self.unsent_bytes = 0

    @property
    def lane(self) -> Bandwidth:
        """The direction of the link that it runs in."""
        return self._bandwidth

    @property
    def flight_bytes(self) -> int:
        """Bytes that have left and not arrived."""
        return sum(len(data) for _, data in self._flight if data is not None)

    def lead_to(self, deliver: Callable[[bytes | None], None]) -> None:
        """Say where messages arrive."""
        self._deliver = deliver

    def put(self, message: Message, *, stalled: bool) -> None:
        """Queue a message; a stalled pipe sends nothing."""
        self._queue.append(message)
        self.unsent_bytes += message.wire_bytes
        if not stalled and len(self._queue) == 1:
            self._bandwidth.begin(self._sender, self._next_part())

    def stall(self) -> None:
        """Send nothing more and lose what is in flight: the other end has lost its power."""
        self._bandwidth.abandon(self._sender)
        self._flight.clear()
        self._cancel_arrival()

    def destroy(self) -> list[Signal]:
        """Lose everything on the way; returns the signals of the messages not yet sent."""
        self.stall()
        signals = [message.sent for message in self._queue]
        self._queue.clear()
        self._sent.clear()
        self._left_bytes = 0
        self.unsent_bytes = 0
        return signals

    def freeze(self) -> None:
        """Let nothing arrive: the link is down."""
        self._cancel_arrival()

    def thaw(self, outage_ns: int) -> None:
        """Let everything in flight arrive as much later as the outage was long."""
        self._flight = deque((due_ns + outage_ns, data) for due_ns, data in self._flight)
        self._await_arrival()

    def _next_part(self) -> int:
        """Return the size of what is to be sent next of the first message."""
        carried = self._bandwidth.bandwidth_bit_s // (8 * PARTS_A_SECOND)
        rest = self._queue[0].wire_bytes - self._left_bytes
        self._part_bytes = min(rest, max(carried, PACKET_BYTES))
        return self._part_bytes

    def _part_sent(self) -> int | None:
        """Put the part in transmission in flight; returns the size of the next one."""
        message, size = self._queue[0], self._part_bytes
        begin, end = self._left_bytes, self._left_bytes + size
        self.unsent_bytes -= size
        due_ns = self._kernel.now_ns + self._link.travel_ns(size, self._draws)
        self._flight.append((due_ns, message.part(begin, end)))
        if self._arrival is None:
            self._await_arrival()
        if end < message.wire_bytes:
            self._left_bytes = end
            self._sent.append(None)
            return self._next_part()
        self._left_bytes = 0
        self._queue.popleft()
        self._sent.append(message.sent)
        return self._next_part() if self._queue else None

    def _tell_sent(self) -> None:
        """Fire the signal of the oldest message that has left, unless more of it has to."""
        if self._sent:  # a power cut may have come in between
            signal = self._sent.popleft()
            if signal is not None:
                signal.fire()

    def _await_arrival(self) -> None:
        """Schedule the arrival of what is first in flight: in a stream nothing overtakes it."""
        if self._flight and self._bandwidth.is_up:
            delay_ns = max(self._flight[0][0] - self._kernel.now_ns, 0)
            self._arrival = self._kernel.schedule(delay_ns, self._arrive)

    def _arrive(self, _event: object) -> None:
        """Hand over what is first in flight."""
        self._arrival = None
        _, data = self._flight.popleft()
        self._await_arrival()
        assert self._deliver is not None
        self._deliver(data)

    def _cancel_arrival(self) -> None:
        """Let the scheduled arrival not happen."""
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None
