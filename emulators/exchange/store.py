"""The information store: mailboxes, folders and messages as rows of an ESE database.

A message is one row of table Msg, keyed by folder and message so that a folder's messages lie
together; its body is a long value. Delivering a message also updates the folder's counters, in
the same transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from emulators.ese.formats.schema import ColumnType, build_table
from emulators.ese.trees.database import Database
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.message import Message

INBOX = "Inbox"
SENT_ITEMS = "Sent Items"
FOLDER_NAMES = (INBOX, SENT_ITEMS)

MAILBOX = build_table(
    "Mailbox",
    (("MailboxId", ColumnType.LONG), ("Name", ColumnType.TEXT)),
    ("MailboxId",),
)
FOLDERS = build_table(
    "Folders",
    (
        ("FolderId", ColumnType.LONG),
        ("MailboxId", ColumnType.LONG),
        ("MessageCount", ColumnType.LONG),
        ("MessageBytes", ColumnType.CURRENCY),
        ("Name", ColumnType.TEXT),
    ),
    ("FolderId",),
)
MSG = build_table(
    "Msg",
    (
        ("FolderId", ColumnType.LONG),
        ("MessageId", ColumnType.LONG),
        ("Sent", ColumnType.CURRENCY),
        ("Size", ColumnType.LONG),
        ("Sender", ColumnType.LONG_TEXT),
        ("Recipients", ColumnType.LONG_TEXT),
        ("Subject", ColumnType.LONG_TEXT),
        ("InternetMessageId", ColumnType.LONG_TEXT),
        ("Body", ColumnType.LONG_BINARY),
    ),
    ("FolderId", "MessageId"),
)
STORE_TABLES = (MAILBOX, FOLDERS, MSG)

_COUNT = FOLDERS.index_of("MessageCount")
_BYTES = FOLDERS.index_of("MessageBytes")
RECIPIENT_SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox and the ids of its folders, by name."""

    mailbox_id: int
    name: str
    folders: dict[str, int]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it was read from a database, and where it lies."""

    message_id: int
    mailbox: str
    folder: str
    message: Message


class Store:
    """The mail in one database.

    Args:
        database: mounted, or opened for reading only; it has the tables `STORE_TABLES`.
    """

    def __init__(self, database: Database) -> None:
        self._mailboxes = database.table(MAILBOX.name)
        self._folders = database.table(FOLDERS.name)
        self._messages = database.table(MSG.name)
        self._mailbox_last = self._mailboxes.last_id(0)
        self._folder_last = self._folders.last_id(0)
        self._message_last = self._messages.last_id(1)

    def create_mailbox(self, transaction: Transaction, name: str) -> Mailbox:
        """Add a mailbox with its folders."""
        self._mailbox_last += 1
        mailbox_id = self._mailbox_last
        self._mailboxes.insert(transaction, (mailbox_id, name))
        folders = {}
        for folder_name in FOLDER_NAMES:
            self._folder_last += 1
            folders[folder_name] = self._folder_last
            row = (self._folder_last, mailbox_id, 0, 0, folder_name)
            self._folders.insert(transaction, row)
        return Mailbox(mailbox_id, name, folders)

    def deliver(self, transaction: Transaction, folder_id: int, message: Message) -> int:
        """Put a message into a folder and return its id."""
        self._message_last += 1
        message_id = self._message_last
        recipients = RECIPIENT_SEPARATOR.join(message.recipients)
        size = message.size_bytes
        self._messages.insert(
            transaction,
            (
                folder_id,
                message_id,
                message.sent_ns,
                size,
                message.sender,
                recipients or None,
                message.subject or None,
                message.internet_message_id or None,
                message.body,
            ),
        )
        self._count(transaction, folder_id, size)
        return message_id

    def messages(self) -> Iterator[StoredMessage]:
        """Yield every message, folder by folder."""
        names = {row[0]: cast("str", row[1]) for row in self._mailboxes.rows()}
        folders = {row[0]: (names[row[1]], cast("str", row[4])) for row in self._folders.rows()}
        for row in self._messages.rows():
            mailbox, folder = folders[row[0]]
            yield StoredMessage(cast("int", row[1]), mailbox, folder, _message_of(row))

    def folder_counts(self) -> dict[tuple[str, str], int]:
        """Return the message count that each folder states, by mailbox and folder name."""
        names = {row[0]: cast("str", row[1]) for row in self._mailboxes.rows()}
        return {
            (names[row[1]], cast("str", row[4])): cast("int", row[_COUNT])
            for row in self._folders.rows()
        }

    def _count(self, transaction: Transaction, folder_id: int, size: int) -> None:
        row = list(self._folders.get(folder_id))
        row[_COUNT] = cast("int", row[_COUNT]) + 1
        row[_BYTES] = cast("int", row[_BYTES]) + size
        self._folders.replace(transaction, row)


def _message_of(row: tuple[object, ...]) -> Message:
    _, _, sent_ns, _, sender, recipients, subject, internet_message_id, body = row
    return Message(
        sender=cast("str", sender),
        recipients=tuple(cast("str", recipients).split(RECIPIENT_SEPARATOR)) if recipients else (),
        subject=cast("str", subject or ""),
        body=(cast("bytes", body),) if body else (),
        internet_message_id=cast("str", internet_message_id or ""),
        sent_ns=cast("int", sent_ns),
    )
