"""From a fault as it is written to the fault of the simulated world, at a given instant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import scenarios
from rpolab.laboratory.own_faults import own_fault
from rpolab.laboratory.storage_groups import volume_purpose
from rpolab.laboratory.world import JOURNAL, Laboratory, link_name
from rpolab.protections.base import Protection
from rpolab.protections.cdp import Cdp
from rpolab.protections.images import WhichLog
from sim import faults as sim_faults
from sim.fault_plan import Fault, Injection, World


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfProtection(Fault):
    """What strikes a protection of the mail server."""

    device = "protection"

    protection: Cdp

    @property
    def target(self) -> str:
        """The protection."""
        return self.protection.name

    def check(self, world: World) -> None:
        """Nothing of the world is named: the scenario's own check found the protection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostLog(_OfProtection):
    """A log that recovery needs is destroyed in a protection's copy.

    It is the lowest generation that the newest image of a storage group requires at that instant,
    or the one that is being written; images of points before that log existed do not miss it.
    """

    kind = "lost_log"

    group: str
    which: WhichLog

    def strike(self, injection: Injection) -> None:
        """Destroy the log in the copy."""
        destroyed = self.protection.copy.destroy_log(self.group, self.which)
        if destroyed is None:
            injection.missed("no image requires a log yet")
        else:
            injection.fired(f"{destroyed} destroyed in the copy", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStop(_OfProtection):
    """The engine's service at one end is killed and started again; its machine runs on."""

    kind = "service_stop"

    end: str
    duration_ns: int

    def strike(self, injection: Injection) -> None:
        """Kill the service, and start it again unless its machine has stopped meanwhile."""
        copy = self.protection.copy
        driver = copy.source if self.end == "source" else copy.target
        if driver.session is None or not driver.host.up:
            injection.missed(f"the service at the {self.end} did not run")
            return
        epoch = driver.host.epoch
        driver.crash()
        injection.fired(f"the service at the {self.end} was killed", 1)

        def lift() -> None:
            if driver.host.up and driver.host.epoch == epoch and driver.session is None:
                driver.start()
                after = f"{self.duration_ns / 1e9:g} s"
                injection.learned(f"the service at the {self.end} ran again after {after}", 1)

        injection.lift_after(self.duration_ns, lift)


class FaultBuilder:
    """Builds the faults of one run.

    Args:
        laboratory: the world that they strike.
        protections: the protections by name.
    """

    def __init__(self, laboratory: Laboratory, protections: Mapping[str, Protection]) -> None:
        self._laboratory = laboratory
        self._protections = protections

    def build(self, written: scenarios.AnyFault, at_ns: int) -> Fault:
        """Return the fault at an instant of the run."""
        match written:
            case scenarios.LinkFault():
                return self._of_link(written, at_ns)
            case scenarios.VolumeFault():
                return self._of_volume(written, at_ns)
            case scenarios.SiteLoss() | scenarios.PowerCut():
                return _of_site(written, at_ns)
            case scenarios.ServiceStop() | scenarios.LostLog():
                return self._of_protection(written, at_ns)
        chance = float(written.probability)
        return own_fault(written, self._laboratory, at_ns=at_ns, probability=chance)

    def _of_protection(
        self, written: scenarios.ServiceStop | scenarios.LostLog, at_ns: int
    ) -> Fault:
        chance, protection = float(written.probability), self._protections[written.protection]
        assert isinstance(protection, Cdp), "checked with the scenario"
        if isinstance(written, scenarios.ServiceStop):
            return ServiceStop(
                at_ns=at_ns,
                probability=chance,
                protection=protection,
                end=written.end,
                duration_ns=written.duration_ns,
            )
        return LostLog(
            at_ns=at_ns,
            probability=chance,
            protection=protection,
            group=self._laboratory.group_named(written.group).name,
            which=written.which,
        )

    def _of_link(self, written: scenarios.LinkFault, at_ns: int) -> Fault:
        chance, link = float(written.probability), link_name(written.between)
        lasting_ns = written.duration_ns
        match written:
            case scenarios.LinkOneWay():
                return sim_faults.LinkOneWay(
                    at_ns=at_ns,
                    probability=chance,
                    link=link,
                    duration_ns=lasting_ns,
                    source=written.blocked_from,
                )
            case scenarios.LinkSlow():
                return sim_faults.LinkDegraded(
                    at_ns=at_ns,
                    probability=chance,
                    link=link,
                    duration_ns=lasting_ns,
                    bandwidth_bit_s=written.bandwidth_bit_s,
                )
            case scenarios.LinkLossy():
                return sim_faults.LinkLossy(
                    at_ns=at_ns,
                    probability=chance,
                    link=link,
                    duration_ns=lasting_ns,
                    loss=float(written.loss),
                )
            case scenarios.LinkDelayed():
                return sim_faults.LinkDelayed(
                    at_ns=at_ns,
                    probability=chance,
                    link=link,
                    duration_ns=lasting_ns,
                    latency_ns=written.latency_ns,
                )
        return sim_faults.LinkOutage(
            at_ns=at_ns, probability=chance, link=link, duration_ns=lasting_ns
        )

    def _of_volume(self, written: scenarios.VolumeFault, at_ns: int) -> Fault:
        chance, name = float(written.probability), self._volume_name(written)
        match written:
            case scenarios.DiskStall():
                return sim_faults.DiskStall(
                    at_ns=at_ns, probability=chance, disk=name, duration_ns=written.duration_ns
                )
            case scenarios.DiskSlow():
                return sim_faults.DiskSlow(
                    at_ns=at_ns,
                    probability=chance,
                    disk=name,
                    duration_ns=written.duration_ns,
                    throughput_bytes_s=written.throughput_bytes_s,
                )
            case scenarios.InputOutputErrors():
                return sim_faults.InputOutputErrors(
                    at_ns=at_ns, probability=chance, volume=name, duration_ns=written.duration_ns
                )
            case scenarios.StaleSnapshot():
                return sim_faults.StaleSnapshot(
                    at_ns=at_ns, probability=chance, volume=name, age_ns=written.age_ns
                )
            case scenarios.DiskFull():
                lasting_ns = written.duration_ns or self._laboratory.clock.duration_ns
                return sim_faults.VolumeFull(
                    at_ns=at_ns, probability=chance, volume=name, duration_ns=lasting_ns
                )
        return _SIMPLE[type(written)](at_ns=at_ns, probability=chance, volume=name)

    def _volume_name(self, written: scenarios.VolumeFault) -> str:
        """Return the volume, which is also its disk's name; a journal has its protection's name."""
        laboratory = self._laboratory
        if written.volume != JOURNAL:
            exchange = laboratory.scenario.exchange
            return f"{volume_purpose(exchange, written.volume, written.group)}@{written.site}"
        ending = f"-{JOURNAL}@{written.site}"
        return next(name for name in laboratory.volumes if name.endswith(ending))


def _of_site(written: scenarios.SiteLoss | scenarios.PowerCut, at_ns: int) -> Fault:
    chance = float(written.probability)
    if isinstance(written, scenarios.SiteLoss):
        return sim_faults.SiteLoss(at_ns=at_ns, probability=chance, site=written.site)
    lasting_ns = written.back_after_ns
    return sim_faults.SitePowerCut(
        at_ns=at_ns, probability=chance, site=written.site, duration_ns=lasting_ns
    )


_SIMPLE: dict[type[scenarios.VolumeFault], Callable[..., Fault]] = {
    scenarios.DiskLoss: sim_faults.VolumeLoss,
    scenarios.BitRot: sim_faults.BitRot,
    scenarios.LostWrite: sim_faults.LostWrite,
    scenarios.MisdirectedWrite: sim_faults.MisdirectedWrite,
}
"""The faults of a volume of which no more is written than where they strike."""
