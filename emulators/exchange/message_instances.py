"""The messages of a database, each kept once however many folders show it (single instance).

An instance is a row of table Msg with its long values and its attachments. Its reference count is
the number of rows of MsgFolderIndex that name it; with the last of them it goes, in the same
transaction. Content is never changed while others show it too.

Assumptions: what came by transport is kept as its MIME stream and as the properties converted from
it; what a user writes is kept as properties alone until it is submitted, when the stream that is
sent is made of it; what a user changes is properties alone again, as KB232323 says of 2003. Text is
kept plain and as HTML (`html_body`). Exchange 2003 keeps the stream in its streaming file, which
this emulator does not fill: the stream lies in the database in both versions.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import cast

from emulators.ese.errors import ese_error
from emulators.ese.formats.record import Separated, Value
from emulators.ese.trees.database import Database
from emulators.ese.trees.table import RowValue, Table
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.html_body import html_of
from emulators.exchange.id_ranges import IdRanges
from emulators.exchange.message import Attachment, Message
from emulators.exchange.mime import mime_of
from emulators.exchange.store_schema import ATTACHMENTS, MSG, RECIPIENT_SEPARATOR

REFERENCES = MSG.index_of("ReferenceCount")
_ATTACHED = MSG.index_of("AttachmentCount")


class MessageInstances:
    """The instances of one store.

    Args:
        database: has the tables Msg and Attachments.
        ids: gives ids to new ones.
    """

    def __init__(self, database: Database, ids: IdRanges) -> None:
        self.rows: Table = database.table(MSG.name)
        self.attachments: Table = database.table(ATTACHMENTS.name)
        self._ids = ids

    def add(self, transaction: Transaction, message: Message, *, as_stream: bool) -> int:
        """Keep a message, referred to once, and return its id.

        With `as_stream` it came by transport, and its MIME stream is kept as well.
        """
        instance_id = self._ids.next_id(transaction, "InstanceIdLimit")
        self.rows.insert(transaction, _row_of(instance_id, message, as_stream=as_stream))
        self._attach(transaction, instance_id, message.attachments)
        return instance_id

    def references(self, instance_id: int) -> int:
        """Return how many folder entries an instance states."""
        return cast("int", self.rows.get(instance_id)[REFERENCES])

    def message(self, instance_id: int) -> Message:
        """Return the content of an instance, with its attachments."""
        table = self.attachments
        attached = tuple(_attachment_of(table, row) for row in table.range(instance_id))
        return self._message_of(self.rows.get(instance_id), attached)

    def refer(self, transaction: Transaction, instance_id: int) -> None:
        """Count one more folder that shows an instance."""
        self._refer(transaction, instance_id, self.references(instance_id) + 1)

    def release(self, transaction: Transaction, instance_id: int) -> None:
        """Count one folder less; what no folder shows any more goes."""
        row = self.rows.get(instance_id)
        references = cast("int", row[REFERENCES]) - 1
        if references:
            self._refer(transaction, instance_id, references)
            return
        self.drop(transaction, instance_id)

    def drop(self, transaction: Transaction, instance_id: int) -> None:
        """Remove an instance with its attachments."""
        self._detach(transaction, instance_id)
        self.rows.delete(transaction, instance_id)

    def change(
        self, transaction: Transaction, instance_id: int, message: Message, *, as_stream: bool
    ) -> int:
        """Give one folder's message other content; return the instance that has it.

        That is the same one, unless other folders show it too: they keep what they show. With
        `as_stream` it is submitted, and its MIME stream is made and kept as well.
        """
        row = self.rows.get(instance_id)
        if row[REFERENCES] != 1:
            self._refer(transaction, instance_id, cast("int", row[REFERENCES]) - 1)
            return self.add(transaction, message, as_stream=as_stream)
        self._detach(transaction, instance_id)
        self.rows.replace(transaction, _row_of(instance_id, message, as_stream=as_stream))
        self._attach(transaction, instance_id, message.attachments)
        return instance_id

    def all(self, *, is_checked: bool = True) -> Iterator[tuple[int, Message]]:
        """Yield id and content of every instance, by id.

        Raises:
            EseError: -1206 where a long value is damaged, or an attachment is missing (unless
                that `is_checked` elsewhere).
        """
        attached = _by_instance(self.attachments)
        number, items = next(attached, _NO_MORE)
        for row in self.rows.records():
            instance_id = cast("int", row[0])
            while number < instance_id:
                number, items = next(attached, _NO_MORE)
            mine = items if number == instance_id else ()
            if is_checked and len(mine) != row[_ATTACHED]:
                stated = cast("int", row[_ATTACHED])
                where = f"{MSG.name}: message {instance_id} states {stated} attachments"
                raise ese_error(-1206, f"{where} and has {len(mine)}", "run isinteg -test attach")
            yield instance_id, self._message_of(row, mine)

    def _message_of(self, row: tuple[Value, ...], attachments: tuple[Attachment, ...]) -> Message:
        """Return the content of a row; other forms, which say the same, are not read."""
        table = self.rows
        cc_count, _, sent_ns, starts_ns, ends_ns = cast("tuple[int, ...]", row[3:8])
        recipients = _text(table, row[10])
        return Message(
            sender=_text(table, row[9]),
            recipients=tuple(recipients.split(RECIPIENT_SEPARATOR)) if recipients else (),
            subject=_text(table, row[11]),
            body=_payload(table, row[13]),
            internet_message_id=_text(table, row[12]),
            sent_ns=sent_ns,
            attachments=attachments,
            message_class=cast("str", row[8]),
            cc_count=cc_count,
            starts_ns=starts_ns,
            ends_ns=ends_ns,
        )

    def _refer(self, transaction: Transaction, instance_id: int, references: int) -> None:
        self.rows.update(transaction, (instance_id,), {"ReferenceCount": references})

    def _attach(
        self, transaction: Transaction, instance_id: int, attachments: Sequence[Attachment]
    ) -> None:
        for number, item in enumerate(attachments):
            row: tuple[RowValue, ...] = (
                instance_id,
                number,
                item.size_bytes,
                item.name or None,
                item.content,
            )
            self.attachments.insert(transaction, row)

    def _detach(self, transaction: Transaction, instance_id: int) -> None:
        for row in list(self.attachments.range(instance_id)):
            self.attachments.delete(transaction, instance_id, row[1])


def _row_of(instance_id: int, message: Message, *, as_stream: bool) -> tuple[RowValue, ...]:
    return (
        instance_id,
        1,
        len(message.attachments),
        message.cc_count,
        message.size_bytes,
        message.sent_ns,
        message.starts_ns,
        message.ends_ns,
        message.message_class,
        message.sender,
        RECIPIENT_SEPARATOR.join(message.recipients) or None,
        message.subject or None,
        message.internet_message_id or None,
        message.body,
        html_of(message.body),
        mime_of(message) if as_stream else None,
    )


_NO_MORE: tuple[int, tuple[Attachment, ...]] = (1 << 32, ())
"""What follows the last attachment; ids are less."""


def _by_instance(table: Table) -> Iterator[tuple[int, tuple[Attachment, ...]]]:
    """Yield the attachments of each instance that has any, by its id."""
    for instance_id, rows in groupby(table.records(), itemgetter(0)):
        yield (
            cast("int", instance_id),
            tuple(_attachment_of(table, row) for row in rows),
        )


def _attachment_of(table: Table, row: tuple[Value, ...]) -> Attachment:
    return Attachment(_text(table, row[3]), _payload(table, row[4]))


def _text(table: Table, value: Value) -> str:
    if isinstance(value, Separated):
        return _read(table, value).decode("utf-16-le", "surrogatepass")
    return cast("str", value or "")


def _payload(table: Table, value: Value) -> tuple[bytes, ...]:
    content = _read(table, value) if isinstance(value, Separated) else cast("bytes", value)
    return (content,) if content else ()


def _read(table: Table, value: Separated) -> bytes:
    assert table.long_values is not None, "a separated value without a tree"
    return table.long_values.read(value.lid)
