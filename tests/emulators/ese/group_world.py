"""A storage group with several databases whose every volume operation can be replayed.

Each database has one table; what a test puts in it is noted when it is sent and when it is
acknowledged, so that any set of files can be held against it.
"""

import pytest
from checker import check_recovered
from mail_world import EPOCH_NS, LOG_BYTES, MS, S

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.formats.schema import ColumnType, build_table
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.soft_recovery import soft_recover
from emulators.ese.running.parameters import Parameters
from emulators.ese.running.storage_group import StorageGroup
from sim.disk import Disk
from sim.host import Host
from sim.kernel import Kernel
from sim.site import Site
from sim.streams import Streams
from sim.trace import Trace
from sim.volume import Volume

ONE, TWO = "MDB1.edb", "MDB2.edb"
SHALLOW = Parameters(checkpoint_depth_bytes=3 * LOG_BYTES)
FORMATS = {"2003": EXCHANGE_2003, "2007": EXCHANGE_2007}
ITEMS = build_table(
    "Items",
    (("Id", ColumnType.LONG), ("Data", ColumnType.LONG_BINARY)),
    ("Id",),
)


class GroupWorld:
    """A host with two volumes and a storage group, and a note of every operation and row.

    `restart` puts a new group on the volumes, as the store service does after a stop or a crash.
    """

    def __init__(
        self, names=(ONE, TWO), *, parameters=None, seed=1, log_bytes=1 << 40, data_bytes=1 << 40
    ):
        self.names = tuple(names)
        self.parameters = parameters or Parameters()
        self.streams = Streams(seed)
        self.kernel = Kernel(self.streams)
        self.trace = Trace(lambda: self.kernel.now_ns, keep_lines=True)
        self.host = Host(self.kernel, "mbx", Site("primary"))
        self.logs = self._volume("logs", log_bytes)
        self.data = self._volume("database", data_bytes)
        self.operations = []
        for volume in (self.logs, self.data):
            volume.attach(self.operations.append)
        self.sent = {name: {} for name in self.names}
        self.acknowledged_after = {name: [] for name in self.names}
        self.restart()

    def _volume(self, name, capacity):
        disk = Disk(self.kernel, name, throughput_bytes_s=60 << 20, latency_ns=MS)
        return Volume(
            self.kernel,
            name,
            disk,
            capacity_bytes=capacity,
            host=self.host,
            streams=self.streams,
        )

    def restart(self, parameters=None):
        """Put a new group on the volumes; it is not started."""
        self.group = StorageGroup(
            self.kernel,
            self.trace,
            self.streams.stream(f"ese:SG1:{self.kernel.now_ns}"),
            self.host,
            name="SG1",
            database_names=self.names,
            log_volume=self.logs,
            database_volume=self.data,
            parameters=parameters or self.parameters,
            epoch_ns=EPOCH_NS,
        )

    def run(self, seconds):
        self.kernel.run(self.kernel.now_ns + int(seconds * S))

    def do(self, process):
        """Run a process to its end and return what it returned; raises what it raised."""
        outcome = []

        def guarded():
            try:
                outcome.append((yield from process))
            except EseError as error:
                outcome.append(error)

        self.kernel.spawn(guarded(), name="test", host=self.host)
        for _ in range(3000):
            if outcome:
                break
            self.run(0.01)
        assert outcome, "the process has not come to its end in 30 s"
        if isinstance(outcome[0], EseError):
            raise outcome[0]
        return outcome[0]

    def create(self):
        self.do(self.group.create([ITEMS]))
        return self

    def put(self, name, size):
        """Insert one row of so many bytes; it counts when its commit is on disk."""
        rows = self.sent[name]
        number = len(rows) + 1
        data = rows[number] = self.streams.stream("rows").bytes(61) * (size // 61 + 1)
        transaction = self.group.begin(name)
        table = self.group.database(name).table(ITEMS.name)
        table.insert(transaction, (number, (data,)))

        def note(done):
            if done.error is None:
                self.acknowledged_after[name].append((len(self.operations), number))

        self.group.commit(transaction).then(note)

    def drip(self, count, size, *, every_ms=50, names=None):
        """Put rows into the databases in turn, and wait until all are on disk."""
        names = names or self.group.mounted_names()
        for index in range(count):
            self.put(names[index % len(names)], size)
            self.run(every_ms / 1000)
        self.run(1)

    def power_cycle(self):
        """Cut the power and give it back; the files are what had come to the disks."""
        self.host.power_cut()
        self.host.power_on()
        for volume in (self.logs, self.data):
            volume.attach(self.operations.append)

    def files(self):
        files = MemoryFiles()
        for volume in (self.logs, self.data):
            for name in volume.names():
                files.create(name)
                files.write(name, 0, volume.peek(name, 0, volume.size(name)))
        return files

    def header(self, name=ONE):
        return read_header(_Peek(self.data), name, self.parameters.file_format)

    def promised(self, name, operations_done=None):
        return {
            number
            for after, number in self.acknowledged_after[name]
            if operations_done is None or after <= operations_done
        }

    def problems(self, files, name, operations_done=None):
        """Return what is wrong with a recovered database, as sentences."""
        file_format = self.parameters.file_format
        found = rows_of(files, name, file_format)
        promised, sent = self.promised(name, operations_done), self.sent[name]
        lost = [f"{name}: row {number} is lost" for number in sorted(promised - set(found))]
        wrong = [
            f"{name}: row {number} is wrong"
            for number, data in found.items()
            if sent.get(number) != data
        ]
        return lost + wrong


class _Peek:
    def __init__(self, volume):
        self._volume = volume

    def read(self, name, offset, length):
        return self._volume.peek(name, offset, length)


def rows_of(files, name, file_format=EXCHANGE_2007):
    table = open_database(files, name, file_format).table(ITEMS.name)
    return dict(table.rows())


def recover(files, names=(ONE, TWO), *, file_format=EXCHANGE_2007, **switches):
    """Run soft recovery on the files of a world, and check the structure of what comes out."""
    report = recover_only(files, names, file_format=file_format, **switches)
    check_recovered(files, names)
    return report


def recover_only(files, names=(ONE, TWO), *, file_format=EXCHANGE_2007, **switches):
    return soft_recover(
        files, "E00", names, now_ns=EPOCH_NS + 7200 * S, log_format=file_format, **switches
    )


def steady(**settings):
    world = GroupWorld(parameters=SHALLOW, **settings).create()
    world.drip(60, 130_000)
    return world


def refusal_of(world, process):
    with pytest.raises(EseError) as caught:
        world.do(process)
    assert caught.value.hint
    return caught.value.code
