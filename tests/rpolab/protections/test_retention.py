"""Retention on a simulated volume: what is older leaves, through power cuts, and is refused."""

from engine import (
    Capture,
    Change,
    Image,
    JournalSettings,
    RecordType,
    RecoveryPoints,
    RetentionPolicy,
    SessionSettings,
)
from engine.basics.errors import PointRefused
from engine.retention.states import RetentionState
from rpolab.protections.target_driver import TargetDriver
from sim.disk import Disk
from sim.host import Host
from sim.kernel import Kernel
from sim.streams import Streams
from sim.volume import Fate, Volume

SECOND_NS = 10**9
GROUP, EPOCH = 7, 1
KEPT_NS = 20 * SECOND_NS
POLICY = RetentionPolicy(
    every_write_ns=KEPT_NS,
    stages=(),
    write_point_every_ns=5 * SECOND_NS,
    look_every_ns=SECOND_NS,
)


class Silent:
    """Watches, and has nothing to say."""

    def __getattr__(self, name):
        return lambda _: None


class World:
    """A copy whose journal gets a write of 400 bytes a second, and a bookmark every ten."""

    def __init__(self, policy):
        self.kernel = Kernel(Streams(1))
        self.host = Host(self.kernel, "copy")
        disk = Disk(self.kernel, "disk", throughput_bytes_s=10**7, latency_ns=1_000)
        self.volume = Volume(self.kernel, "journal", disk, capacity_bytes=10**6)
        self.driver = TargetDriver(
            self.kernel,
            self.host,
            self.volume,
            group=GROUP,
            session_settings=SessionSettings(),
            journal_settings=JournalSettings(segment_bytes_max=2_000),
            observer=Silent(),
            retention=policy,
        )
        self.driver.start()
        self.capture = Capture(group=GROUP, epoch=EPOCH, incarnation=1)
        self.driver.session.journal.adopt(EPOCH, 1)
        self.admit(Change(RecordType.CREATE, "a"))

    @property
    def journal(self):
        return self.driver.session.journal

    @property
    def used_bytes(self):
        return sum(self.volume.size(name) for name in self.volume.names())

    def admit(self, change):
        self.capture.admit(change, self.kernel.now_ns)
        record = self.capture.entry(self.capture.newest.sequence).record
        self.driver.carry_out_all(self.journal.ingest(record))

    def write(self):
        content = self.capture.newest.sequence.to_bytes(4, "little") * 100
        self.admit(Change(RecordType.WRITE, "a", 0, (content,)))

    def live(self, seconds):
        for second in range(seconds):
            if second % 10 == 5:
                self.admit(Change(RecordType.TAG_APP, "", payload=(b"tag",)))
            self.write()
            self.kernel.run(self.kernel.now_ns + SECOND_NS)

    def readable(self):
        """Return which sequences are points; each must read as what was written."""
        found = []
        for sequence in range(2, self.journal.durable.sequence + 1):
            try:
                RecoveryPoints(self.journal).at_sequence(sequence)
            except PointRefused:
                continue
            image = Image(self.journal, sequence)
            is_there = self.journal.index.holds(sequence)
            if is_there and self.journal.index.row(sequence).kind == RecordType.WRITE:
                written = (sequence - 1).to_bytes(4, "little") * 100
                assert image.read("a", 0, 400) == written
            assert image.size("a") in (0, 400)
            found.append(sequence)
        return found


def test_without_retention_every_write_stays():
    world = World(None)
    world.live(100)
    assert len(world.readable()) == world.journal.durable.sequence - 1


def test_what_is_older_than_the_retention_leaves_the_volume_and_is_refused(figure):
    everything, world = World(None), World(POLICY)
    for one in (everything, world):
        one.live(100)
    points = world.readable()
    now_ns = world.kernel.now_ns
    times_ns = [RecoveryPoints(world.journal).at_sequence(n).source_time_ns for n in points]
    assert sum(now_ns - time_ns <= KEPT_NS for time_ns in times_ns) >= 20
    assert min(times_ns) > now_ns - 2 * KEPT_NS
    assert world.used_bytes < everything.used_bytes / 2
    assert world.driver.retention.failure is None
    figure(f"{everything.used_bytes} bytes without, {world.used_bytes} bytes with retention")


def test_a_power_cut_in_the_midst_of_it_costs_no_point_within_the_retention(figure):
    in_the_midst = 0
    for moment in range(24):
        world = World(POLICY)
        world.live(48 + moment % 4)
        in_the_midst += run_until_busy(world, moment * 2_000_000)
        durable = world.journal.durable.sequence
        newest_kept = world.journal.manifest.points[-1].cursor.sequence
        world.volume.power_cut(lambda _: Fate.LOST)
        world.driver.crash()
        world.driver.start()
        world.kernel.run(world.kernel.now_ns + SECOND_NS)
        assert world.driver.retention.failure is None
        assert set(range(newest_kept + 1, durable + 1)) <= set(world.readable())
    figure(f"{in_the_midst} of 24 power cuts came while retention worked")
    assert in_the_midst > 5


def run_until_busy(world, more_ns):
    """Let time pass until retention works, and a little more; tell whether it did."""
    for _ in range(10):
        world.write()
        for _ in range(1_000):
            world.kernel.run(world.kernel.now_ns + SECOND_NS // 1_000)
            if world.driver.retention.state is not RetentionState.RESTING:
                world.kernel.run(world.kernel.now_ns + more_ns)
                return True
    return False
