"""What the folders show: their entries, and the counters of folder and mailbox.

Every change of an entry changes the counters of its folder and of its mailbox in the same
transaction. What is deleted for good by a user goes to the folder's dumpster: it stays in the
folder, marked with the time, and is counted apart until online maintenance purges it.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

from emulators.ese.formats.record import Value
from emulators.ese.trees.database import Database
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.message import Message
from emulators.exchange.store_schema import (
    BY_DELETED,
    FOLDERS,
    MAILBOX,
    MSG_FOLDER_INDEX,
    PER_USER_READ,
    VIEW_RECEIVED,
    view_key,
)

Row = tuple[Value, ...]


class Place(NamedTuple):
    """Where a message is: the key of its folder entry."""

    folder_id: int
    message_id: int


class Entry(NamedTuple):
    """A row of MsgFolderIndex; `deleted_ns` is None for what the folder shows."""

    folder_id: int
    message_id: int
    instance_id: int
    size_bytes: int
    received_ns: int
    is_read: bool
    deleted_ns: int | None
    sender_key: str
    subject_key: str

    @property
    def place(self) -> Place:
        """Its key."""
        return Place(self.folder_id, self.message_id)


class Counters(NamedTuple):
    """What a folder holds, or what a change adds to that."""

    messages: int = 0
    unread: int = 0
    size_bytes: int = 0
    deleted: int = 0
    deleted_bytes: int = 0


FOLDER_COUNTERS = ("MessageCount", "UnreadCount", "MessageBytes", "DeletedCount", "DeletedBytes")
MAILBOX_COUNTERS = ("MessageCount", "MessageBytes", "DeletedCount", "DeletedBytes")
_FOLDER_AT = FOLDERS.index_of(FOLDER_COUNTERS[0])
_MAILBOX_AT = MAILBOX.index_of(MAILBOX_COUNTERS[0])


def counted(entry: Entry) -> Counters:
    """Return what one entry adds to the counters of its folder."""
    if entry.deleted_ns is None:
        return Counters(1, int(not entry.is_read), entry.size_bytes)
    return Counters(deleted=1, deleted_bytes=entry.size_bytes)


def entry_of(row: Row) -> Entry:
    """Return a row of MsgFolderIndex as an entry."""
    values = list(row)
    values[5] = bool(values[5])
    values[7] = values[7] or ""
    values[8] = values[8] or ""
    return Entry(*cast("list[int]", values))  # type: ignore[arg-type] # the row's own types


class FolderContents:
    """The entries of all folders of one store.

    Args:
        database: has the tables of `store_schema`.
    """

    def __init__(self, database: Database) -> None:
        self.rows = database.table(MSG_FOLDER_INDEX.name)
        self.folders = database.table(FOLDERS.name)
        self.mailboxes = database.table(MAILBOX.name)
        self.reads = database.table(PER_USER_READ.name)

    def entries(self) -> Iterator[Entry]:
        """Yield all entries, folder by folder."""
        return map(entry_of, self.rows.records())

    def entry(self, place: Place) -> Entry:
        """Return the entry at a place; it must be there."""
        return entry_of(self.rows.get(*place))

    def find(self, place: Place) -> Entry | None:
        """Return the entry at a place, None where there is none."""
        row = self.rows.find(*place)
        return None if row is None else entry_of(row)

    def view(self, name: str, folder_id: int) -> Iterator[Entry]:
        """Yield what a folder shows, in the order of one of its views."""
        rows = map(entry_of, self.rows.seek(name, folder_id))
        return (entry for entry in rows if entry.deleted_ns is None)

    def newest(self, folder_id: int) -> Iterator[Entry]:
        """Yield what a folder shows, what came last first."""
        rows = map(entry_of, self.rows.seek(VIEW_RECEIVED, folder_id, descending=True))
        return (entry for entry in rows if entry.deleted_ns is None)

    def deleted_before(self, time_ns: int) -> list[Entry]:
        """Return what went to a dumpster before a time, the oldest first."""
        found = []
        for row in self.rows.seek(BY_DELETED):
            entry = entry_of(row)
            if entry.deleted_ns is None:
                continue
            if entry.deleted_ns >= time_ns:
                break
            found.append(entry)
        return found

    def add(
        self,
        transaction: Transaction,
        place: Place,
        instance_id: int,
        message: Message,
        received_ns: int,
        *,
        is_read: bool,
    ) -> Entry:
        """Show a message in a folder."""
        entry = Entry(
            *place,
            instance_id,
            message.size_bytes,
            received_ns,
            is_read,
            None,
            view_key(message.sender),
            view_key(message.subject),
        )
        self.rows.insert(transaction, entry)
        self._count(transaction, entry.folder_id, _NOTHING, counted(entry))
        return entry

    def change(self, transaction: Transaction, old: Entry, new: Entry) -> None:
        """Change an entry in its folder."""
        fields = {
            column.name: value
            for column, before, value in zip(MSG_FOLDER_INDEX.columns, old, new, strict=True)
            if before != value
        }
        assert not fields.keys() & MSG_FOLDER_INDEX.primary_key, "an entry is moved, not changed"
        if fields:
            self.rows.update(transaction, old.place, cast("dict[str, Value]", fields))
            self._count(transaction, old.folder_id, counted(old), counted(new))

    def move(self, transaction: Transaction, old: Entry, new: Entry) -> None:
        """Take an entry out of its folder and put it into another one."""
        self.remove(transaction, old)
        self.rows.insert(transaction, new)
        self._count(transaction, new.folder_id, _NOTHING, counted(new))

    def remove(self, transaction: Transaction, entry: Entry) -> None:
        """Take an entry out of its folder."""
        self.rows.delete(transaction, *entry.place)
        self._count(transaction, entry.folder_id, counted(entry), _NOTHING)

    def note_read(self, transaction: Transaction, folder_id: int, time_ns: int) -> None:
        """Note that a user changed what counts as read in a folder."""
        mailbox_id = self.folders.get(folder_id)[1]
        row = self.reads.find(mailbox_id, folder_id)
        if row is None:
            self.reads.insert(transaction, (mailbox_id, folder_id, 1, time_ns))
            return
        changes = cast("int", row[2]) + 1
        self.reads.update(
            transaction, (mailbox_id, folder_id), {"ChangeCount": changes, "LastChange": time_ns}
        )

    def _count(
        self, transaction: Transaction, folder_id: int, before: Counters, after: Counters
    ) -> None:
        added = [new - old for old, new in zip(before, after, strict=True)]
        if not any(added):
            return
        folder = list(self.folders.get(folder_id))
        for index, number in enumerate(added, _FOLDER_AT):
            folder[index] = cast("int", folder[index]) + number
        self.folders.replace(transaction, folder)
        del added[1]  # a mailbox does not count what is unread
        if any(added):
            mailbox = list(self.mailboxes.get(folder[1]))
            for index, number in enumerate(added, _MAILBOX_AT):
                mailbox[index] = cast("int", mailbox[index]) + number
            self.mailboxes.replace(transaction, mailbox)


_NOTHING = Counters()
