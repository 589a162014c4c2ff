"""Sites: what stands together, and is lost together.

Fault model.
May happen: the whole site is lost at one instant, for good.
Promised: every host of the site loses its power, every volume its contents, every link that
ends there is cut and cannot be brought up again.
Not checked: a partial loss of a site (use the faults of single hosts, disks and links).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.host import Host
    from sim.link import Link
    from sim.volume import Volume

__all__ = ["Site", "SiteLossEvidence"]


@dataclass(frozen=True, slots=True)
class SiteLossEvidence:
    """What the loss of a site took.

    Attributes:
        hosts_cut: Hosts that had power.
        tasks_dropped: Processes that ran on them.
        volumes_destroyed: Volumes that were whole.
        bytes_destroyed: The sizes of their files together.
        links_cut: Links that were up.
    """

    hosts_cut: int
    tasks_dropped: int
    volumes_destroyed: int
    bytes_destroyed: int
    links_cut: int


class Site:
    """A place with hosts, volumes and links; each of them adds itself when it is built.

    Attributes:
        name: Its name, unique in a world.
        lost: Whether it was lost.
    """

    __slots__ = ("hosts", "links", "lost", "name", "volumes")

    def __init__(self, name: str) -> None:
        self.name = name
        self.lost = False
        self.hosts: list[Host] = []
        self.volumes: list[Volume] = []
        self.links: list[Link] = []

    def __repr__(self) -> str:
        return f"<site {self.name}{' (lost)' if self.lost else ''}>"

    def lose(self) -> SiteLossEvidence:
        """Lose the site; returns what was lost with it (nothing, the second time)."""
        self.lost = True
        hosts = [host for host in self.hosts if host.up]
        tasks_dropped = sum(host.power_cut() for host in hosts)
        volumes = [volume for volume in self.volumes if not volume.lost]
        bytes_destroyed = sum(volume.destroy() for volume in volumes)
        links = [link for link in self.links if link.is_up]
        for link in self.links:
            link.sever()
        return SiteLossEvidence(
            hosts_cut=len(hosts),
            tasks_dropped=tasks_dropped,
            volumes_destroyed=len(volumes),
            bytes_destroyed=bytes_destroyed,
            links_cut=len(links),
        )
