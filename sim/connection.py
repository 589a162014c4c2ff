"""Connections: reliable ordered streams of messages between two hosts over a link.

The fault model is the link's (link.py). A connection is established for free; what its
handshake costs is charged by whoever models a protocol's handshake.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from sim.bandwidth import Bandwidth
from sim.kernel import Channel, Host, Signal
from sim.pipe import Message, Pipe

if TYPE_CHECKING:
    from sim.link import Link

__all__ = ["Connection", "ConnectionClosed", "EndState", "Endpoint", "HostUnreachable"]

CLOSE_BYTES = 40  # a segment without payload


class ConnectionClosed(ConnectionError):  # noqa: N818 - an item of an inbox too, not only an error
    """The connection is closed: sent bytes that were not acknowledged may be lost."""

    def __init__(self, end: str, reason: str) -> None:
        super().__init__(
            f"{end}: {reason}. Hint: connect again and resume from what the other end has durably."
        )
        self.reason = reason


class HostUnreachable(ConnectionError):  # noqa: N818 - named for what happened
    """A connection could not be made."""

    def __init__(self, link: str, host: str, reason: str) -> None:
        super().__init__(
            f"{link}: {host} cannot be reached: {reason}. "
            f"Hint: try again later; if it stays so, the site may be lost."
        )
        self.reason = reason


class EndState(Enum):
    """What an end of a connection is."""

    OPEN = "open"
    CLOSED = "closed by this end"
    PEER_CLOSED = "closed by the other end"
    RESET = "reset: the other end lost its power and does not know the connection"
    DEAD = "this end's host lost its power"


class Endpoint:
    """One end of a connection.

    Attributes:
        host: The machine.
        inbox: What arrived: `bytes`, in order; a `ConnectionClosed` as the last item.
        state: What the end is.
    """

    __slots__ = ("_connection", "_kernel", "_outward", "host", "inbox", "state")

    def __init__(self, connection: "Connection", host: Host, outward: Pipe) -> None:
        self._connection = connection
        self._kernel = host.kernel
        self._outward = outward
        self.host = host
        self.inbox: Channel = self._kernel.channel()
        self.state = EndState.OPEN

    @property
    def unsent_bytes(self) -> int:
        """Bytes that wait to be sent, the whole message in transmission among them."""
        return self._outward.unsent_bytes

    def send(self, data: bytes, *, wire_bytes: int | None = None) -> Signal:
        """Send a message.

        Args:
            data: What arrives at the other end.
            wire_bytes: What the link charges for; the length of the data if absent.

        Returns:
            A signal that fires when the last byte has left, and fails with ConnectionClosed.
        """
        signal = self._kernel.signal()
        if self.state is EndState.DEAD:
            return signal
        if self.state is not EndState.OPEN:
            signal.fail(self._closed())
            return signal
        size = len(data) if wire_bytes is None else wire_bytes
        self._connection.put(self, Message(data, size, signal))
        return signal

    def close(self) -> None:
        """Close after what was sent before; the other end gets a `ConnectionClosed`."""
        if self.state is EndState.OPEN:
            self.state = EndState.CLOSED
            self._connection.put(self, Message(None, CLOSE_BYTES, self._kernel.signal()))

    def arrived(self, data: bytes | None) -> None:
        """Take a message; the pipe calls this."""
        if data is None:
            self._connection.finished(self)
        elif self.state is EndState.OPEN:
            self.inbox.put(data)

    def end(self, state: EndState) -> None:
        """Close from the other side; the connection calls this."""
        was_open = self.state is EndState.OPEN
        self.state = state
        for signal in self._outward.destroy():
            signal.fail(self._closed(), announced=True)
        if was_open:
            self.inbox.put(self._closed())

    def die(self) -> None:
        """Lose the power; the connection calls this."""
        self.state = EndState.DEAD
        self.inbox.clear()
        self._outward.destroy()

    def _closed(self) -> ConnectionClosed:
        """Return the error that tells why nothing can be sent."""
        return ConnectionClosed(f"{self._connection.name} at {self.host.name}", self.state.value)


class Connection:
    """A stream in both directions.

    Attributes:
        name: For messages: the link and the two hosts.
        left: The end of the host that was named first.
        right: The other end.
    """

    __slots__ = ("_link", "_pipes", "_reset_waiting", "_unhook", "left", "name", "right")

    def __init__(
        self, link: "Link", name: str, hosts: tuple[Host, Host], lanes: tuple[Bandwidth, Bandwidth]
    ) -> None:
        self.name = name
        self._link = link
        streams = link.kernel.streams if link.streams is None else link.streams
        outward = Pipe(link, lanes[0], streams.stream(f"{name}:forward"))
        inward = Pipe(link, lanes[1], streams.stream(f"{name}:backward"))
        self._pipes = (outward, inward)
        self.left = Endpoint(self, hosts[0], outward)
        self.right = Endpoint(self, hosts[1], inward)
        outward.lead_to(self.right.arrived)
        inward.lead_to(self.left.arrived)
        self._reset_waiting: Endpoint | None = None
        self._unhook = [
            hook
            for end in (self.left, self.right)
            for hook in (
                end.host.on_power_cut(partial(self._power_cut, end)),
                end.host.on_power_on(partial(self._power_on, end)),
            )
        ]

    def __iter__(self) -> Iterator[Endpoint]:
        return iter((self.left, self.right))

    @property
    def held_bytes(self) -> int:
        """Bytes that wait to be sent or are in flight, in both directions."""
        return sum(pipe.unsent_bytes + pipe.flight_bytes for pipe in self._pipes)

    def put(self, end: Endpoint, message: Message) -> None:
        """Send a message from an end; the end calls this."""
        peer = self._peer(end)
        stalled = peer.state is EndState.DEAD
        self._pipes[end is self.right].put(message, stalled=stalled)
        if stalled and peer.host.up:
            self._answer(end)

    def finished(self, end: Endpoint) -> None:
        """Close at an end that has received all; the end calls this."""
        self._end()
        end.end(EndState.PEER_CLOSED)

    def freeze(self, lanes: Sequence[Bandwidth]) -> None:
        """Stop with these directions of the link."""
        for pipe in self._pipes:
            if pipe.lane in lanes:
                pipe.freeze()

    def thaw(self, stood: Sequence[tuple[Bandwidth, int]]) -> None:
        """Go on with directions of the link; each with the nanoseconds for which it stood."""
        for pipe in self._pipes:
            for lane, outage_ns in stood:
                if pipe.lane is lane:
                    pipe.thaw(outage_ns)
        if self._reset_waiting is not None and self._link.is_up:
            end, self._reset_waiting = self._reset_waiting, None
            self._answer(end)

    def _peer(self, end: Endpoint) -> Endpoint:
        """Return the other end."""
        return self.right if end is self.left else self.left

    def _power_cut(self, end: Endpoint) -> None:
        """Lose one end: what is on the way in either direction is gone."""
        peer = self._peer(end)
        end.die()
        self._pipes[peer is self.right].stall()
        if peer.state is EndState.DEAD:
            self._end()

    def _power_on(self, end: Endpoint) -> None:
        """Let the other end's repeated sending be answered by a reset."""
        peer = self._peer(end)
        if end.state is EndState.DEAD and peer.unsent_bytes:
            self._answer(peer)

    def _answer(self, end: Endpoint) -> None:
        """Tell an end, one round trip later, that its peer does not know the connection."""
        self._link.kernel.call_after(2 * self._link.latency_ns, self._reset, end)

    def _reset(self, end: Endpoint) -> None:
        """Tell an end that the connection is gone."""
        peer = self._peer(end)
        if end.state not in (EndState.OPEN, EndState.CLOSED) or not peer.host.up:
            return
        if not self._link.is_up:
            self._reset_waiting = end
            return
        self._end()
        end.end(EndState.RESET)

    def _end(self) -> None:
        """Take no further part in the link's and the hosts' affairs."""
        self._link.forget(self)
        for unhook in self._unhook:
            unhook()
        self._unhook = []
