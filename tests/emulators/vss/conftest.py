"""A machine with two volumes, a storage group that writes to them, and the service."""

from dataclasses import dataclass, field

import pytest

from emulators.vss.components import DatabaseFiles, FileSpec, StorageGroupFiles
from emulators.vss.exchange_writer import ExchangeWriter
from emulators.vss.requestor import CopyBackupRequestor, RetryPolicy
from emulators.vss.service import SnapshotService
from sim.disk import Disk
from sim.kernel import Kernel
from sim.streams import Streams
from sim.volume import Volume

S = 10**9
MS = 10**6


class WatchedVolume(Volume):
    """A volume that notes for how long its writes were held."""

    __slots__ = ("_held_from_ns", "longest_hold_ns")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._held_from_ns = None
        self.longest_hold_ns = 0

    def hold(self):
        signal = super().hold()
        self._held_from_ns = self.kernel.now_ns
        return signal

    def release(self):
        if self._held_from_ns is not None:
            held_ns = self.kernel.now_ns - self._held_from_ns
            self.longest_hold_ns = max(self.longest_hold_ns, held_ns)
            self._held_from_ns = None
        super().release()


class Group:
    """A storage group as far as freezing goes: it writes to its volumes unless it is frozen.

    It checks what the writer promises: a thaw for each freeze that returned, and no other.
    """

    def __init__(self, kernel, name, logs, database):
        self.kernel = kernel
        self.name = name
        self.logs = logs
        self.database = database
        self.freeze_ns = 2 * MS
        self.thaw_ns = MS
        self.pause_ns = 200 * MS
        self.freeze_error = None
        self.thaw_error = None
        self.frozen = False
        self.freezing = 0
        self.frozen_count = 0
        self.thawed_count = 0
        self.mounted = True
        self.written_at = []
        self._resumed = None
        kernel.spawn(self._write(), name=f"{name} writes")

    @property
    def files(self):
        database = DatabaseFiles(
            "MDB1",
            "{00000000-0000-4000-8000-000000000001}",
            FileSpec(self.database.name, "\\mdb", f"{self.name}.edb"),
            self.mounted,
        )
        return StorageGroupFiles(
            self.name, "E00", self.logs.name, "\\logs", self.logs.name, "\\logs", (database,)
        )

    def freeze(self):
        assert not self.frozen
        assert not self.freezing
        self.freezing += 1
        yield self.kernel.sleep(self.freeze_ns)
        self.freezing -= 1
        if self.freeze_error is not None:
            raise self.freeze_error
        self.frozen = True
        self.frozen_count += 1
        self._resumed = self.kernel.signal()

    def thaw(self):
        assert self.frozen, "thawed, but not frozen"
        yield self.kernel.sleep(self.thaw_ns)
        self.frozen = False
        self.thawed_count += 1
        self._resumed.fire()
        if self.thaw_error is not None:
            raise self.thaw_error

    def _write(self):
        yield self.logs.create(f"{self.name}.log")
        yield self.database.create(f"{self.name}.edb")
        while True:
            while self.frozen:
                yield self._resumed
            yield self.logs.append(f"{self.name}.log", (b"x" * 512,))
            yield self.database.write(f"{self.name}.edb", 0, (8192,))
            self.written_at.append(self.kernel.now_ns)
            yield self.kernel.sleep(self.pause_ns)


class TagProvider:
    """A provider that notes what it is asked, and checks that nothing is written meanwhile."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.delay_ns = 0
        self.error = None
        self.fail_signal = None
        self.never = False
        self.committed = []
        self.aborted = []

    def commit(self, snapshot_set_id, volumes):
        assert all(volume.is_held for volume in volumes)
        self.committed.append((snapshot_set_id, self.kernel.now_ns))
        if self.error is not None:
            raise self.error
        if not (self.delay_ns or self.fail_signal or self.never):
            return None
        signal = self.kernel.signal()
        if self.fail_signal is not None:
            self.kernel.call_after(self.delay_ns, signal.fail, self.fail_signal)
        elif not self.never:
            self.kernel.call_after(self.delay_ns, signal.fire)
        return signal

    def abort(self, snapshot_set_id):
        assert snapshot_set_id in [set_id for set_id, _ in self.committed]
        assert snapshot_set_id not in self.aborted, "aborted twice"
        self.aborted.append(snapshot_set_id)


@dataclass
class World:
    kernel: Kernel
    streams: Streams
    service: SnapshotService
    disks: list[Disk]
    volumes: list[Volume]
    group: Group
    writer: ExchangeWriter
    provider: TagProvider
    results: list = field(default_factory=list)

    def requestor(self, **policy):
        return CopyBackupRequestor(
            self.kernel,
            self.service,
            self.volumes,
            self.provider,
            retries=RetryPolicy(**policy) if policy else RetryPolicy(attempts_max=1),
        )

    def take(self, *, run_s=300, verify=None, **policy):
        """Take one snapshot, however it ends, and let the dust settle; returns the result."""
        process = self.requestor(**policy).snapshot(verify)
        task = self.kernel.spawn(process, name="requestor")
        for _ in range(run_s):
            if not task.fired:
                self.run(1)
        self.run(2)
        assert task.fired, "the request never ended"
        return task.result

    def run(self, seconds):
        self.kernel.run(self.kernel.now_ns + int(seconds * S))

    def assert_nothing_is_held(self):
        assert not any(volume.is_held for volume in self.volumes)
        assert not self.writer.holds
        assert not self.group.frozen
        assert self.group.frozen_count == self.group.thawed_count
        assert self.writer.session is None
        written = len(self.group.written_at)
        self.run(1)
        assert len(self.group.written_at) > written + 2, "writes do not flow"
        assert self.kernel.unobserved_errors == []


def build_world(seed=1):
    streams = Streams(seed)
    kernel = Kernel(streams, steps_max=1_000_000)
    disks = [
        Disk(kernel, name, throughput_bytes_s=60 * 2**20, latency_ns=MS) for name in ("d0", "d1")
    ]
    volumes = [
        WatchedVolume(kernel, name, disk, capacity_bytes=2**30, streams=streams)
        for name, disk in zip(("logs", "database"), disks, strict=True)
    ]
    service = SnapshotService(kernel, streams.stream("vss"))
    group = Group(kernel, "SG1", *volumes)
    writer = ExchangeWriter(kernel, streams.stream("vss:writer"), "MBX1", [group])
    service.register(writer)
    world = World(kernel, streams, service, disks, volumes, group, writer, TagProvider(kernel))
    world.run(1)
    return world


@pytest.fixture
def world():
    return build_world()


@pytest.fixture(scope="session", name="build_world")
def build_world_fixture():
    return build_world
