"""An Exchange server with one storage group: it takes messages and acknowledges them.

A message is acknowledged for each mailbox when the commit record of its delivery is on the log
disk, not before.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from emulators.ese.errors import EseError
from emulators.ese.running.storage_group import StorageGroup
from emulators.exchange.message import Message
from emulators.exchange.store import INBOX, SENT_ITEMS, STORE_TABLES, Mailbox, Store
from sim.kernel import Signal

Process = Generator[Any, Any, None]


class Delivery:
    """One copy of a message in one folder, from submission to acknowledgement.

    Attributes:
        message_id: its id in the store.
        mailbox: whose it is.
        folder: the folder's name.
        message: what was delivered.
    """

    __slots__ = ("folder", "mailbox", "message", "message_id")

    def __init__(self, message_id: int, mailbox: str, folder: str, message: Message) -> None:
        self.message_id = message_id
        self.mailbox = mailbox
        self.folder = folder
        self.message = message


class ExchangeServer:
    """The server.

    Args:
        group: its storage group, not created yet.
        submitted: told of each delivery when its transaction has committed in memory.
        acknowledged: told of each delivery when its commit record is on disk.
    """

    def __init__(
        self,
        group: StorageGroup,
        *,
        submitted: Callable[[Delivery], None],
        acknowledged: Callable[[Delivery], None],
    ) -> None:
        self.group = group
        self._database = group.database_names[0]
        self._submitted = submitted
        self._acknowledged = acknowledged
        self._mailboxes: dict[str, Mailbox] = {}

    def start(self, mailboxes: Sequence[str]) -> Process:
        """Make the storage group and the mailboxes, and wait until they are on disk."""
        yield from self.group.create(STORE_TABLES)
        self._store = Store(self.group.database(self._database))
        on_disk = [self._create_mailbox(name) for name in mailboxes]
        for created in on_disk:  # noqa: UP028 - a list cannot be sent the signals' values
            yield created

    @property
    def error(self) -> EseError | None:
        """What stopped the storage group, or None while it runs."""
        return self.group.error

    def submit(self, message: Message, *, to_sent_items: bool = True) -> None:
        """Deliver to each recipient's Inbox, and to Sent Items of a sender who has a mailbox.

        A database that is not mounted takes nothing.

        Without `to_sent_items` the sender keeps no copy: they have one of an earlier submission.
        """
        if not self.group.is_mounted(self._database):
            return
        if to_sent_items and message.sender in self._mailboxes:
            self._deliver(message, self._mailboxes[message.sender], SENT_ITEMS)
        for recipient in message.recipients:
            mailbox = self._mailboxes.get(recipient)
            if mailbox is not None:
                self._deliver(message, mailbox, INBOX)

    def _create_mailbox(self, name: str) -> Signal:
        transaction = self.group.begin(self._database)
        self._mailboxes[name] = self._store.create_mailbox(transaction, name)
        return self.group.commit(transaction)

    def _deliver(self, message: Message, mailbox: Mailbox, folder: str) -> None:
        transaction = self.group.begin(self._database)
        message_id = self._store.deliver(transaction, mailbox.folders[folder], message)
        delivery = Delivery(message_id, mailbox.name, folder, message)
        self._submitted(delivery)

        def on_disk(done: Signal) -> None:
            if done.error is None:
                self._acknowledged(delivery)

        self.group.commit(transaction).then(on_disk)
