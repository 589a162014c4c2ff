"""The faults of links: outages both ways or one way, less bandwidth, more loss, a longer way."""

from abc import abstractmethod
from dataclasses import dataclass

from sim.fault_plan import Fault, Injection
from sim.link import Impairment, Link

__all__ = ["LinkDegraded", "LinkDelayed", "LinkLossy", "LinkOneWay", "LinkOutage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOutage(Fault):
    """A link carries nothing for a time."""

    kind = "link_outage"
    device = "link"

    link: str
    duration_ns: int

    def strike(self, injection: Injection) -> None:
        """Take the link down and up again."""
        link: Link = self.find(injection.world)
        if not link.down():
            injection.missed("the link was down already")
            return
        injection.fired(f"went down, holding {link.held_bytes:,} bytes", link.held_bytes)

        def lift() -> None:
            held_bytes = link.held_bytes
            came_up = "came up" if link.up() else "stayed down"
            injection.learned(
                f"{came_up} after {self.duration_ns / 1e9:g} s, holding {held_bytes:,} bytes",
                held_bytes,
            )

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOneWay(Fault):
    """A link carries nothing from one of its sites for a time; the other way all arrives.

    Attributes:
        source: The site from which nothing comes through.
    """

    kind = "link_one_way"
    device = "link"

    link: str
    source: str
    duration_ns: int

    def strike(self, injection: Injection) -> None:
        """Block one direction and let it go on."""
        link: Link = self.find(injection.world)
        source = injection.world.sites[self.source]
        if not link.block(source):
            injection.missed("nothing came through that way already")
            return
        injection.fired(f"nothing comes through from {self.source}", link.held_bytes)

        def lift() -> None:
            held_bytes = link.held_bytes
            link.unblock(source)
            injection.learned(
                f"nothing came through from {self.source} for {self.duration_ns / 1e9:g} s, "
                f"{held_bytes:,} bytes waited at its end",
                held_bytes,
            )

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Impaired(Fault):
    """A link is worse than its own for a time."""

    device = "link"

    link: str
    duration_ns: int

    @property
    @abstractmethod
    def impairment(self) -> Impairment:
        """How it is worse."""

    @abstractmethod
    def told(self, link: Link) -> str:
        """The figure that it changes, in words."""

    def strike(self, injection: Injection) -> None:
        """Make the link worse and as good as before."""
        link: Link = self.find(injection.world)
        before = self.told(link)
        sent_before = link.bytes_sent
        lift_impairment = link.impair(self.impairment)
        after = self.told(link)
        if after == before:
            lift_impairment()
            injection.missed(f"the link had {before} already")
            return
        injection.fired(f"from {before} to {after}")

        def lift() -> None:
            lift_impairment()
            sent_bytes = link.bytes_sent - sent_before
            evidence = f"from {before} to {after}: {sent_bytes:,} bytes sent so"
            injection.learned(evidence, sent_bytes)

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDegraded(_Impaired):
    """A link has less bandwidth for a time."""

    kind = "link_degraded"

    bandwidth_bit_s: int

    @property
    def impairment(self) -> Impairment:
        """Less bandwidth."""
        return Impairment(bandwidth_bit_s=self.bandwidth_bit_s)

    def told(self, link: Link) -> str:
        """The bandwidth."""
        return f"{link.bandwidth_bit_s} bit/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDelayed(_Impaired):
    """A link is a longer way for a time."""

    kind = "link_delayed"

    latency_ns: int

    @property
    def impairment(self) -> Impairment:
        """A longer way."""
        return Impairment(latency_ns=self.latency_ns)

    def told(self, link: Link) -> str:
        """The latency."""
        return f"{link.latency_ns / 1e6:g} ms of latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLossy(_Impaired):
    """A link loses more packets for a time."""

    kind = "link_lossy"

    loss: float

    @property
    def impairment(self) -> Impairment:
        """More loss."""
        return Impairment(loss=self.loss)

    def told(self, link: Link) -> str:
        """The loss."""
        return f"{link.loss * 100:g} % of loss"
