"""Turns a scenario's faults into faults of the simulated world."""

from collections.abc import Mapping
from dataclasses import dataclass

import scenarios
from rpolab.own_faults import own_fault
from rpolab.protections.base import Protection
from rpolab.protections.cdp import Cdp
from rpolab.protections.images import WhichLog
from rpolab.storage_groups import volume_purpose
from rpolab.world import JOURNAL, Laboratory, link_name
from sim.fault_plan import Fault, Injection, World
from sim.faults import DiskStall, LinkDegraded, LinkOutage, PowerCut, SiteLoss, VolumeFull


@dataclass(frozen=True, slots=True, kw_only=True)
class LostLog(Fault):
    """A log that recovery needs is destroyed in a protection's copy.

    It is the lowest generation that the newest image of a storage group requires at that instant,
    or the one that is being written; images of points before that log existed do not miss it.
    """

    kind = "lost_log"
    device = "protection"

    protection: Cdp
    group: str
    which: WhichLog

    @property
    def target(self) -> str:
        """The protection."""
        return self.protection.name

    def check(self, world: World) -> None:
        """Nothing of the world is named: the scenario's own check found the protection."""

    def strike(self, injection: Injection) -> None:
        """Destroy the log in the copy."""
        destroyed = self.protection.destroy_log(self.group, self.which)
        if destroyed is None:
            injection.missed("no image requires a log yet")
        else:
            injection.fired(f"{destroyed} destroyed in the copy", 1)


def faults_of(laboratory: Laboratory, protections: Mapping[str, Protection]) -> list[Fault]:
    """Return the faults of the laboratory's scenario, in its order."""
    return [
        fault
        for written in laboratory.scenario.faults
        for fault in _build(written, laboratory, protections)
    ]


def _build(
    written: scenarios.Fault, laboratory: Laboratory, protections: Mapping[str, Protection]
) -> list[Fault]:
    at_ns = laboratory.scenario.offset_ns(written.at, laboratory.clock.start_of_day_ns)
    probability = float(written.probability)
    fault: Fault
    match written:
        case scenarios.SiteLoss():
            fault = SiteLoss(at_ns=at_ns, probability=probability, site=written.site)
        case scenarios.LinkOutage():
            fault = LinkOutage(
                at_ns=at_ns,
                probability=probability,
                link=link_name(written.between),
                duration_ns=written.duration_ns,
            )
        case scenarios.LinkSlow():
            fault = LinkDegraded(
                at_ns=at_ns,
                probability=probability,
                link=link_name(written.between),
                bandwidth_bit_s=written.bandwidth_bit_s,
                duration_ns=written.duration_ns,
            )
        case scenarios.PowerCut():
            return _power_cuts(written.site, at_ns, probability, laboratory)
        case scenarios.DiskStall():
            fault = DiskStall(
                at_ns=at_ns,
                probability=probability,
                disk=_volume_name(written, laboratory),
                duration_ns=written.duration_ns,
            )
        case scenarios.DiskFull():
            fault = VolumeFull(
                at_ns=at_ns,
                probability=probability,
                volume=_volume_name(written, laboratory),
                duration_ns=laboratory.clock.duration_ns,
            )
        case scenarios.OwnFault():
            fault = own_fault(written, laboratory, at_ns=at_ns, probability=probability)
        case scenarios.LostLog():
            protection = protections[written.protection]
            assert isinstance(protection, Cdp), "checked with the scenario"
            fault = LostLog(
                at_ns=at_ns,
                probability=probability,
                protection=protection,
                group=laboratory.group_named(written.group).name,
                which=written.which,
            )
    return [fault]


def _power_cuts(site: str, at_ns: int, probability: float, laboratory: Laboratory) -> list[Fault]:
    """Cut every machine of a site: one fault each, as each proves that it fired."""
    return [
        PowerCut(at_ns=at_ns, probability=probability, host=host.name)
        for host in laboratory.sites[site].hosts
    ]


def _volume_name(written: scenarios.DiskStall | scenarios.DiskFull, laboratory: Laboratory) -> str:
    """Return the volume, which is also its disk's name; a journal has its protection's name."""
    if written.volume != JOURNAL:
        exchange = laboratory.scenario.exchange
        return f"{volume_purpose(exchange, written.volume, written.group)}@{written.site}"
    return next(name for name in laboratory.volumes if name.endswith(f"-{JOURNAL}@{written.site}"))
