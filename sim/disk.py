"""Disks: one queue, served in the order of arrival.

Fault model.
May happen: the disk stalls (serves nothing) until a time or until it is told to resume; what is
in service then is finished after the stall, with the service time that was left. For a while it
moves fewer bytes a second; what is in service then is finished at the old speed.
Promised: first come, first served, whatever the order of simultaneous events; every request
takes `latency_ns` plus its bytes divided by the throughput.
Not checked: what the bytes are. Contents and their durability are the volume's (volume.py).
Assumption: one request at a time; no elevator, no read-ahead, no effect of neighbouring
addresses.
"""

from collections import deque
from collections.abc import Callable

from sim.kernel import Call, Kernel, Occurrence

__all__ = ["Disk"]

_Request = tuple[int, Callable[[], None], object]


class Disk:
    """A disk that moves bytes.

    Args:
        kernel: The kernel.
        name: Its name, unique in a world.
        throughput_bytes_s: Bytes per second.
        latency_ns: Time per request besides the bytes.

    Attributes:
        busy_ns: Time spent serving requests that are finished.
        bytes_moved: Bytes of the requests that are finished.
        requests_done: Number of requests that are finished.
        stalled: Whether it serves nothing at present.
    """

    __slots__ = (
        "_begun_ns",
        "_event",
        "_limits",
        "_queue",
        "_remaining_ns",
        "_resumption",
        "_service_ns",
        "busy_ns",
        "bytes_moved",
        "kernel",
        "latency_ns",
        "name",
        "requests_done",
        "stalled",
        "throughput_bytes_s",
    )

    def __init__(
        self, kernel: Kernel, name: str, *, throughput_bytes_s: int, latency_ns: int
    ) -> None:
        assert throughput_bytes_s > 0, f"disk {name}: a throughput of {throughput_bytes_s}"
        assert latency_ns >= 0, f"disk {name}: a latency of {latency_ns} ns"
        self.kernel = kernel
        self.name = name
        self.throughput_bytes_s = throughput_bytes_s
        self.latency_ns = latency_ns
        self._limits = [throughput_bytes_s]
        self.busy_ns = 0
        self.bytes_moved = 0
        self.requests_done = 0
        self.stalled = False
        self._queue: deque[_Request] = deque()
        self._event: Occurrence | None = None
        self._begun_ns = 0
        self._service_ns = 0
        self._remaining_ns = 0
        self._resumption: Call | None = None

    def __len__(self) -> int:
        return len(self._queue)

    def submit(self, byte_count: int, function: Callable[[], None], owner: object = None) -> None:
        """Queue a request; the function is called when it is done."""
        self._queue.append((byte_count, function, owner))
        if len(self._queue) == 1:
            self._begin()

    def service_ns(self, byte_count: int) -> int:
        """Return how long a request of that size takes once it is served."""
        return self.latency_ns + -(-byte_count * 1_000_000_000 // self.throughput_bytes_s)

    def drop(self, owner: object) -> int:
        """Forget an owner's requests, the one in service too; returns how many."""
        queue = self._queue
        if not queue:
            return 0
        head = queue[0]
        kept = deque(request for request in queue if request[2] is not owner)
        dropped = len(queue) - len(kept)
        self._queue = kept
        if head[2] is owner:
            self._interrupt()
            if kept:
                self._begin()
        return dropped

    def stall(self, until_ns: int | None = None) -> None:
        """Serve nothing until a time, or until `resume` if none is given."""
        if not self.stalled:
            self.stalled = True
            if self._event is not None:
                served_ns = self.kernel.now_ns - self._begun_ns
                self._remaining_ns = max(self._remaining_ns - served_ns, 0)
                self._interrupt()
        if self._resumption is not None:
            self._resumption.cancel()
            self._resumption = None
        if until_ns is not None:
            delay_ns = max(until_ns - self.kernel.now_ns, 0)
            self._resumption = self.kernel.call_after(delay_ns, self.resume)

    def resume(self) -> None:
        """Serve again."""
        if not self.stalled:
            return
        self.stalled = False
        if self._resumption is not None:
            self._resumption.cancel()
            self._resumption = None
        if self._queue:
            self._serve()

    def limit(self, throughput_bytes_s: int) -> Callable[[], None]:
        """Move no more than that a second; returns the function that ends it."""
        self._limits.append(throughput_bytes_s)
        self.throughput_bytes_s = min(self._limits)

        def lift() -> None:
            self._limits.remove(throughput_bytes_s)
            self.throughput_bytes_s = min(self._limits)

        return lift

    def _begin(self) -> None:
        """Turn to the request at the head."""
        self._service_ns = self._remaining_ns = self.service_ns(self._queue[0][0])
        if not self.stalled:
            self._serve()

    def _serve(self) -> None:
        """Go on with the request at the head."""
        self._begun_ns = self.kernel.now_ns
        self._event = self.kernel.schedule(self._remaining_ns, self._done)

    def _interrupt(self) -> None:
        """Stop serving."""
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _done(self, _event: object) -> None:
        """Finish the request at the head, and turn to the next one before telling."""
        byte_count, function, _ = self._queue.popleft()
        self._event = None
        self.busy_ns += self._service_ns
        self.bytes_moved += byte_count
        self.requests_done += 1
        if self._queue:
            self._begin()
        function()
