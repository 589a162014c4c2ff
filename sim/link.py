"""Links between sites: bandwidth shared fairly, latency, jitter, loss as delay, outages.

Fault model.
May happen: an outage holds everything, waiting or in flight, and delays it by exactly its
length, in both directions or in one; the bandwidth changes at any time; for a while the link has
less bandwidth, a longer way or more loss than its own; packets are lost; an end's host loses its
power, and what has not yet arrived from it or at it is gone; the link is severed for good with
its site.
Promised: a connection delivers the bytes of its messages in order and once; of the last one it may
be that only a part arrives, as large as the line had carried. The survivor
of a power cut learns nothing: its bytes wait, and it must have a time limit of its own, until
the other host has its power back and something is sent: one round trip later it gets
`ConnectionClosed`.
Model: each direction has the full bandwidth, shared equally by the connections that have
something to send (bandwidth.py). A message goes in parts of a tenth of a second (pipe.py). A part
arrives one latency, plus its jitter (uniform from 0 to `jitter_ns`), after its last byte has left,
and not before the part ahead of it. It travels in packets of 1460 bytes; with
each packet lost independently, it needs as many repetitions as its unluckiest packet, and each
costs one round trip (the losses of one round are repeated together, as selective
acknowledgement does). Repeated packets are not charged to the bandwidth.
No connection is made while one of the directions is blocked: a handshake needs both.
Not checked: slow start, windows, congestion beyond fair shares, reordering and duplication (a
stream hides them), bit errors.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sim.bandwidth import Bandwidth
from sim.connection import Connection, ConnectionClosed, Endpoint, EndState, HostUnreachable
from sim.kernel import Host, Kernel
from sim.pipe import PACKET_BYTES
from sim.site import Site
from sim.streams import Stream, Streams

__all__ = [
    "Connection",
    "ConnectionClosed",
    "EndState",
    "Endpoint",
    "HostUnreachable",
    "Impairment",
    "Link",
]


@dataclass(frozen=True, slots=True)
class Impairment:
    """How a link is worse than its own for a while; of several, and its own, the worst counts.

    Attributes:
        bandwidth_bit_s: The most that each direction has; None: no less than its own.
        latency_ns: The shortest way that a byte travels.
        loss: The least share of packets that are lost.
    """

    bandwidth_bit_s: int | None = None
    latency_ns: int = 0
    loss: float = 0.0


class Link:
    """A link between two sites, or within one.

    Args:
        kernel: The kernel.
        name: Its name, unique in a world.
        site_a: One site.
        site_b: The other site; may be the same, for a local network.
        bandwidth_bit_s: Bits per second in each direction.
        latency_ns: The time a byte travels, one way.
        jitter_ns: How much longer a message may travel.
        loss: The probability that a packet is lost, less than 1.
        streams: The run's streams: each connection draws from streams of its own.

    Attributes:
        latency_ns: The time a byte travels now, one way; `loss` likewise.
        forward: The direction from site_a to site_b: its `bytes_sent` and `busy_ns`.
        backward: The other direction.
        outages: How often it went down.
        outage_ns: How long it was down, in outages that are over.
    """

    __slots__ = (
        "_blocked",
        "_connections",
        "_connections_made",
        "_down_since_ns",
        "_impairments",
        "_is_down",
        "_own",
        "_severed",
        "_stopped_ns",
        "backward",
        "forward",
        "jitter_ns",
        "kernel",
        "latency_ns",
        "loss",
        "name",
        "outage_ns",
        "outages",
        "site_a",
        "site_b",
        "streams",
    )

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        site_a: Site,
        site_b: Site,
        *,
        bandwidth_bit_s: int,
        latency_ns: int,
        jitter_ns: int = 0,
        loss: float = 0.0,
        streams: Streams | None = None,
    ) -> None:
        assert latency_ns >= 0, f"link {name}: a latency of {latency_ns} ns"
        assert jitter_ns >= 0, f"link {name}: a jitter of {jitter_ns} ns"
        assert 0.0 <= loss < 1.0, f"link {name}: a loss of {loss}: nothing would ever arrive"
        self.kernel = kernel
        self.name = name
        self.site_a = site_a
        self.site_b = site_b
        self.latency_ns = latency_ns
        self.jitter_ns = jitter_ns
        self.loss = loss
        self.streams = streams or kernel.streams
        self.forward = Bandwidth(kernel, bandwidth_bit_s)
        self.backward = Bandwidth(kernel, bandwidth_bit_s)
        self.outages = 0
        self.outage_ns = 0
        self._own = Impairment(bandwidth_bit_s, latency_ns, loss)
        self._impairments: list[Impairment] = []
        self._is_down = False
        self._blocked: list[Bandwidth] = []
        self._stopped_ns = [0, 0]
        self._severed = False
        self._down_since_ns = 0
        self._connections: list[Connection] = []
        self._connections_made = 0
        site_a.links.append(self)
        if site_b is not site_a:
            site_b.links.append(self)

    def __repr__(self) -> str:
        return f"<link {self.name} {'up' if self.is_up else 'down'}>"

    @property
    def is_up(self) -> bool:
        """Whether both directions move."""
        return not self._is_down and not self._blocked

    @property
    def bandwidth_bit_s(self) -> int:
        """The bandwidth that each direction has now, in bits per second."""
        return self.forward.bandwidth_bit_s

    @property
    def bytes_sent(self) -> int:
        """Bytes of the messages that have left, in both directions."""
        return self.forward.bytes_sent + self.backward.bytes_sent

    @property
    def held_bytes(self) -> int:
        """Bytes that wait to be sent or are in flight, of all connections."""
        return sum(connection.held_bytes for connection in self._connections)

    def connect(self, host_a: Host, host_b: Host) -> Connection:
        """Connect two hosts, one at each site; the first is the connection's left end.

        Raises:
            HostUnreachable: The link is down, or one of the hosts has no power.
        """
        forward = (host_a.site, host_b.site) == (self.site_a, self.site_b)
        backward = (host_a.site, host_b.site) == (self.site_b, self.site_a)
        assert forward or backward, (
            f"link {self.name} joins {self.site_a} and {self.site_b}, "
            f"not {host_a} at {host_a.site} and {host_b} at {host_b.site}"
        )
        if not self.is_up:
            raise HostUnreachable(self.name, host_b.name, "the link is down")
        for host in (host_a, host_b):
            if not host.up:
                raise HostUnreachable(self.name, host.name, "it has no power")
        self._connections_made += 1
        name = f"link:{self.name}:{host_a.name}-{host_b.name}:{self._connections_made}"
        lanes = (self.forward, self.backward) if forward else (self.backward, self.forward)
        connection = Connection(self, name, (host_a, host_b), lanes)
        self._connections.append(connection)
        return connection

    def down(self) -> bool:
        """Begin an outage; tells whether the link was up."""
        if self._is_down:
            return False
        self._is_down = True
        self.outages += 1
        self._down_since_ns = self.kernel.now_ns
        self._stop([lane for lane in self._lanes if lane.is_up])
        return True

    def up(self) -> bool:
        """End an outage; tells whether the link came up: not if it was up, or is severed."""
        if not self._is_down or self._severed:
            return False
        self._is_down = False
        self.outage_ns += self.kernel.now_ns - self._down_since_ns
        self._go([lane for lane in self._lanes if lane not in self._blocked])
        return True

    def block(self, source: Site) -> bool:
        """Let nothing through from one of its sites; tells whether something got through."""
        lane = self._lane_from(source)
        if self._is_down or lane in self._blocked:
            return False
        self._blocked.append(lane)
        self._stop([lane])
        return True

    def unblock(self, source: Site) -> None:
        """Let through again what comes from that site, unless the whole link is down."""
        lane = self._lane_from(source)
        self._blocked.remove(lane)
        if not self._is_down:
            self._go([lane])

    def sever(self) -> bool:
        """Take the link down for good; tells whether it was up."""
        self._severed = True
        return self.down()

    def set_bandwidth(self, bandwidth_bit_s: int) -> None:
        """Change the bandwidth of both directions, also in the middle of messages."""
        own = self._own
        self._own = Impairment(bandwidth_bit_s, own.latency_ns, own.loss)
        self._settle()

    def impair(self, impairment: Impairment) -> Callable[[], None]:
        """Make the link worse; returns the function that ends it."""
        self._impairments.append(impairment)
        self._settle()

        def lift() -> None:
            self._impairments.remove(impairment)
            self._settle()

        return lift

    def travel_ns(self, wire_bytes: int, draws: Stream) -> int:
        """Draw how long a message is on its way after its last byte has left."""
        jitter_ns = int(draws.random() * self.jitter_ns)
        repetitions = self._repetitions(wire_bytes, draws.random())
        return self.latency_ns + jitter_ns + repetitions * 2 * self.latency_ns

    def forget(self, connection: Connection) -> None:
        """Take a connection off the books; the connection calls this."""
        if connection in self._connections:
            self._connections.remove(connection)

    @property
    def _lanes(self) -> tuple[Bandwidth, Bandwidth]:
        return self.forward, self.backward

    def _lane_from(self, source: Site) -> Bandwidth:
        """Return the direction that begins at a site."""
        assert source in (self.site_a, self.site_b), f"{self} does not begin at {source}"
        return self.forward if source is self.site_a else self.backward

    def _stop(self, lanes: list[Bandwidth]) -> None:
        """Let nothing move in these directions."""
        for lane in lanes:
            self._stopped_ns[lane is self.backward] = self.kernel.now_ns
            lane.set_up(is_up=False)
        for connection in self._connections:
            connection.freeze(lanes)

    def _go(self, lanes: list[Bandwidth]) -> None:
        """Let these directions go on, with everything in flight as much later as they stood."""
        for lane in lanes:
            lane.set_up(is_up=True)
        now_ns = self.kernel.now_ns
        stood = [(lane, now_ns - self._stopped_ns[lane is self.backward]) for lane in lanes]
        for connection in tuple(self._connections):
            connection.thaw(stood)

    def _settle(self) -> None:
        """Let the worst of the link's own and its impairments hold from now on."""
        every = (self._own, *self._impairments)
        self.latency_ns = max(each.latency_ns for each in every)
        self.loss = max(each.loss for each in every)
        limits = [each.bandwidth_bit_s for each in every if each.bandwidth_bit_s is not None]
        if min(limits) != self.bandwidth_bit_s:
            for lane in self._lanes:
                lane.set_bandwidth(min(limits))

    def _repetitions(self, wire_bytes: int, draw: float) -> int:
        """Return how often the unluckiest packet of a message is sent again."""
        if not self.loss:
            return 0
        packets = -(-wire_bytes // PACKET_BYTES)
        repetitions = 0
        lost_again = self.loss
        # P(at most k repetitions) = (1 - loss^(k+1))^packets, inverted for one uniform draw.
        while draw >= (1.0 - lost_again) ** packets:
            repetitions += 1
            lost_again *= self.loss
        return repetitions
