"""What is done to the mail in one database: each operation is a transaction, acknowledged alone.

An operation is told as submitted when its transaction has committed in memory, and as acknowledged
when the commit record is on the log disk.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeAlias

from emulators.ese.errors import EseError
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.changes import Change, ChangeKind, Item
from emulators.exchange.folder_contents import Entry, Place
from emulators.exchange.message import Message
from emulators.exchange.store import Mailbox, Store
from emulators.exchange.store_schema import DELETED_ITEMS, DRAFTS
from sim.kernel import Signal

Told: TypeAlias = Callable[[Change], None]


class MailOperations:
    """The operations on one database.

    Args:
        store: its mail.
        begin: begins a transaction on it.
        commit: ends one; the signal fires when the commit record is on disk.
        submitted: told of each change when its transaction has committed in memory.
        acknowledged: told of each change when its commit record is on disk.

    Times are calendar times, in nanoseconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        begin: Callable[[], Transaction],
        commit: Callable[[Transaction], Signal],
        *,
        submitted: Told,
        acknowledged: Told,
    ) -> None:
        self.store = store
        self._begin = begin
        self._commit = commit
        self._submitted = submitted
        self._acknowledged = acknowledged

    def create_mailbox(self, name: str) -> tuple[Mailbox, Signal]:
        """Make a mailbox; the signal fires when it is on disk."""
        with self._transaction() as transaction:
            mailbox = self.store.create_mailbox(transaction, name)
        return mailbox, self._commit(transaction)

    def create_folder(self, mailbox: Mailbox, path: str) -> Signal:
        """Make a folder in a mailbox; the signal fires when it is on disk."""
        with self._transaction() as transaction:
            self.store.create_folder(transaction, mailbox, path)
        return self._commit(transaction)

    def deliver(
        self,
        mailbox: Mailbox,
        folder: str,
        message: Message,
        received_ns: int,
        *,
        instance_id: int | None = None,
        as_stream: bool = False,
        is_read: bool = False,
    ) -> tuple[Item, int]:
        """Put a message into a folder; return it there, and the instance that others may share."""
        with self._transaction() as transaction:
            delivered = self.store.deliver(
                transaction,
                mailbox.folders[folder],
                message,
                received_ns=received_ns,
                instance_id=instance_id,
                as_stream=as_stream,
                is_read=is_read,
            )
        item = Item(delivered.place, mailbox.name, folder, message, is_read)
        self._finish(transaction, Change.of(ChangeKind.CREATED, item))
        return item, delivered.instance_id

    def save_draft(
        self,
        mailbox: Mailbox,
        message: Message,
        now_ns: int,
        item: Item | None = None,
        *,
        as_stream: bool = False,
    ) -> Item:
        """Save what a user writes, for the first time or again, and return it.

        With `as_stream` it is saved to be submitted, and its MIME stream is made of it.
        """
        if item is None:
            item, _ = self.deliver(
                mailbox, DRAFTS, message, now_ns, as_stream=as_stream, is_read=True
            )
        else:
            self.save(item, message, as_stream=as_stream)
        return item

    def save(self, item: Item, message: Message, *, as_stream: bool = False) -> None:
        """Give a message other content; `as_stream` when it is submitted."""
        with self._transaction() as transaction:
            self.store.save(transaction, item.place, message, as_stream=as_stream)
        item.message = message
        self._finish(transaction, Change.of(ChangeKind.SAVED, item))

    def open(self, place: Place) -> Message:
        """Return a message as the store has it; nothing changes."""
        return self.store.open(place)

    def view(self, mailbox: Mailbox, folder: str, rows: int | None = None) -> list[Entry]:
        """Return what a folder shows, the newest first: a screen of `rows`, or all of it."""
        shown = self.store.contents.newest(mailbox.folders[folder])
        return list(islice(shown, rows))

    def set_read(self, item: Item, now_ns: int, *, is_read: bool = True) -> None:
        """Let a message count as read or unread."""
        with self._transaction() as transaction:
            self.store.set_read(transaction, item.place, now_ns, is_read=is_read)
        item.is_read = is_read
        self._finish(transaction, Change.of(ChangeKind.READ, item))

    def move(self, mailbox: Mailbox, item: Item, folder: str) -> None:
        """Move a message to another folder of its mailbox."""
        with self._transaction() as transaction:
            item.place = self.store.move(transaction, item.place, mailbox.folders[folder])
        item.folder = folder
        self._finish(transaction, Change.of(ChangeKind.MOVED, item))

    def delete(self, mailbox: Mailbox, item: Item, now_ns: int) -> None:
        """Delete as a user does: to Deleted Items, and from there to the dumpster."""
        if item.folder != DELETED_ITEMS:
            self.move(mailbox, item, DELETED_ITEMS)
            return
        with self._transaction() as transaction:
            self.store.delete(transaction, item.place, now_ns)
        item.is_deleted = True
        self._finish(transaction, Change.of(ChangeKind.DELETED, item))

    def restore(self, item: Item) -> None:
        """Take a message out of the dumpster, into the folder from which it was deleted."""
        with self._transaction() as transaction:
            self.store.undelete(transaction, item.place)
        item.is_deleted = False
        self._finish(transaction, Change.of(ChangeKind.RESTORED, item))

    def purge(self, place: Place, mailbox: str, folder: str) -> None:
        """Remove a message for good, as online maintenance does."""
        with self._transaction() as transaction:
            self.store.purge(transaction, place)
        change = Change(ChangeKind.PURGED, place.message_id, mailbox, folder, None)
        self._finish(transaction, change)

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        """Begin a transaction; it is taken back where the database fails before its end."""
        transaction = self._begin()
        try:
            yield transaction
        except EseError:
            transaction.rollback()
            raise

    def _finish(self, transaction: Transaction, change: Change) -> None:
        self._submitted(change)

        def on_disk(done: Signal) -> None:
            if done.error is None:
                self._acknowledged(change)

        self._commit(transaction).then(on_disk)
