"""Builds the simulated world of a scenario: sites, machines, disks, links and the mail server.

Every volume has a disk of its own, as Exchange was laid out; all disks of a site are alike.
"""

import datetime as dt
from dataclasses import dataclass

from emulators.ese.running.storage_group import StorageGroup
from rpolab.laboratory.link_schedules import follow_schedule
from rpolab.laboratory.storage_groups import (
    DATABASE,
    LOGS,
    database_files,
    parameters_of,
    require_edition,
    volume_purpose,
)
from rpolab.mail.source import Replay
from scenarios import Link as LinkSettings
from scenarios import Scenario
from sim.disk import Disk
from sim.faults import World
from sim.host import Host
from sim.kernel import Kernel
from sim.link import Link
from sim.site import Site
from sim.streams import Streams
from sim.trace import Trace
from sim.volume import Volume

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NS_PER_SECOND = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_SECOND

JOURNAL = "journal"
LAN_BIT_S = 1_000_000_000
LAN_LATENCY_NS = 200_000
"""The network of a site: gigabit Ethernet with a switch or two. Assumption."""
SETTLING_NS = 60 * NS_PER_SECOND
"""How long a run without a stated duration goes on after the last replayed message."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When a run starts and how long it lasts, in nanoseconds.

    `starts_ns` is calendar time since 1970, `start_of_day_ns` the time of day at the start.
    """

    starts_ns: int
    duration_ns: int

    @property
    def start_of_day_ns(self) -> int:
        """Time of day at the start."""
        return self.starts_ns % NS_PER_DAY

    @property
    def starts_at(self) -> dt.datetime:
        """Calendar time of the start, without a zone."""
        started = EPOCH + dt.timedelta(microseconds=self.starts_ns // 1_000)
        return started.replace(tzinfo=None)


def clock_of(scenario: Scenario, replay: Replay | None) -> Clock:
    """Return start and duration: the scenario's, or where mail is replayed, the mail's."""
    if replay is None:
        starts = scenario.starts_at.replace(tzinfo=dt.UTC) - EPOCH
        starts_ns = starts // dt.timedelta(microseconds=1) * 1_000
        assert scenario.duration_ns is not None, "only a replay may leave the duration open"
        return Clock(starts_ns, scenario.duration_ns)
    duration_ns = scenario.duration_ns or replay.duration_ns + SETTLING_NS
    return Clock(replay.starts_ns, duration_ns)


class Laboratory:
    """The devices of one run.

    Args:
        scenario: what to build.
        clock: start and duration.
        keep_trace: keep the trace's lines, to compare runs.

    Raises:
        ScenarioError: the mail server's edition does not allow its storage groups.
    """

    def __init__(self, scenario: Scenario, clock: Clock, *, keep_trace: bool = False) -> None:
        require_edition(scenario.exchange)
        self.scenario = scenario
        self.clock = clock
        self.streams = Streams(scenario.seed)
        self.kernel = Kernel(self.streams)
        self.trace = Trace(lambda: self.kernel.now_ns, keep_lines=keep_trace)
        self.sites = {name: Site(name) for name in scenario.sites}
        self.hosts: dict[str, Host] = {}
        self.disks: dict[str, Disk] = {}
        self.volumes: dict[str, Volume] = {}
        self.links = {link_name(link.between): self._build_link(link) for link in scenario.links}
        self.mail_host_site = scenario.exchange.site
        self.mail_host = self.add_host("mail", self.mail_host_site)
        self._starts = 0
        self.groups = tuple(
            self._build_group(number) for number in range(len(scenario.exchange.storage_groups))
        )

    def begin_groups_anew(self) -> None:
        """Put new storage groups on the volumes, after the mail server's machine had stopped."""
        self._starts += 1
        self.groups = tuple(self._build_group(number) for number in range(len(self.groups)))

    @property
    def group(self) -> StorageGroup:
        """The storage group of a server that has one only."""
        [group] = self.groups
        return group

    def group_named(self, name: str | None) -> StorageGroup:
        """Return a storage group; the first for None."""
        return next(group for group in self.groups if name in (None, group.name))

    def protected_volumes(self, group: StorageGroup) -> dict[str, Volume]:
        """Return the volumes of a storage group by what they are for: logs, then databases."""
        exchange = self.scenario.exchange
        return {
            volume_purpose(exchange, LOGS, group.name): group.log_volume,
            volume_purpose(exchange, DATABASE, group.name): group.database_volume,
        }

    def add_host(self, role: str, site: str) -> Host:
        """Put a machine into a site."""
        host = Host(self.kernel, f"{role}@{site}", self.sites[site])
        self.hosts[host.name] = host
        return host

    def add_volume(self, purpose: str, host: Host, site: str) -> Volume:
        """Give a machine a volume on a disk of its own."""
        settings = self.scenario.sites[site]
        name = f"{purpose}@{site}"
        disk = Disk(
            self.kernel,
            name,
            throughput_bytes_s=settings.disk.throughput_bytes_s,
            latency_ns=settings.disk.latency_ns,
        )
        volume = Volume(
            self.kernel,
            name,
            disk,
            capacity_bytes=settings.capacity_bytes,
            host=host,
            streams=self.streams,
        )
        self.disks[name] = disk
        self.volumes[name] = volume
        return volume

    def link_between(self, one: str, other: str) -> Link:
        """Return the link that joins two sites, or a site's own network."""
        if one == other:
            return self._local_network(one)
        wanted = {one, other}
        return next(
            link for link in self.links.values() if {link.site_a.name, link.site_b.name} == wanted
        )

    def are_linked(self, one: str, other: str) -> bool:
        """Return whether something joins two sites directly."""
        return one == other or link_name((one, other)) in self.links

    def fault_world(self) -> World:
        """Return the devices that faults can name."""
        return World(
            sites=self.sites,
            hosts=self.hosts,
            disks=self.disks,
            volumes=self.volumes,
            links=self.links,
        )

    def _local_network(self, site: str) -> Link:
        name = f"lan-{site}"
        if name not in self.links:
            place = self.sites[site]
            self.links[name] = Link(
                self.kernel,
                name,
                place,
                place,
                bandwidth_bit_s=LAN_BIT_S,
                latency_ns=LAN_LATENCY_NS,
                streams=self.streams,
            )
        return self.links[name]

    def _build_link(self, settings: LinkSettings) -> Link:
        one, other = settings.between
        link = Link(
            self.kernel,
            link_name(settings.between),
            self.sites[one],
            self.sites[other],
            bandwidth_bit_s=settings.bandwidth_bit_s,
            latency_ns=settings.latency_ns,
            jitter_ns=settings.jitter_ns,
            loss=float(settings.loss),
            streams=self.streams,
        )
        clock = self.clock
        follow_schedule(self.kernel, link, settings, clock.starts_ns, clock.duration_ns)
        return link

    def _build_group(self, number: int) -> StorageGroup:
        exchange = self.scenario.exchange
        group = exchange.storage_groups[number]
        logs, database = (self._group_volume(purpose, group.name) for purpose in (LOGS, DATABASE))
        return StorageGroup(
            self.kernel,
            self.trace,
            self.streams.stream(self._group_stream(group.name)),
            self.mail_host,
            name=group.name,
            database_names=database_files(group),
            log_volume=logs,
            database_volume=database,
            parameters=parameters_of(exchange, number),
            epoch_ns=self.clock.starts_ns,
        )

    def _group_stream(self, group: str) -> str:
        return f"ese:{group}" if not self._starts else f"ese:{group}:{self._starts}"

    def _group_volume(self, purpose: str, group: str) -> Volume:
        """Return a volume of a storage group; it is made the first time."""
        exchange = self.scenario.exchange
        role = volume_purpose(exchange, purpose, group)
        found = self.volumes.get(f"{role}@{exchange.site}")
        return found or self.add_volume(role, self.mail_host, exchange.site)


def link_name(between: tuple[str, str]) -> str:
    """Return the name of the link between two sites, whatever their order."""
    return "-".join(sorted(between))
