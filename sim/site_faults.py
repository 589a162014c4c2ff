"""The faults of machines and whole sites: a site is lost, or loses its power for a time."""

from dataclasses import dataclass

from sim.fault_plan import Fault, Injection
from sim.host import Host
from sim.site import Site

__all__ = ["PowerCut", "SiteLoss", "SitePowerCut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLoss(Fault):
    """A site is lost for good."""

    kind = "site_loss"
    device = "site"

    site: str

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
class SitePowerCut(Fault):
    """Every machine of a site loses its power at one instant.

    Attributes:
        site: The site.
        duration_ns: When the power comes back; None: nobody gives it back.
    """

    kind = "power_cut"
    device = "site"

    site: str
    duration_ns: int | None = None

    def strike(self, injection: Injection) -> None:
        """Cut the power and give it back."""
        site: Site = self.find(injection.world)
        hosts = [host for host in site.hosts if host.up]
        if not hosts:
            injection.missed("no machine of the site had power")
            return
        tasks = sum(host.power_cut() for host in hosts)
        names = ", ".join(host.name for host in hosts)
        evidence = f"no power for {names}: {tasks} tasks dropped"
        injection.fired(evidence, len(hosts))
        if self.duration_ns is None:
            return
        after_s = self.duration_ns / 1e9

        def lift() -> None:
            if site.lost:
                return
            for host in hosts:
                host.power_on()
            injection.learned(f"{evidence}; back after {after_s:g} s", len(hosts))

        injection.lift_after(self.duration_ns, lift)
