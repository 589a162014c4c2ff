"""The kinds of faults.

Each says what it strikes, what has to change for it to count as fired, and what it counts as
touched. How they are drawn, scheduled and reported: fault_plan.py.
"""

from dataclasses import dataclass

from sim.disk import Disk
from sim.fault_plan import (
    Fault,
    FaultOutcome,
    FaultPlan,
    FaultTargetMissing,
    Injection,
    World,
)
from sim.host import Host
from sim.link import Link
from sim.site import Site
from sim.volume import Volume

__all__ = [
    "DiskStall",
    "Fault",
    "FaultOutcome",
    "FaultPlan",
    "FaultTargetMissing",
    "LinkDegraded",
    "LinkOutage",
    "PowerCut",
    "SiteLoss",
    "VolumeFull",
    "VolumeLoss",
    "World",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOutage(Fault):
    """A link carries nothing for a time."""

    kind = "link_outage"
    device = "link"

    link: str
    duration_ns: int

    @property
    def target(self) -> str:
        """The link."""
        return self.link

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
class LinkDegraded(Fault):
    """A link has another bandwidth for a time."""

    kind = "link_degraded"
    device = "link"

    link: str
    bandwidth_bit_s: int
    duration_ns: int

    @property
    def target(self) -> str:
        """The link."""
        return self.link

    def strike(self, injection: Injection) -> None:
        """Change the bandwidth and change it back."""
        link: Link = self.find(injection.world)
        before_bit_s = link.bandwidth_bit_s
        if before_bit_s == self.bandwidth_bit_s:
            injection.missed(f"the bandwidth was {before_bit_s} bit/s already")
            return
        sent_before = link.bytes_sent
        link.set_bandwidth(self.bandwidth_bit_s)
        injection.fired(f"from {before_bit_s} to {self.bandwidth_bit_s} bit/s")

        def lift() -> None:
            sent_bytes = link.bytes_sent - sent_before
            link.set_bandwidth(before_bit_s)
            injection.learned(
                f"{sent_bytes} bytes sent at {self.bandwidth_bit_s} bit/s", sent_bytes
            )

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLoss(Fault):
    """A site is lost for good."""

    kind = "site_loss"
    device = "site"

    site: str

    @property
    def target(self) -> str:
        """The site."""
        return self.site

    def strike(self, injection: Injection) -> None:
        """Lose it."""
        site: Site = self.find(injection.world)
        loss = site.lose()
        lost = loss.hosts_cut + loss.volumes_destroyed + loss.links_cut
        if not lost:
            injection.missed("nothing was left to lose")
            return
        injection.fired(
            f"hosts cut: {loss.hosts_cut}, tasks dropped: {loss.tasks_dropped}, volumes destroyed: "
            f"{loss.volumes_destroyed} ({loss.bytes_destroyed:,} bytes), links severed: "
            f"{loss.links_cut}",
            lost,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerCut(Fault):
    """A host loses its power.

    Attributes:
        host: The host.
        duration_ns: When the power comes back; None: nobody gives it back.
    """

    kind = "power_cut"
    device = "host"

    host: str
    duration_ns: int | None = None

    @property
    def target(self) -> str:
        """The host."""
        return self.host

    def strike(self, injection: Injection) -> None:
        """Cut the power and give it back."""
        host: Host = self.find(injection.world)
        if not host.up:
            injection.missed("the host had no power")
            return
        tasks = host.power_cut()
        injection.fired(f"{tasks} tasks dropped", 1)
        if self.duration_ns is not None:
            injection.lift_after(self.duration_ns, host.power_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskStall(Fault):
    """A disk serves nothing for a time."""

    kind = "disk_stall"
    device = "disk"

    disk: str
    duration_ns: int

    @property
    def target(self) -> str:
        """The disk."""
        return self.disk

    def strike(self, injection: Injection) -> None:
        """Stall the disk and let it go on."""
        disk: Disk = self.find(injection.world)
        if disk.stalled:
            injection.missed("the disk stood still already")
            return
        disk.stall()
        injection.fired(f"stalled with {len(disk)} requests", len(disk))

        def lift() -> None:
            injection.learned(f"{len(disk)} requests waited at the end", len(disk))
            disk.resume()

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFull(Fault):
    """A volume has no room for a time."""

    kind = "volume_full"
    device = "volume"

    volume: str
    duration_ns: int

    @property
    def target(self) -> str:
        """The volume."""
        return self.volume

    def strike(self, injection: Injection) -> None:
        """Take all the room and give it back."""
        volume: Volume = self.find(injection.world)
        taken_bytes = volume.free_bytes
        if volume.lost or not taken_bytes:
            injection.missed("there was no room to take")
            return
        refused_before = volume.refused_count
        volume.reserve(volume.reserved_bytes + taken_bytes)
        injection.fired(f"{taken_bytes} bytes taken")

        def lift() -> None:
            refused = volume.refused_count - refused_before
            injection.learned(f"{refused} operations refused", refused)
            volume.reserve(max(volume.reserved_bytes - taken_bytes, 0))

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeLoss(Fault):
    """A volume loses everything for good, while its host runs on."""

    kind = "volume_loss"
    device = "volume"

    volume: str

    @property
    def target(self) -> str:
        """The volume."""
        return self.volume

    def strike(self, injection: Injection) -> None:
        """Destroy it."""
        volume: Volume = self.find(injection.world)
        if volume.lost:
            injection.missed("the volume was lost already")
            return
        injection.fired(f"{volume.destroy()} bytes destroyed", 1)
