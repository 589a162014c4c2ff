"""The information store: mailboxes, folders and messages as rows of an ESE database.

A message is kept once in a database and shown by any number of folders (`message_instances`);
each folder's entry has an id of its own, which it keeps when it is moved. Every operation belongs
to one transaction, with the counters that it changes (`folder_contents`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

from emulators.ese.errors import ese_error
from emulators.ese.trees.database import Database
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.folder_contents import Counters, Entry, FolderContents, Place
from emulators.exchange.id_ranges import IdRanges
from emulators.exchange.message import Message
from emulators.exchange.message_instances import MessageInstances
from emulators.exchange.store_schema import (
    FOLDERS,
    GLOBAL,
    INBOX,
    MSG_FOLDER_INDEX,
    NOTE_FOLDER,
    PATH_SEPARATOR,
    ROOT_FOLDER,
    SENT_ITEMS,
    SPECIAL_FOLDERS,
    STORE_TABLES,
    view_key,
)

__all__ = ["INBOX", "SENT_ITEMS", "STORE_TABLES", "Mailbox", "Place", "Store", "StoredMessage"]

_COUNTERS = slice(FOLDERS.index_of("MessageCount"), FOLDERS.index_of("DeletedBytes") + 1)
_NAME = FOLDERS.index_of("Name")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox and the ids of its folders, by path; more may be added."""

    mailbox_id: int
    name: str
    folders: dict[str, int]
    root_id: int


class Delivered(NamedTuple):
    """Where a message was put, and the instance that further folders may show."""

    place: Place
    instance_id: int


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it was read from a database, and where it lies.

    `folder` is the path below the root; what `is_deleted` is in that folder's dumpster.
    """

    message_id: int
    mailbox: str
    folder: str
    message: Message
    is_read: bool
    is_deleted: bool


class Store:
    """The mail in one database.

    Args:
        database: mounted, or opened for reading only; it has the tables `STORE_TABLES`.
    """

    def __init__(self, database: Database) -> None:
        self._ids = IdRanges(database.table(GLOBAL.name))
        self.contents = FolderContents(database)
        self.instances = MessageInstances(database, self._ids)

    def create_mailbox(self, transaction: Transaction, name: str) -> Mailbox:
        """Add a mailbox with its folders."""
        mailbox_id = self._ids.next_id(transaction, "MailboxIdLimit")
        self.contents.mailboxes.insert(transaction, (mailbox_id, 0, 0, 0, 0, name))
        root_id = self._create_folder(transaction, mailbox_id, 0, ROOT_FOLDER, NOTE_FOLDER)
        folders = {
            folder: self._create_folder(transaction, mailbox_id, root_id, folder, container_class)
            for folder, container_class in SPECIAL_FOLDERS
        }
        return Mailbox(mailbox_id, name, folders, root_id)

    def create_folder(self, transaction: Transaction, mailbox: Mailbox, path: str) -> int:
        """Add a mail folder to a mailbox and return its id; the folder above must exist."""
        above, _, name = path.rpartition(PATH_SEPARATOR)
        parent_id = mailbox.folders[above] if above else mailbox.root_id
        folder_id = self._create_folder(
            transaction, mailbox.mailbox_id, parent_id, name, NOTE_FOLDER
        )
        mailbox.folders[path] = folder_id
        return folder_id

    def deliver(
        self,
        transaction: Transaction,
        folder_id: int,
        message: Message,
        *,
        received_ns: int | None = None,
        instance_id: int | None = None,
        as_stream: bool = False,
        is_read: bool = False,
    ) -> Delivered:
        """Put a message into a folder.

        Args:
            transaction: what it belongs to.
            folder_id: the folder.
            message: the message.
            received_ns: when it came; when it was sent, if left out.
            instance_id: the instance of the same message that another folder shows already.
            as_stream: it came by transport.
            is_read: it counts as read.
        """
        if instance_id is None:
            instance_id = self.instances.add(transaction, message, as_stream=as_stream)
        else:
            self.instances.refer(transaction, instance_id)
        place = Place(folder_id, self._ids.next_id(transaction, "MessageIdLimit"))
        time_ns = message.sent_ns if received_ns is None else received_ns
        self.contents.add(transaction, place, instance_id, message, time_ns, is_read=is_read)
        return Delivered(place, instance_id)

    def save(
        self, transaction: Transaction, place: Place, message: Message, *, as_stream: bool = False
    ) -> None:
        """Give a message other content, as one who writes on it does; `as_stream` to submit it."""
        old = self.contents.entry(place)
        instance_id = self.instances.change(
            transaction, old.instance_id, message, as_stream=as_stream
        )
        new = old._replace(
            instance_id=instance_id,
            size_bytes=message.size_bytes,
            sender_key=view_key(message.sender),
            subject_key=view_key(message.subject),
        )
        self.contents.change(transaction, old, new)

    def open(self, place: Place) -> Message:
        """Return a message as one sees it who opens it, with its attachments."""
        return self.instances.message(self.contents.entry(place).instance_id)

    def set_read(
        self, transaction: Transaction, place: Place, time_ns: int, *, is_read: bool = True
    ) -> None:
        """Let a message count as read or unread."""
        old = self.contents.entry(place)
        self.contents.change(transaction, old, old._replace(is_read=is_read))
        self.contents.note_read(transaction, place.folder_id, time_ns)

    def move(self, transaction: Transaction, place: Place, folder_id: int) -> Place:
        """Move a message to another folder of its mailbox and return where it is now."""
        old = self.contents.entry(place)
        new = old._replace(folder_id=folder_id)
        self.contents.move(transaction, old, new)
        return new.place

    def delete(self, transaction: Transaction, place: Place, time_ns: int) -> None:
        """Put a message into its folder's dumpster, from which it can be had back."""
        old = self.contents.entry(place)
        assert old.deleted_ns is None, f"message {place.message_id} is in the dumpster already"
        self.contents.change(transaction, old, old._replace(deleted_ns=time_ns))

    def undelete(self, transaction: Transaction, place: Place) -> None:
        """Take a message out of the dumpster."""
        old = self.contents.entry(place)
        self.contents.change(transaction, old, old._replace(deleted_ns=None))

    def purge(self, transaction: Transaction, place: Place) -> None:
        """Remove a message for good; its instance goes with the last folder that shows it."""
        entry = self.contents.entry(place)
        self.contents.remove(transaction, entry)
        self.instances.release(transaction, entry.instance_id)

    def messages(self) -> Iterator[StoredMessage]:
        """Yield every message of every folder, also of the dumpsters; copies side by side.

        Raises:
            EseError: -1206 where a folder shows a message that is not there.
        """
        paths = self.folder_paths()
        shown: dict[int, list[Entry]] = {}
        for entry in self.contents.entries():
            shown.setdefault(entry.instance_id, []).append(entry)
        for instance_id, message in self.instances.all():
            for entry in shown.pop(instance_id, ()):
                yield _stored(entry, paths[entry.folder_id], message)
        for entries in shown.values():
            where = f"{MSG_FOLDER_INDEX.name}: message {entries[0].message_id} has no content"
            raise ese_error(-1206, where, "run isinteg -test msgref")

    def folder_paths(self) -> dict[int, tuple[str, str]]:
        """Return mailbox and path of every folder by its id; the path of a root is ''."""
        names = {row[0]: cast("str", row[-1]) for row in self.contents.mailboxes.records()}
        paths: dict[int, tuple[str, str]] = {}
        for row in self.contents.folders.records():  # a folder is made after the one above it
            folder_id, mailbox_id, parent_id = cast("tuple[int, int, int]", row[:3])
            name = cast("str", row[_NAME])
            above = paths[parent_id][1] if parent_id else ""
            path = f"{above}{PATH_SEPARATOR}{name}" if above else name
            paths[folder_id] = (names[mailbox_id], path if parent_id else "")
        return paths

    def mailboxes(self) -> list[Mailbox]:
        """Return the mailboxes with their folders."""
        folders: dict[str, dict[str, int]] = {}
        for folder_id, (name, path) in self.folder_paths().items():
            folders.setdefault(name, {})[path] = folder_id
        found = []
        for row in self.contents.mailboxes.records():
            mailbox_id, name = cast("int", row[0]), cast("str", row[-1])
            root_id = folders[name].pop("")
            found.append(Mailbox(mailbox_id, name, folders[name], root_id))
        return found

    def folder_counters(self) -> dict[tuple[str, str], Counters]:
        """Return what each folder states to hold, by mailbox and path; roots are left out."""
        paths = self.folder_paths()
        return {
            paths[cast("int", row[0])]: Counters(*cast("tuple[int, ...]", row[_COUNTERS]))
            for row in self.contents.folders.records()
            if row[2]
        }

    def folder_counts(self) -> dict[tuple[str, str], int]:
        """Return the message count that each folder states, by mailbox and path."""
        return {folder: counters.messages for folder, counters in self.folder_counters().items()}

    def _create_folder(
        self,
        transaction: Transaction,
        mailbox_id: int,
        parent_id: int,
        name: str,
        container_class: str,
    ) -> int:
        folder_id = self._ids.next_id(transaction, "FolderIdLimit")
        row = (folder_id, mailbox_id, parent_id, 0, 0, 0, 0, 0, name, container_class)
        self.contents.folders.insert(transaction, row)
        return folder_id


def _stored(entry: Entry, folder: tuple[str, str], message: Message) -> StoredMessage:
    mailbox, path = folder
    is_deleted = entry.deleted_ns is not None
    return StoredMessage(entry.message_id, mailbox, path, message, entry.is_read, is_deleted)
