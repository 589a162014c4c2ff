"""An Exchange server: its storage groups take messages and acknowledge them.

A message is acknowledged for each mailbox when the commit record of its delivery is on the log
disk, not before. A message to mailboxes of several databases is one delivery in each of them: they
share no transaction, and nothing keeps one from being lost alone.

Fault model: a storage group that stops, and a database that is dismounted or whose disk is found
to be lost, take no mail; the others go on. What was sent to them meanwhile is not queued, and so
never acknowledged; what a database refuses outright is counted.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from emulators.ese.errors import EseError
from emulators.ese.running.storage_group import StorageGroup
from emulators.exchange.changes import Item
from emulators.exchange.mail_operations import MailOperations, Told
from emulators.exchange.message import Message
from emulators.exchange.mount import GroupMount, mount_group
from emulators.exchange.store import INBOX, SENT_ITEMS, STORE_TABLES, Mailbox, Store

Process = Generator[Any, Any, None]
Done = TypeVar("Done")

DISK_LOST = -1022
"""The code with which a database whose file is gone refuses everything (exchange.md 1.5)."""


@dataclass(frozen=True, slots=True)
class HostedDatabase:
    """One database of a server: the storage group it belongs to, its file, and its mail."""

    group: StorageGroup
    name: str
    mail: MailOperations

    @property
    def is_mounted(self) -> bool:
        """Whether it takes mail."""
        return self.group.is_mounted(self.name)


class ExchangeServer:
    """The server.

    Args:
        groups: its storage groups, not created or started yet; no two databases have one name.
        submitted: told of each change of mail when its transaction has committed in memory.
        acknowledged: told of each change when its commit record is on disk.

    Attributes:
        refused: how much was to be done in mailboxes whose database did not take it.
    """

    def __init__(self, *groups: StorageGroup, submitted: Told, acknowledged: Told) -> None:
        names = [name for group in groups for name in group.database_names]
        assert len(dict.fromkeys(names)) == len(names), "two databases have one name"
        self.groups = groups
        self.refused = 0
        self._submitted = submitted
        self._acknowledged = acknowledged
        self.databases: dict[str, HostedDatabase] = {}
        self.mailboxes: dict[str, Mailbox] = {}
        self._homes: dict[str, HostedDatabase] = {}

    def start(self, *mailboxes_of_groups: Sequence[str]) -> Process:
        """Make the storage groups and the mailboxes, and wait until they are on disk.

        Args:
            mailboxes_of_groups: for each group its mailboxes, which its databases get in turn.
        """
        for group in self.groups:
            yield from group.create(STORE_TABLES)
            for name in group.database_names:
                self.databases[name] = self._host(group, name)
        on_disk = []
        for group, mailboxes in zip(self.groups, mailboxes_of_groups, strict=True):
            for number, mailbox in enumerate(mailboxes):
                home = self.databases[group.database_names[number % len(group.database_names)]]
                self._homes[mailbox] = home
                self.mailboxes[mailbox], created = home.mail.create_mailbox(mailbox)
                on_disk.append(created)
        for created in on_disk:
            yield created

    def resume(self) -> Generator[Any, Any, tuple[GroupMount, ...]]:
        """Bring up the storage groups that lie on their volumes, with the mailboxes in them.

        Raises:
            EseError: recovery is refused, or a database cannot be mounted.
        """
        mounts = []
        for group in self.groups:
            mounted = yield from mount_group(group)
            for error in mounted.refused.values():
                raise error
            for name in group.database_names:
                home = self.databases[name] = self._host(group, name)
                found = {mailbox.name: mailbox for mailbox in home.mail.store.mailboxes()}
                self.mailboxes.update(found)
                self._homes.update(dict.fromkeys(found, home))
            mounts.append(mounted)
        return tuple(mounts)

    @property
    def error(self) -> EseError | None:
        """What stopped the first of its storage groups, or None while one of them runs."""
        errors = [group.error for group in self.groups]
        return None if None in errors else errors[0]

    def wall_ns(self) -> int:
        """Return the calendar time, nanoseconds since 1970."""
        return self.groups[0].wall_ns()

    def home_of(self, mailbox: str) -> HostedDatabase:
        """Return the database in which a mailbox of this server lives."""
        return self._homes[mailbox]

    def mail_of(self, mailbox: str) -> MailOperations:
        """Return what can be done to the mail of a mailbox."""
        return self._homes[mailbox].mail

    def attempt(self, mailbox: str, action: Callable[[], Done]) -> Done | None:
        """Do something in a mailbox; None where its database is not mounted, or its disk is lost.

        A lost disk shows when a page has to be read from it.
        """
        try:
            if self._homes[mailbox].is_mounted:
                return action()
        except EseError as error:
            if error.code != DISK_LOST:
                raise
        self.refused += 1
        return None

    def submit(
        self, message: Message, *, to_sent_items: bool = True, as_stream: bool = False
    ) -> list[Item]:
        """Deliver to each recipient's Inbox, and to Sent Items of a sender who has a mailbox.

        The sender's copy is what their client wrote; the recipients in one database share one
        instance of what transport brought. Without `to_sent_items` the sender keeps no copy: they
        have one of an earlier submission. With `as_stream` the recipients' instances have their
        MIME stream too.

        Returns the recipients' copies; none of those whose database does not take them.
        """
        now_ns = self.wall_ns()
        if to_sent_items and message.sender in self.mailboxes:
            sender = self.mailboxes[message.sender]
            mail = self.mail_of(sender.name)
            self.attempt(
                sender.name,
                lambda: mail.deliver(sender, SENT_ITEMS, message, now_ns, is_read=True),
            )
        copies: list[Item] = []
        instances: dict[str, int] = {}
        for mailbox in filter(None, map(self.mailboxes.get, message.recipients)):
            home = self._homes[mailbox.name]
            delivered = self.attempt(
                mailbox.name,
                partial(
                    home.mail.deliver,
                    mailbox,
                    INBOX,
                    message,
                    now_ns,
                    instance_id=instances.get(home.name),
                    as_stream=as_stream,
                ),
            )
            if delivered is not None:
                copy, instances[home.name] = delivered
                copies.append(copy)
        return copies

    def _host(self, group: StorageGroup, name: str) -> HostedDatabase:
        mail = MailOperations(
            Store(group.database(name)),
            lambda: group.begin(name),
            group.commit,
            submitted=self._submitted,
            acknowledged=self._acknowledged,
        )
        return HostedDatabase(group, name, mail)
