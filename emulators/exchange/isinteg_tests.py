"""What isinteg tests: that the rows of a store agree with each other (exchange.md 2.4).

Each test compares what a table states with what the tables that it refers to hold, and says how
the difference is repaired. A repair never invents mail: it counts anew, or removes what leads
nowhere. What these tests are blind to is said in `isinteg`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, cast

from emulators.ese.formats.record import Value
from emulators.ese.trees.table import Table
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.folder_contents import (
    FOLDER_COUNTERS,
    MAILBOX_COUNTERS,
    Entry,
    counted,
)
from emulators.exchange.store import Store
from emulators.exchange.store_schema import (
    ATTACHMENTS,
    FOLDERS,
    MAILBOX,
    MSG,
    MSG_FOLDER_INDEX,
    PER_USER_READ,
)

Repair: TypeAlias = Callable[[Transaction], None]
Row: TypeAlias = tuple[Value, ...]

_DUMPSTER_COUNTERS = FOLDER_COUNTERS[3:]
_SHOWN_COUNTERS = FOLDER_COUNTERS[:3]


class Finding(NamedTuple):
    """One thing that is wrong, and how it is repaired."""

    text: str
    repair: Repair


class IntegrityTest(NamedTuple):
    """One test of isinteg: its name, the table of which it counts the rows, and what it does."""

    name: str
    table: str
    find: "Callable[[Rows], Iterator[Finding]]"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a store, without the content of its messages."""

    store: Store
    mailboxes: dict[int, Row]
    folders: dict[int, Row]
    entries: list[Entry]
    instances: dict[int, Row]
    attachments: list[Row]
    reads: list[Row]

    @classmethod
    def of(cls, store: Store) -> "Rows":
        """Read them."""
        contents, instances = store.contents, store.instances
        return cls(
            store,
            {cast("int", row[0]): row for row in contents.mailboxes.records()},
            {cast("int", row[0]): row for row in contents.folders.records()},
            list(contents.entries()),
            {cast("int", row[0]): row for row in instances.rows.records()},
            list(instances.attachments.records()),
            list(contents.reads.records()),
        )

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return {
            MAILBOX.name: len(self.mailboxes),
            FOLDERS.name: len(self.folders),
            MSG_FOLDER_INDEX.name: len(self.entries),
            MSG.name: len(self.instances),
            ATTACHMENTS.name: len(self.attachments),
            PER_USER_READ.name: len(self.reads),
        }[table]


def _folders(rows: Rows) -> Iterator[Finding]:
    """A folder is of a mailbox, and under a folder of the same one; no folder is under itself."""
    roots = {
        cast("int", row[1]): folder_id for folder_id, row in rows.folders.items() if row[2] == 0
    }
    table = rows.store.contents.folders
    for folder_id, row in rows.folders.items():
        mailbox_id, parent_id = cast("tuple[int, int]", row[1:3])
        if mailbox_id not in rows.mailboxes:
            text = f"folder {folder_id} is of mailbox {mailbox_id}, which is not there"
            yield Finding(text, _remove_row(table, folder_id))
        elif parent_id and not _reaches_root(rows.folders, folder_id):
            text = f"folder {folder_id} is under folder {parent_id}, which does not lead to a root"
            root_id = roots.get(mailbox_id, 0)
            new_parent = 0 if root_id == folder_id else root_id
            yield Finding(text, _update_row(table, (folder_id,), {"ParentId": new_parent}))


def _reaches_root(folders: dict[int, Row], folder_id: int) -> bool:
    mailbox_id = folders[folder_id][1]
    seen: set[int] = set()  # only asked, never walked through
    while folder_id:
        row = folders.get(folder_id)
        if row is None or row[1] != mailbox_id or folder_id in seen:
            return False
        seen.add(folder_id)
        folder_id = cast("int", row[2])
    return True


def _entries(rows: Rows) -> Iterator[Finding]:
    """A folder's entry is in a folder, and states the size of the message that it shows."""
    table = rows.store.contents.rows
    for entry in rows.entries:
        instance = rows.instances.get(entry.instance_id)
        if entry.folder_id not in rows.folders:
            text = f"message {entry.message_id} is in folder {entry.folder_id}, which is not there"
            yield Finding(text, _remove_row(table, *entry.place))
        elif instance is not None and _int(instance, _SIZE) != entry.size_bytes:
            size = _int(instance, _SIZE)
            text = f"message {entry.message_id} states {entry.size_bytes} bytes and has {size}"
            yield Finding(text, _update_row(table, entry.place, {"Size": size}))


def _references(rows: Rows) -> Iterator[Finding]:
    """Every entry shows a message, and every message states how many entries show it."""
    shown = Counter(entry.instance_id for entry in rows.entries)
    for entry in rows.entries:
        if entry.instance_id not in rows.instances:
            text = f"folder {entry.folder_id} shows message {entry.message_id}, which has no row"
            yield Finding(text, _remove_row(rows.store.contents.rows, *entry.place))
    for instance_id, row in rows.instances.items():
        stated, found = _int(row, _REFERENCES), shown[instance_id]
        if stated == found and found:
            continue
        text = f"message row {instance_id} states {stated} references and has {found}"
        if found:
            change = {"ReferenceCount": found}
            yield Finding(text, _update_row(rows.store.instances.rows, (instance_id,), change))
        else:
            yield Finding(text, _drop_instance(rows.store, instance_id))


def _messages(rows: Rows) -> Iterator[Finding]:
    """A message states the size that its text and attachments have."""
    table = rows.store.instances.rows
    for instance_id, message in rows.store.instances.all(is_checked=False):
        stated = _int(rows.instances[instance_id], _SIZE)
        if stated != message.size_bytes:
            text = f"message row {instance_id} states {stated} bytes and has {message.size_bytes}"
            yield Finding(text, _update_row(table, (instance_id,), {"Size": message.size_bytes}))


def _attachments(rows: Rows) -> Iterator[Finding]:
    """An attachment is of a message."""
    table = rows.store.instances.attachments
    for row in rows.attachments:
        instance_id, number = cast("tuple[int, int]", row[:2])
        if instance_id not in rows.instances:
            text = f"attachment {number} is of message row {instance_id}, which is not there"
            yield Finding(text, _remove_row(table, instance_id, number))


def _attachment_counts(rows: Rows) -> Iterator[Finding]:
    """A message states how many attachments it has."""
    held = Counter(row[0] for row in rows.attachments)
    table = rows.store.instances.rows
    for instance_id, row in rows.instances.items():
        stated, found = _int(row, _ATTACHED), held[instance_id]
        if stated != found:
            text = f"message row {instance_id} states {stated} attachments and has {found}"
            yield Finding(text, _update_row(table, (instance_id,), {"AttachmentCount": found}))


def _dumpsters(rows: Rows) -> Iterator[Finding]:
    """A folder states what its dumpster holds."""
    return _folder_counts(rows, _DUMPSTER_COUNTERS)


def _row_counts(rows: Rows) -> Iterator[Finding]:
    """A folder states how many messages it shows, how many are unread, and their bytes."""
    return _folder_counts(rows, _SHOWN_COUNTERS)


def _folder_counts(rows: Rows, names: tuple[str, ...]) -> Iterator[Finding]:
    held = _held(rows)
    for folder_id, row in rows.folders.items():
        found = dict(zip(FOLDER_COUNTERS, held.get(folder_id, _NOTHING), strict=True))
        stated = {name: _int(row, FOLDERS.index_of(name)) for name in names}
        wrong = {name: found[name] for name in names if stated[name] != found[name]}
        if wrong:
            text = (
                f"folder {folder_id} states {_told(stated, wrong)} and holds {_told(found, wrong)}"
            )
            yield Finding(text, _update_row(rows.store.contents.folders, (folder_id,), wrong))


def _mailboxes(rows: Rows) -> Iterator[Finding]:
    """A mailbox states what its folders hold."""
    totals: dict[int, list[int]] = {mailbox_id: [0] * 5 for mailbox_id in rows.mailboxes}
    for folder_id, numbers in _held(rows).items():
        row = rows.folders.get(folder_id)
        if row is not None and row[1] in totals:
            total = totals[cast("int", row[1])]
            total[:] = [old + new for old, new in zip(total, numbers, strict=True)]
    for mailbox_id, row in rows.mailboxes.items():
        by_name = dict(zip(FOLDER_COUNTERS, totals[mailbox_id], strict=True))
        stated = {name: _int(row, MAILBOX.index_of(name)) for name in MAILBOX_COUNTERS}
        wrong = {name: by_name[name] for name in MAILBOX_COUNTERS if stated[name] != by_name[name]}
        if wrong:
            told = f"states {_told(stated, wrong)} and holds {_told(by_name, wrong)}"
            repair = _update_row(rows.store.contents.mailboxes, (mailbox_id,), wrong)
            yield Finding(f"mailbox {mailbox_id} {told}", repair)


def _reads(rows: Rows) -> Iterator[Finding]:
    """What a user has read is in a folder of the user's mailbox."""
    for row in rows.reads:
        mailbox_id, folder_id = cast("tuple[int, int]", row[:2])
        folder = rows.folders.get(folder_id)
        if folder is None or folder[1] != mailbox_id:
            text = f"mailbox {mailbox_id} has read in folder {folder_id}, which is not its own"
            yield Finding(text, _remove_row(rows.store.contents.reads, mailbox_id, folder_id))


def _held(rows: Rows) -> dict[int, tuple[int, ...]]:
    """Return the counters that each folder should have."""
    held: dict[int, tuple[int, ...]] = {}
    for entry in rows.entries:
        before = held.get(entry.folder_id, _NOTHING)
        held[entry.folder_id] = tuple(
            old + new for old, new in zip(before, counted(entry), strict=True)
        )
    return held


def _int(row: Row, index: int) -> int:
    return cast("int", row[index])


def _told(numbers: dict[str, int], names: dict[str, int]) -> str:
    return ", ".join(f"{name} {numbers[name]}" for name in names)


def _remove_row(table: Table, *key: Value) -> Repair:
    def repair(transaction: Transaction) -> None:
        if table.find(*key) is not None:  # an earlier repair may have removed it
            table.delete(transaction, *key)

    return repair


def _update_row(table: Table, key: tuple[Value, ...], fields: Mapping[str, Value]) -> Repair:
    def repair(transaction: Transaction) -> None:
        if table.find(*key) is not None:
            table.update(transaction, key, dict(fields))

    return repair


def _drop_instance(store: Store, instance_id: int) -> Repair:
    def repair(transaction: Transaction) -> None:
        store.instances.drop(transaction, instance_id)

    return repair


_SIZE = MSG.index_of("Size")
_REFERENCES = MSG.index_of("ReferenceCount")
_ATTACHED = MSG.index_of("AttachmentCount")
_NOTHING = (0, 0, 0, 0, 0)

TESTS = (
    IntegrityTest("folder", FOLDERS.name, _folders),
    IntegrityTest("peruser", PER_USER_READ.name, _reads),
    IntegrityTest("attach", ATTACHMENTS.name, _attachments),
    IntegrityTest("msgref", MSG.name, _references),
    IntegrityTest("attachref", MSG.name, _attachment_counts),
    IntegrityTest("message", MSG.name, _messages),
    IntegrityTest("morefld", MSG_FOLDER_INDEX.name, _entries),
    IntegrityTest("dumpsterref", FOLDERS.name, _dumpsters),
    IntegrityTest("rowcounts", FOLDERS.name, _row_counts),
    IntegrityTest("mailbox", MAILBOX.name, _mailboxes),
)
"""In the order in which they are made: what leads nowhere goes before the rest is counted."""
