"""A small world with every device and many faults; writes its trace and digests.

Run in child processes by test_determinism.py: `python small_world.py SEED`.
"""

import sys

from sim.disk import Disk
from sim.faults import (
    DiskStall,
    FaultPlan,
    LinkDegraded,
    LinkOutage,
    PowerCut,
    SiteLoss,
    VolumeFull,
    World,
)
from sim.kernel import TIMED_OUT, Host, Kernel
from sim.link import Link
from sim.site import Site
from sim.streams import Streams
from sim.trace import Trace
from sim.volume import Volume

SECOND = 1_000_000_000
MAIL_SERVERS = ("mbx1", "mbx2")
FAULTS = [
    LinkOutage(at_ns=2 * SECOND, link="wan", duration_ns=SECOND),
    DiskStall(at_ns=4 * SECOND, disk="mbx1", duration_ns=SECOND // 2),
    PowerCut(at_ns=6 * SECOND, host="mbx2", duration_ns=SECOND),
    VolumeFull(at_ns=8 * SECOND, volume="mbx1", duration_ns=SECOND),
    LinkDegraded(at_ns=9 * SECOND, link="wan", bandwidth_bit_s=100_000, duration_ns=SECOND),
    SiteLoss(at_ns=12 * SECOND, site="primary"),
]


class SmallWorld:
    """Two mail servers that send what they commit to a vault."""

    def __init__(self, seed):
        self.streams = Streams(seed)
        self.kernel = Kernel(self.streams, steps_max=1_000_000)
        self.trace = Trace(lambda: self.kernel.now_ns, keep_lines=True)
        self.sites = {name: Site(name) for name in ("primary", "recovery")}
        self.hosts, self.disks, self.volumes = {}, {}, {}
        for name in MAIL_SERVERS:
            self.add_machine(name, "primary")
        self.add_machine("vault", "recovery")
        self.link = Link(
            self.kernel,
            "wan",
            self.sites["primary"],
            self.sites["recovery"],
            bandwidth_bit_s=2_000_000,
            latency_ns=20_000_000,
            jitter_ns=3_000_000,
            loss=0.01,
        )

    def add_machine(self, name, site):
        host = self.hosts[name] = Host(self.kernel, name, self.sites[site])
        disk = self.disks[name] = Disk(
            self.kernel, name, throughput_bytes_s=50_000_000, latency_ns=1_000_000
        )
        self.volumes[name] = Volume(self.kernel, name, disk, capacity_bytes=1 << 30, host=host)

    def mailing(self, name, endpoint):
        draws = self.streams.stream(f"mail:{name}")
        volume = self.volumes[name]
        while True:
            yield self.kernel.sleep(int(draws.exponential(SECOND / 20)))
            data = draws.bytes(draws.below(4_000))
            try:
                offset = yield volume.append("E00.log", (data, 100))
                yield volume.flush("E00.log")
            except OSError as error:
                self.trace.record("refused", host=name, error=type(error).__name__)
                continue
            self.trace.record("committed", host=name, offset=offset, data=data)
            endpoint.send(data)

    def receiving(self, name, endpoint):
        volume = self.volumes["vault"]
        volume.create(f"copy-of-{name}").then(lambda _: None)
        while True:
            item = yield from endpoint.inbox.receive(limit_ns=SECOND)
            if item is TIMED_OUT:
                self.trace.record("silence", host=name)
            elif isinstance(item, bytes):
                yield volume.append(f"copy-of-{name}", (item,))
                self.trace.record("stored", host=name, data=item)
            else:
                self.trace.record("closed", host=name)
                return

    def begin(self, name):
        volume, trace = self.volumes[name], self.trace
        volume.attach(lambda o: trace.record("seen", kind=o.kind.value, at_ns=o.completed_ns))
        if volume.exists("E00.log"):
            trace.record("recovered", size=volume.size("E00.log"), fates=len(volume.fates))
        else:
            volume.create("E00.log")
        connection = self.link.connect(self.hosts[name], self.hosts["vault"])
        self.hosts[name].spawn(self.mailing(name, connection.left), name=f"mail of {name}")
        receiving = self.receiving(name, connection.right)
        self.hosts["vault"].spawn(receiving, name=f"copy of {name}")

    def run(self):
        for name in MAIL_SERVERS:
            self.begin(name)
            self.hosts[name].on_power_on(lambda name=name: self.begin(name))
        world = World(self.sites, self.hosts, self.disks, self.volumes, {"wan": self.link})
        plan = FaultPlan(self.kernel, self.streams, self.trace, world)
        plan.inject(FAULTS)
        self.kernel.run(15 * SECOND)
        assert all(outcome.fired for outcome in plan.outcomes)
        assert self.kernel.unobserved_errors == []
        self.kernel.close()


if __name__ == "__main__":
    small_world = SmallWorld(int(sys.argv[1]))
    small_world.run()
    sys.stdout.write("\n".join(small_world.trace.lines))
    sys.stdout.write(f"\n{small_world.trace.digests()}\n")
