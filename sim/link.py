"""Links between sites: bandwidth shared fairly, latency, jitter, loss as delay, outages.

Fault model.
May happen: an outage holds everything, waiting or in flight, and delays it by exactly its
length; the bandwidth changes at any time; packets are lost; an end's host loses its power, and
what has not yet arrived from it or at it is gone; the link is severed for good with its site.
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
Not checked: slow start, windows, congestion beyond fair shares, one-way outages, reordering and
duplication (a stream hides them), bit errors.
"""

from sim.bandwidth import Bandwidth
from sim.connection import Connection, ConnectionClosed, Endpoint, EndState, HostUnreachable
from sim.kernel import Host, Kernel
from sim.pipe import PACKET_BYTES
from sim.site import Site
from sim.streams import Stream, Streams

__all__ = ["Connection", "ConnectionClosed", "EndState", "Endpoint", "HostUnreachable", "Link"]


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
        is_up: Whether anything moves.
        forward: The direction from site_a to site_b: its `bytes_sent` and `busy_ns`.
        backward: The other direction.
        outages: How often it went down.
        outage_ns: How long it was down, in outages that are over.
    """

    __slots__ = (
        "_connections",
        "_connections_made",
        "_down_since_ns",
        "_severed",
        "backward",
        "forward",
        "is_up",
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
        self.is_up = True
        self.outages = 0
        self.outage_ns = 0
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
    def bandwidth_bit_s(self) -> int:
        """The bandwidth of each direction in bits per second."""
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
        if not self.is_up:
            return False
        self.is_up = False
        self.outages += 1
        self._down_since_ns = self.kernel.now_ns
        for lane in (self.forward, self.backward):
            lane.set_up(is_up=False)
        for connection in self._connections:
            connection.freeze()
        return True

    def up(self) -> bool:
        """End an outage; tells whether the link came up: not if it was up, or is severed."""
        if self.is_up or self._severed:
            return False
        self.is_up = True
        outage_ns = self.kernel.now_ns - self._down_since_ns
        self.outage_ns += outage_ns
        for lane in (self.forward, self.backward):
            lane.set_up(is_up=True)
        for connection in tuple(self._connections):
            connection.thaw(outage_ns)
        return True

    def sever(self) -> bool:
        """Take the link down for good; tells whether it was up."""
        self._severed = True
        return self.down()

    def set_bandwidth(self, bandwidth_bit_s: int) -> None:
        """Change the bandwidth of both directions, also in the middle of messages."""
        self.forward.set_bandwidth(bandwidth_bit_s)
        self.backward.set_bandwidth(bandwidth_bit_s)

    def travel_ns(self, wire_bytes: int, draws: Stream) -> int:
        """Draw how long a message is on its way after its last byte has left."""
        jitter_ns = int(draws.random() * self.jitter_ns)
        repetitions = self._repetitions(wire_bytes, draws.random())
        return self.latency_ns + jitter_ns + repetitions * 2 * self.latency_ns

    def forget(self, connection: Connection) -> None:
        """Take a connection off the books; the connection calls this."""
        if connection in self._connections:
            self._connections.remove(connection)

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
