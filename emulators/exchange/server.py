"""An Exchange server with one storage group: it takes messages and acknowledges them.

A message is acknowledged for each mailbox when the commit record of its delivery is on the log
disk, not before.
"""

from collections.abc import Generator, Sequence
from typing import Any

from emulators.ese.errors import EseError
from emulators.ese.running.storage_group import StorageGroup
from emulators.exchange.changes import Item
from emulators.exchange.mail_operations import MailOperations, Told
from emulators.exchange.message import Message
from emulators.exchange.mount import GroupMount, mount_group
from emulators.exchange.store import INBOX, SENT_ITEMS, STORE_TABLES, Mailbox, Store

Process = Generator[Any, Any, None]


class ExchangeServer:
    """The server.

    Args:
        group: its storage group, not created or started yet.
        submitted: told of each change of mail when its transaction has committed in memory.
        acknowledged: told of each change when its commit record is on disk.
    """

    def __init__(
        self,
        group: StorageGroup,
        *,
        submitted: Told,
        acknowledged: Told,
    ) -> None:
        self.group = group
        self._database = group.database_names[0]
        self._submitted = submitted
        self._acknowledged = acknowledged
        self.mailboxes: dict[str, Mailbox] = {}

    def start(self, mailboxes: Sequence[str]) -> Process:
        """Make the storage group and the mailboxes, and wait until they are on disk."""
        yield from self.group.create(STORE_TABLES)
        self._open_store()
        on_disk = []
        for name in mailboxes:
            self.mailboxes[name], created = self.mail.create_mailbox(name)
            on_disk.append(created)
        for created in on_disk:
            yield created

    def resume(self) -> Generator[Any, Any, GroupMount]:
        """Bring up the storage group that lies on its volumes, with the mailboxes in it.

        Raises:
            EseError: recovery is refused, or the database cannot be mounted.
        """
        mounted = yield from mount_group(self.group)
        if self._database in mounted.refused:
            raise mounted.refused[self._database]
        store = self._open_store()
        self.mailboxes = {mailbox.name: mailbox for mailbox in store.mailboxes()}
        return mounted

    def _open_store(self) -> Store:
        store = Store(self.group.database(self._database))
        self.mail = MailOperations(
            store,
            lambda: self.group.begin(self._database),
            self.group.commit,
            submitted=self._submitted,
            acknowledged=self._acknowledged,
        )
        return store

    @property
    def error(self) -> EseError | None:
        """What stopped the storage group, or None while it runs."""
        return self.group.error

    def submit(
        self, message: Message, *, to_sent_items: bool = True, as_stream: bool = False
    ) -> list[Item]:
        """Deliver to each recipient's Inbox, and to Sent Items of a sender who has a mailbox.

        The sender's copy is what their client wrote; the recipients share one instance of what
        transport brought. Without `to_sent_items` the sender keeps no copy: they have one of an
        earlier submission. With `as_stream` the recipients' instance has its MIME stream too.

        Returns the recipients' copies; none where the database is not mounted.
        """
        if not self.group.is_mounted(self._database):
            return []
        now_ns = self.group.wall_ns()
        if to_sent_items and message.sender in self.mailboxes:
            sender = self.mailboxes[message.sender]
            self.mail.deliver(sender, SENT_ITEMS, message, now_ns, is_read=True)
        copies: list[Item] = []
        instance_id = None
        for recipient in message.recipients:
            mailbox = self.mailboxes.get(recipient)
            if mailbox is not None:
                copy, instance_id = self.mail.deliver(
                    mailbox, INBOX, message, now_ns, instance_id=instance_id, as_stream=as_stream
                )
                copies.append(copy)
        return copies
