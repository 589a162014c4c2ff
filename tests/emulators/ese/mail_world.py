"""A mail server in simulated time whose every volume operation is recorded and can be replayed.

`World` runs a storage group and an Exchange server and notes after how many completed operations
each message was acknowledged. `Disks` are the files as they stood after any prefix of them.
"""

from collections import Counter
from dataclasses import dataclass, field

from checker import check_database, check_recovered

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.soft_recovery import soft_recover
from emulators.ese.running.parameters import Parameters
from emulators.ese.running.storage_group import StorageGroup
from emulators.exchange.message import Message
from emulators.exchange.server import ExchangeServer
from emulators.exchange.store import Store
from sim.disk import Disk
from sim.kernel import Host, Kernel
from sim.payload import to_bytes
from sim.site import Site
from sim.streams import Streams
from sim.trace import Trace
from sim.volume import Kind, Volume

S = 10**9
MS = 10**6
EPOCH_NS = 1_180_951_200 * S
DATABASE = "MDB1.edb"
MAILBOXES = ("ann@example.com", "bob@example.com", "cy@example.com")
LOG_BYTES = 1 << 20


class World:
    """A host with two volumes, a storage group on them, and a mail server that is started."""

    def __init__(
        self,
        seed=1,
        *,
        parameters=None,
        mailboxes=MAILBOXES,
        latency_ns=MS,
        throughput_bytes_s=60 << 20,
        log_bytes=1 << 40,
        database_bytes=1 << 40,
    ):
        self.streams = Streams(seed)
        self.kernel = Kernel(self.streams)
        self.trace = Trace(lambda: self.kernel.now_ns, keep_lines=True)
        self.host = Host(self.kernel, "mbx", Site("primary"))
        self.logs, self.data = (
            Volume(
                self.kernel,
                name,
                Disk(
                    self.kernel,
                    name,
                    throughput_bytes_s=throughput_bytes_s,
                    latency_ns=latency_ns,
                ),
                capacity_bytes=capacity,
                host=self.host,
                streams=self.streams,
            )
            for name, capacity in (("logs", log_bytes), ("database", database_bytes))
        )
        self.operations = []
        self.histories = {}
        self.submitted = {}
        self.acknowledged = {}
        self.acknowledged_after = []
        self.watch = []
        for volume in (self.logs, self.data):
            volume.attach(self._note)
        self._serve("ese:SG1", parameters or Parameters())
        self.mailboxes = mailboxes
        started = self.spawn(self.server.start(mailboxes))
        while not started.fired:
            self.run(0.01)
        self.mounted_after = len(self.operations)

    def _serve(self, stream, parameters):
        """Put a storage group and a server on the volumes; they are not started."""
        self.group = StorageGroup(
            self.kernel,
            self.trace,
            self.streams.stream(stream),
            self.host,
            name="SG1",
            database_names=[DATABASE],
            log_volume=self.logs,
            database_volume=self.data,
            parameters=parameters,
            epoch_ns=EPOCH_NS,
        )
        self.server = ExchangeServer(
            self.group, submitted=self._submitted, acknowledged=self._acknowledged
        )

    def power_cycle(self):
        """Cut the power, give it back, and bring a new server up on what is on the disks."""
        self.host.power_cut()
        self.host.power_on()
        for volume in (self.logs, self.data):
            volume.attach(self._note)
        self._serve("ese:again", self.group.parameters)
        self.spawn(self.server.resume())
        self.run(2)

    def _note(self, operation):
        self.operations.append(operation)
        for watcher in self.watch:
            watcher(operation)

    def _submitted(self, change):
        self.histories.setdefault(change.message_id, []).append(change)
        self.submitted.setdefault(change.message_id, change)

    def _acknowledged(self, change):
        self.acknowledged.setdefault(change.message_id, change)
        self.acknowledged_after.append((len(self.operations), change.message_id))

    def spawn(self, process, name="test"):
        return self.kernel.spawn(process, name=name, host=self.host)

    def run(self, seconds):
        self.kernel.run(self.kernel.now_ns + int(seconds * S))

    def freeze_error(self):
        """Freeze the storage group; returns the error with which that failed, or None."""
        errors = []

        def freeze():
            try:
                yield from self.group.freeze()
            except EseError as failed:
                errors.append(failed)

        self.spawn(freeze())
        self.run(10)
        return errors[0] if errors else None

    def send(self, body, *, sender="outside@example.org", recipients=None, subject="Hello"):
        """Submit one message now; `body` is bytes, or a number of bytes to draw.

        Returns the recipients' copies.
        """
        if isinstance(body, int):
            body = self.text(body)
        return self.server.submit(
            Message(
                sender=sender,
                recipients=tuple(recipients or self.mailboxes[:1]),
                subject=subject,
                body=(body,),
                internet_message_id=f"<{len(self.submitted)}@example.org>",
                sent_ns=self.kernel.now_ns,
            )
        )

    def text(self, size):
        """Draw bytes that look like no other's, but never like a run of zeros."""
        block = self.streams.stream("bodies").bytes(997)
        return (block * (size // 997 + 1))[:size]

    def drip(self, count, size, *, every_ms=1000):
        """Send `count` messages one after another; a process."""
        for number in range(count):
            self.send(size, recipients=[self.mailboxes[number % len(self.mailboxes)]])
            yield self.kernel.sleep(every_ms * MS)

    def files(self):
        """Return what lies on both volumes now."""
        files = MemoryFiles()
        for volume in (self.logs, self.data):
            for name in volume.names():
                files.create(name)
                files.write(name, 0, volume.peek(name, 0, volume.size(name)))
        return files

    def ledger(self, operations_done=None):
        """Return what must be and what may be in the files after so many operations."""
        promised = [
            message_id
            for after, message_id in self.acknowledged_after
            if operations_done is None or after <= operations_done
        ]
        return Ledger(self.histories, promised)


@dataclass
class Ledger:
    """The history of every message ever submitted, and an id for each change acknowledged."""

    histories: dict
    promised: list

    def compare(self, files, name=DATABASE, file_format=EXCHANGE_2007):
        """Return what is wrong with the mail in a recovered database, as sentences."""
        store = Store(open_database(files, name, file_format))
        return self.compare_mail(store.messages(), store.folder_counts())

    def compare_mail(self, messages, folder_counts):
        """Return what is wrong with messages, and with the counts that their folders state."""
        promised = Counter(self.promised)
        problems = []
        held = Counter()
        found = set()
        for stored in messages:
            found.add(stored.message_id)
            held[stored.mailbox, stored.folder] += not stored.is_deleted
            history = [state(change) for change in self.histories.get(stored.message_id, [])]
            if not history:
                problems.append(f"message {stored.message_id} was never sent")
            elif state(stored) not in history:
                problems.append(f"message {stored.message_id} is damaged or in the wrong place")
            elif state(stored) not in history[max(promised[stored.message_id] - 1, 0) :]:
                problems.append(f"message {stored.message_id} is as it was earlier")
        for message_id, count in promised.items():
            later = self.histories[message_id][count - 1 :]
            if message_id not in found and all(change.message for change in later):
                problems.append(f"message {message_id} is lost")
        for folder, count in folder_counts.items():
            if held[folder] != count:
                problems.append(f"{folder} states {count} messages and holds {held[folder]}")
        return problems


def state(item):
    """Return where a message is, what it says, and how it is marked."""
    digest = item.message.digest if item.message else None
    return item.mailbox, item.folder, digest, item.is_read, item.is_deleted


def recover(files, **switches):
    """Run soft recovery on the files of a world, and check the structure of what comes out."""
    report = recover_only(files, **switches)
    check_recovered(files, [DATABASE])
    return report


def recover_only(files, **switches):
    return soft_recover(files, "E00", [DATABASE], now_ns=EPOCH_NS + 3600 * S, **switches)


@dataclass
class Recovered:
    report: object
    problems: list = field(default_factory=list)


def recover_and_check(files, ledger, **switches):
    """Recover, and return the report with all that is wrong with mail and structure."""
    report = recover_only(files, **switches)
    findings = check_database(files)
    return Recovered(report, findings.problems + ledger.compare(files))


class Disks:
    """The files of a recorded run, operation by operation."""

    def __init__(self, operations):
        self.operations = operations
        self.done = 0
        self._files = MemoryFiles()

    def advance(self, count):
        """Carry operations out until `count` are done."""
        assert count >= self.done
        for operation in self.operations[self.done : count]:
            apply(self._files, operation)
        self.done = count

    def copy(self):
        """Return the files as they are now, to be changed at will."""
        return copy_of(self._files)


def copy_of(files):
    """Return the same files again."""
    return MemoryFiles({name: files.read(name, 0, files.size(name)) for name in files.names()})


def apply(files, operation):
    """Do to files what a volume operation did."""
    name = operation.file
    if operation.kind is Kind.CREATE:
        files.create(name)
    elif operation.kind is Kind.WRITE:
        files.write(name, operation.offset, to_bytes(operation.payload))
    elif operation.kind is Kind.TRUNCATE:
        files.truncate(name, operation.size)
    elif operation.kind is Kind.RENAME:
        files.rename(name, operation.new_name)
    elif operation.kind is Kind.DELETE:
        files.delete(name)
