"""One direction of a link as a fluid: what has something to send shares the bandwidth equally.

The model is exact processor sharing. `work` counts what every sender has been given since the
direction was last idle; a message that begins when `work` is w and costs c has left when `work`
is w + c, whatever the number of senders does meanwhile. So one kernel event is needed for each
message, none for each change of a share.

Time is whole nanoseconds: a message leaves in the first nanosecond in which it is complete, and
the rest of that nanosecond's bandwidth goes to the sender's next message.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush

from sim.kernel import Kernel, Occurrence

__all__ = ["Bandwidth", "Sender"]

# Work is counted in parts of a bit times a second over a nanosecond; the parts make the shares
# of up to sixteen senders whole numbers.
WORK_PARTS = 720_720
WORK_PER_BYTE = 8 * 1_000_000_000 * WORK_PARTS


class Sender:
    """Who has messages to send, one after the other.

    Args:
        sent: Called when the message in transmission has left; returns the next one's size in
            bytes, None if there is none. It must not begin another message by itself.
        told: Called once for each message, in order, after that; it may do what it likes.
    """

    __slots__ = ("is_sending", "sent", "told")

    def __init__(self, sent: Callable[[], int | None], told: Callable[[], None]) -> None:
        self.sent = sent
        self.told = told
        self.is_sending = False


class Bandwidth:
    """The bandwidth of one direction.

    Attributes:
        bytes_sent: Bytes of the messages that have left.
        busy_ns: Time in which something was sent.
    """

    __slots__ = (
        "_bandwidth_bit_s",
        "_event",
        "_heap",
        "_kernel",
        "_order",
        "_since_ns",
        "_work",
        "busy_ns",
        "bytes_sent",
        "is_up",
    )

    def __init__(self, kernel: Kernel, bandwidth_bit_s: int) -> None:
        assert bandwidth_bit_s > 0, f"a bandwidth of {bandwidth_bit_s} bit/s (use down())"
        self._kernel = kernel
        self._bandwidth_bit_s = bandwidth_bit_s
        self._heap: list[tuple[int, int, int, Sender]] = []
        self._order = 0
        self._work = 0
        self._since_ns = kernel.now_ns
        self._event: Occurrence | None = None
        self.is_up = True
        self.bytes_sent = 0
        self.busy_ns = 0

    @property
    def bandwidth_bit_s(self) -> int:
        """The bandwidth in bits per second."""
        return self._bandwidth_bit_s

    def set_bandwidth(self, bandwidth_bit_s: int) -> None:
        """Change the bandwidth, also in the middle of a message."""
        assert bandwidth_bit_s > 0, f"a bandwidth of {bandwidth_bit_s} bit/s (use down())"
        self._advance()
        self._bandwidth_bit_s = bandwidth_bit_s
        self._plan()

    def set_up(self, *, is_up: bool) -> None:
        """Stop or go on; what is in transmission waits."""
        self._advance()
        self.is_up = is_up
        self._plan()

    def begin(self, sender: Sender, byte_count: int) -> None:
        """Begin a message of a sender that has none in transmission."""
        assert not sender.is_sending, "the sender has a message in transmission"
        self._advance()
        self._push(sender, self._work, byte_count)
        self._plan()

    def abandon(self, sender: Sender) -> None:
        """Forget a sender's message in transmission, if it has one."""
        if sender.is_sending:
            self._advance()
            sender.is_sending = False
            self._heap = [entry for entry in self._heap if entry[3] is not sender]
            heapify(self._heap)
            self._plan()

    def _push(self, sender: Sender, work: int, byte_count: int) -> None:
        """Note when a message that begins at that work will have left."""
        sender.is_sending = True
        self._order += 1
        entry = (work + byte_count * WORK_PER_BYTE, self._order, byte_count, sender)
        heappush(self._heap, entry)

    def _advance(self) -> None:
        """Bring the work up to now."""
        now_ns = self._kernel.now_ns
        if self._heap and self.is_up:
            elapsed_ns = now_ns - self._since_ns
            self._work += elapsed_ns * self._bandwidth_bit_s * WORK_PARTS // len(self._heap)
            self.busy_ns += elapsed_ns
        elif not self._heap:
            self._work = 0
        self._since_ns = now_ns

    def _plan(self) -> None:
        """Schedule the next completion."""
        if self._event is not None:
            self._event.cancel()
            self._event = None
        if self._heap and self.is_up:
            missing = max(self._heap[0][0] - self._work, 0) * len(self._heap)
            delay_ns = -(-missing // (self._bandwidth_bit_s * WORK_PARTS))
            self._event = self._kernel.schedule(delay_ns, self._complete)

    def _complete(self, _event: object) -> None:
        """Finish every message that has left by now."""
        self._event = None
        self._advance()
        done: list[Sender] = []
        while self._heap and self._heap[0][0] <= self._work:
            work, _, byte_count, sender = heappop(self._heap)
            sender.is_sending = False
            self.bytes_sent += byte_count
            following = sender.sent()
            if following is not None:
                self._push(sender, work, following)
            done.append(sender)
        self._plan()
        for sender in done:
            sender.told()
