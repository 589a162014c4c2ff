"""A storage group of mail databases, whose users, mounts, rolls and backups overlap in time.

What is begun goes on while more is begun; each change of mail is noted with the number of volume
operations that were complete when it was submitted, and when it was acknowledged.
"""

from group_world import FORMATS, ONE, GroupWorld
from mail_world import EPOCH_NS, MS, Ledger

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.format import archive_name
from emulators.ese.running.streaming_backup import BackupKind, streaming_backup
from emulators.exchange.mail_operations import MailOperations
from emulators.exchange.message import Message
from emulators.exchange.store import INBOX, SENT_ITEMS, STORE_TABLES, Store
from emulators.exchange.store_schema import DRAFTS
from sim.volume import Kind

USER = "ann@example.com"
PATH = {INBOX: DRAFTS, DRAFTS: SENT_ITEMS, SENT_ITEMS: INBOX}


class Office:
    """The mail of one database, and what became of each change of it."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.submitted = []
        self.acknowledged = []
        self.items = []
        self.is_open = False
        self.open()
        self.mailbox, self.created = self.mail.create_mailbox(USER)

    def open(self):
        """Find the tables of a database that has just been mounted."""
        group, name, done = self.world.group, self.name, self.world.operations
        self.mail = MailOperations(
            Store(group.database(name)),
            lambda: group.begin(name),
            group.commit,
            submitted=lambda change: self.submitted.append((len(done), change)),
            acknowledged=lambda change: self.acknowledged.append((len(done), change.message_id)),
        )
        self.is_open = True

    def send(self, size):
        number = len(self.submitted)
        text = self.world.streams.stream("bodies").bytes(97)
        message = Message(
            sender="outside@example.org",
            recipients=(USER,),
            subject=f"Number {number}",
            body=((text * (size // 97 + 1))[:size],),
            internet_message_id=f"<{number}@example.org>",
            sent_ns=EPOCH_NS + self.world.kernel.now_ns,
        )
        item, _ = self.mail.deliver(self.mailbox, INBOX, message, message.sent_ns)
        self.items.append(item)

    def move(self):
        """Move the newest message."""
        if self.items:
            item = self.items[-1]
            self.mail.move(self.mailbox, item, PATH[item.folder])

    def delete(self):
        """Delete the oldest message: to Deleted Items, to the dumpster, and for good."""
        if self.items:
            item = self.items.pop(0)
            now_ns = EPOCH_NS + self.world.kernel.now_ns
            self.mail.delete(self.mailbox, item, now_ns)
            self.mail.delete(self.mailbox, item, now_ns)
            self.mail.purge(item.place, item.mailbox, item.folder)

    def ledger(self, done):
        """Return what must be and what may be on disk after so many operations.

        A change can be there only if an operation was completed after its submission.
        """
        histories = {}
        for after, change in self.submitted:
            if after < done:
                histories.setdefault(change.message_id, []).append(change)
        return Ledger(histories, [number for after, number in self.acknowledged if after <= done])


class MailGroup(GroupWorld):
    """The group; `begin` starts an operation of its users or its administrator."""

    def __init__(self, names=(ONE,), **settings):
        super().__init__(names, **settings)
        self.offices = {}
        self.backups = []
        self.refused_backups = []
        self._under_way = 0
        self._last_remount = dict.fromkeys(names)

    def create(self):
        self.do(self.group.create(STORE_TABLES))
        for name in self.names:
            self.offices[name] = Office(self, name)
        self.settle()
        assert all(office.created.fired for office in self.offices.values())
        return self

    def begin(self, operation, name=ONE, size=3000):
        """Start 'send', 'move', 'delete', 'mount', 'roll' or 'backup' now."""
        process = {
            "send": lambda: self._when_open(name, lambda office: office.send(size)),
            "move": lambda: self._when_open(name, Office.move),
            "delete": lambda: self._when_open(name, Office.delete),
            "mount": lambda: self._remount(name),
            "roll": self._roll,
            "backup": self._backup,
        }[operation]()
        self._under_way += 1
        self.kernel.spawn(self._counted(process), name=operation, host=self.host)

    def settle(self):
        """Let everything that was begun come to its end."""
        self.run(0.2)
        for _ in range(1000):
            if not self._under_way:
                break
            self.run(0.05)
        assert not self._under_way, "something has not come to its end in 50 s"
        self.run(0.2)
        assert self.group.error is None
        assert self.kernel.unobserved_errors == []

    def _counted(self, process):
        yield from process
        self._under_way -= 1

    def _when_open(self, name, act):
        office = self.offices[name]
        while not office.is_open:
            yield self.kernel.sleep(MS)
        act(office)

    def _remount(self, name):
        """Dismount and mount; one after another, when several are asked for."""
        before, mine = self._last_remount[name], self.kernel.signal()
        self._last_remount[name] = mine
        while before is not None and not before.fired:
            yield before
        office = self.offices[name]
        office.is_open = False
        yield from self.group.dismount(name)
        yield from self.group.mount(name)
        office.open()
        mine.fire()

    def _roll(self):
        """Close the log that is written, as the idle roll does."""
        yield self.kernel.sleep(0)
        log = self.group.log
        if log.buffer.has_records:
            log.buffer.close_generation()
            log.wake()

    def _backup(self):
        source = self.group.backup_source
        while source.needs_from is not None:
            yield self.kernel.sleep(MS)
        began, medium = len(self.operations), MemoryFiles()
        try:
            backup = yield from streaming_backup(self.kernel, source, BackupKind.FULL, medium)
        except EseError as error:
            self.refused_backups.append(error.code)
        else:
            self.backups.append((self._needed_from(backup, began), backup))

    def _needed_from(self, backup, began):
        """Return after how many operations a log that older backups need is gone."""
        deleted = {
            archive_name(backup.prefix, generation, backup.file_format)
            for generation in backup.truncated
        }
        return next(
            (
                done
                for done, operation in enumerate(self.operations[began:], began + 1)
                if operation.kind is Kind.DELETE and operation.file in deleted
            ),
            len(self.operations),
        )

    def backup_at(self, done):
        """Return the newest backup that was finished by then and that the logs go on from, or None.

        With circular logging they do not; logs of a length that no Exchange has cannot be restored.
        """
        parameters = self.parameters
        if parameters.circular_logging or parameters.file_format not in FORMATS.values():
            return None
        finished = [backup for after, backup in self.backups if after <= done]
        return finished[-1] if finished else None
