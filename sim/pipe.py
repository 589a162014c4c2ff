"""One direction of a connection: a queue, what is in transmission, what is in flight.

The fault model is the link's (link.py).
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

__all__ = ["Message", "Pipe"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way; data None closes the stream."""

    data: bytes | None
    wire_bytes: int
    sent: Signal


class Pipe:
    """One direction of a connection: waiting to be sent, in transmission, in flight, arrived."""

    __slots__ = (
        "_arrival",
        "_bandwidth",
        "_deliver",
        "_draws",
        "_flight",
        "_kernel",
        "_link",
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
        self._sent: deque[Signal] = deque()
        self._sender = Sender(self._message_sent, self._tell_sent)
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
            self._bandwidth.begin(self._sender, message.wire_bytes)

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
        self.unsent_bytes = 0
        return signals

    def freeze(self) -> None:
        """Let nothing arrive: the link is down."""
        self._cancel_arrival()

    def thaw(self, outage_ns: int) -> None:
        """Let everything in flight arrive as much later as the outage was long."""
        self._flight = deque((due_ns + outage_ns, data) for due_ns, data in self._flight)
        self._await_arrival()

    def _message_sent(self) -> int | None:
        """Put the message in transmission in flight; returns the size of the next one."""
        message = self._queue.popleft()
        self.unsent_bytes -= message.wire_bytes
        due_ns = self._kernel.now_ns + self._link.travel_ns(message.wire_bytes, self._draws)
        self._flight.append((due_ns, message.data))
        if self._arrival is None:
            self._await_arrival()
        following = self._queue[0].wire_bytes if self._queue else None
        self._sent.append(message.sent)
        return following

    def _tell_sent(self) -> None:
        """Fire the signal of the oldest message that has left."""
        if self._sent:  # a power cut may have come in between
            self._sent.popleft().fire()

    def _await_arrival(self) -> None:
        """Schedule the arrival of the first message in flight: in a stream nothing overtakes it."""
        if self._flight and self._bandwidth.is_up:
            delay_ns = max(self._flight[0][0] - self._kernel.now_ns, 0)
            self._arrival = self._kernel.schedule(delay_ns, self._arrive)

    def _arrive(self, _event: object) -> None:
        """Hand over the first message in flight."""
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
