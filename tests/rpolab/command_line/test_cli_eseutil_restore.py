"""`rpolab eseutil /cm` and `/cc` on real folders with a restored streaming backup."""

import pytest

from emulators.ese.backup_set import BackupKind
from emulators.ese.file_set import DirectoryFiles, MemoryFiles
from emulators.ese.formats.database_header import read_header
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.restore import restore_backup
from emulators.ese.running.parameters import Parameters
from emulators.ese.running.storage_group import StorageGroup
from emulators.ese.running.streaming_backup import streaming_backup
from emulators.exchange.store import STORE_TABLES, Store
from sim.disk import Disk
from sim.host import Host
from sim.kernel import Kernel
from sim.site import Site
from sim.streams import Streams
from sim.trace import Trace
from sim.volume import Volume

S = 10**9
EPOCH_NS = 1_180_951_200 * S
DATABASE = "MDB1.edb"


class SmallServer:
    """A storage group on two volumes, in which each mailbox stands for one change."""

    def __init__(self):
        streams = Streams(1)
        self.kernel = Kernel(streams)
        host = Host(self.kernel, "mbx", Site("primary"))
        self.logs, self.data = (
            Volume(
                self.kernel,
                name,
                Disk(self.kernel, name, throughput_bytes_s=60 << 20, latency_ns=10**6),
                capacity_bytes=1 << 40,
                host=host,
                streams=streams,
            )
            for name in ("logs", "database")
        )
        self.group = StorageGroup(
            self.kernel,
            Trace(lambda: self.kernel.now_ns),
            streams.stream("ese"),
            host,
            name="SG1",
            database_names=[DATABASE],
            log_volume=self.logs,
            database_volume=self.data,
            parameters=Parameters(),
            epoch_ns=EPOCH_NS,
        )
        self.do(self.group.create(STORE_TABLES))
        self.store = Store(self.group.database(DATABASE))

    def do(self, process):
        task = self.kernel.spawn(process, name="test")
        while not task.fired:
            self.kernel.run(self.kernel.now_ns + S)
        return task.value

    def add_mailboxes(self, *names):
        def process():
            for name in names:
                transaction = self.group.begin(DATABASE)
                self.store.create_mailbox(transaction, name)
                yield self.group.commit(transaction)

        self.do(process())


@pytest.fixture(scope="module")
def server():
    """The server's files some time after a backup, and the backup."""
    server = SmallServer()
    server.add_mailboxes("ann", "bob")
    source = server.group.backup_source
    backup = server.do(streaming_backup(server.kernel, source, BackupKind.FULL, MemoryFiles()))
    server.add_mailboxes("cy")
    return server, backup


@pytest.fixture
def folders(server, tmp_path):
    """The folders of a group whose database was restored: restore, logs, databases."""
    volumes, backup = server
    places = [tmp_path / name for name in ("restore", "logs", "databases")]
    for place in places:
        place.mkdir()
    restore, logs, databases = places
    for name in volumes.logs.names():
        (logs / name).write_bytes(volumes.logs.peek(name, 0, volumes.logs.size(name)))
    restore_backup([backup], DirectoryFiles(restore), DirectoryFiles(databases), now_ns=EPOCH_NS)
    return restore, logs, databases


def mailboxes_in(databases):
    rows = open_database(DirectoryFiles(databases), DATABASE).table("Mailbox").rows()
    return sorted(value for row in rows for value in row if value in ("ann", "bob", "cy"))


def test_cm_shows_the_restore_and_cc_recovers_it_with_the_groups_logs(rpolab, folders):
    restore, logs, databases = folders
    shown = rpolab("eseutil", "/cm", restore)
    assert shown.code == 0
    assert "Recover Status: recoverNotStarted\n" in shown.out
    done = rpolab("eseutil", "/CC", restore, "/f", logs, "/d", databases, "-v")
    assert done.code == 0
    assert "Initiating RESTORE mode...\n" in done.out
    assert "own logs.\n" in done.out
    assert "  302: Recovery is complete." in done.out
    assert "Operation completed successfully in " in done.out
    assert mailboxes_in(databases) == ["ann", "bob", "cy"]
    assert list(restore.iterdir()) == []


def test_the_switch_t_stops_at_the_backup_and_k_keeps_the_restore_folder(rpolab, folders):
    restore, logs, databases = folders
    names = {path.name for path in restore.iterdir()}
    file = restore / "restore.env"
    done = rpolab("eseutil", "/cc", file, "/f", logs, "/d", databases, "/t", "/k")
    assert done.code == 0
    assert mailboxes_in(databases) == ["ann", "bob"]
    assert names <= {path.name for path in restore.iterdir()}


def test_a_refusal_ends_with_its_error_and_changes_nothing(rpolab, folders):
    restore, logs, databases = folders
    next(restore.glob("E000*.log")).unlink()
    before = (databases / DATABASE).read_bytes()
    done = rpolab("eseutil", "/cc", restore, "/f", logs, "/d", databases)
    assert done.code == 1
    assert "Operation terminated with error -557 (JET_errMissingRestoreLogFiles" in done.out
    assert (databases / DATABASE).read_bytes() == before


def test_soft_recovery_of_the_image_is_refused_and_names_the_way(rpolab, folders):
    _, logs, databases = folders
    done = rpolab("eseutil", "/r", "E00", "/l", logs, "/d", databases)
    assert done.code == 1
    assert "-544" in done.out
    assert "eseutil /cc" in done.out
    assert read_header(DirectoryFiles(databases), DATABASE).full_backup_current.generation_high


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("/cc",), "takes one restore folder, 0 are given"),
        (("/cm", "nowhere"), "there is no such folder"),
        (("/cc", ".", "/f"), "/f takes a folder"),
        (("/cc", ".", "/d", "nowhere"), "there is no such folder"),
        (("/cc", ".", "/x"), "/cc has no switch"),
        (("/cm", ".", "/t"), "/cm has no switch"),
    ],
)
def test_wrong_usage_is_told_and_exits_with_two(rpolab, arguments, text):
    done = rpolab("eseutil", *arguments)
    assert done.code == 2
    assert text in done.err
