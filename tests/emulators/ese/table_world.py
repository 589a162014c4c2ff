"""A mounted storage group whose transactions insert, change, move and delete rows of a table."""

from checker import check_database
from mail_world import DATABASE, EPOCH_NS, MS, Disks, S, recover

from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.schema import ColumnType, build_index, build_table
from emulators.ese.recovery.opened import open_database
from emulators.ese.running.parameters import Parameters
from emulators.ese.running.storage_group import StorageGroup
from sim.disk import Disk
from sim.kernel import Host, Kernel
from sim.site import Site
from sim.streams import Streams
from sim.trace import Trace
from sim.volume import Volume

ITEMS = build_table(
    "Items",
    (
        ("Folder", ColumnType.LONG),
        ("Id", ColumnType.LONG),
        ("Subject", ColumnType.TEXT),
        ("Body", ColumnType.LONG_BINARY),
    ),
    ("Folder", "Id"),
    (build_index("BySubject", ("Subject",)), build_index("ById", ("Id",), unique=True)),
)


class TableWorld:
    """A host with two volumes and a storage group; `states` are the rows after each transaction.

    `acknowledged` holds for each acknowledged transaction how many operations were done by then,
    and how many transactions had been committed with it.
    """

    def __init__(self, parameters=None, seed=1):
        streams = Streams(seed)
        self.kernel = Kernel(streams)
        self.host = Host(self.kernel, "mbx", Site("primary"))
        self.volumes = [
            Volume(
                self.kernel,
                name,
                Disk(self.kernel, name, throughput_bytes_s=60 << 20, latency_ns=MS),
                capacity_bytes=1 << 40,
                host=self.host,
                streams=streams,
            )
            for name in ("logs", "database")
        ]
        self.operations = []
        for volume in self.volumes:
            volume.attach(self.operations.append)
        self.group = StorageGroup(
            self.kernel,
            Trace(lambda: self.kernel.now_ns),
            streams.stream("ese:SG1"),
            self.host,
            name="SG1",
            database_names=[DATABASE],
            log_volume=self.volumes[0],
            database_volume=self.volumes[1],
            parameters=parameters or Parameters(),
            epoch_ns=EPOCH_NS,
        )
        self.random = streams.stream("work")
        self.rows = {}
        self.states = [{}]
        self.acknowledged = []
        created = self.kernel.spawn(self.group.create([ITEMS]), name="create", host=self.host)
        while not created.fired:
            self.kernel.run(self.kernel.now_ns + 10 * MS)
        self.mounted_after = len(self.operations)
        self.table = self.group.database(DATABASE).table(ITEMS.name)

    def play(self, work, *, every_ms=5):
        """Do one transaction after another; each entry of `work` is a list of steps."""

        def run():
            for steps in work:
                yield self.kernel.sleep(every_ms * MS)
                self.transact(steps)

        self.kernel.spawn(run(), name="work", host=self.host)
        self.kernel.run(self.kernel.now_ns + len(work) * every_ms * MS + 5 * S)

    def transact(self, steps):
        transaction = self.group.begin(DATABASE)
        for step, *arguments in steps:
            getattr(self, step)(transaction, *arguments)
        if ("roll_back",) in steps:
            self.rows = dict(self.states[-1])
            return
        number = len(self.states)
        self.states.append(dict(self.rows))
        self.group.commit(transaction).then(lambda _: self.note(number))

    def note(self, number):
        self.acknowledged.append((len(self.operations), number))

    def put(self, transaction, folder, item, size):
        row = (folder, item, f"subject {item % 7}", bytes([item % 251 + 1]) * size)
        if (folder, item) in self.rows:
            self.table.replace(transaction, row)
        else:
            self.table.insert(transaction, row)
        self.rows[folder, item] = row

    def move(self, transaction, folder, item, target):
        self.table.update(transaction, (folder, item), {"Folder": target})
        self.rows[target, item] = (target, *self.rows.pop((folder, item))[1:])

    def delete(self, transaction, folder, item):
        self.table.delete(transaction, folder, item)
        del self.rows[folder, item]

    def roll_back(self, transaction):
        transaction.rollback()

    def check(self, files, operations_done):
        """Recover files and compare; returns the report."""
        report = recover(files)
        findings = check_database(files)
        assert findings.problems == [], f"after {operations_done} operations"
        rows = list(open_database(files, DATABASE).table(ITEMS.name).rows())
        promised = [number for after, number in self.acknowledged if after <= operations_done]
        first = max(promised, default=0)
        possible = [
            number
            for number, state in enumerate(self.states[first:], first)
            if rows == [state[key] for key in sorted(state)]
        ]
        assert possible, (
            f"after {operations_done} operations: not the rows of any state from {first}"
        )
        return report

    def files(self):
        files = MemoryFiles()
        for volume in self.volumes:
            for name in volume.names():
                files.create(name)
                files.write(name, 0, volume.peek(name, 0, volume.size(name)))
        return files

    def disks(self):
        return Disks(self.operations)
