"""The store: messages go in and come out byte for byte, and folders count them."""

from collections import Counter

import pytest
from checker import check_trees
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.errors import EseError
from emulators.ese.formats.long_value import chunk_key
from emulators.ese.formats.values import Lgpos
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.database import Database, DatabaseBuilder
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.message import Message
from emulators.exchange.store import INBOX, SENT_ITEMS, STORE_TABLES, Store

TEXT = st.text(st.characters(exclude_characters="\n"), max_size=40)
LONG_TEXT = st.one_of(TEXT, st.text("a\u20ac\U0001f600", min_size=300, max_size=900))
SEGMENTS = st.lists(
    st.one_of(
        st.binary(max_size=300),
        st.integers(0, 40_000),
        st.integers(1, 20_000).map(lambda size: bytes([size % 255 + 1]) * size),
    ),
    max_size=4,
).map(tuple)
MESSAGES = st.builds(
    Message,
    sender=LONG_TEXT,
    recipients=st.lists(TEXT.filter(bool), max_size=30).map(tuple),
    subject=LONG_TEXT,
    body=SEGMENTS,
    internet_message_id=TEXT,
    sent_ns=st.integers(0, 2**62),
)


class Office:
    """A database in memory that can be written to, and opened anew for reading."""

    def __init__(self):
        builder = DatabaseBuilder(STORE_TABLES)
        self.cache = PageCache(self.never)
        for page in builder.pages().values():
            self.cache.adopt(page)
        self.last_pgno = builder.pages_total
        self.editor = Editor(self.cache, self.log, builder.dbtime)
        space = Space(self.cache, self.editor, self.grow)
        self.database = Database(self.cache, self.editor, space)
        self.store = Store(self.database)
        self.transactions = 0
        self.position = 0

    def never(self, pgno):
        raise AssertionError(f"page {pgno} was read before it was made")

    def log(self, record):
        self.position += len(record)
        return Lgpos(1, 8 + self.position, 0)

    def grow(self, pages):
        self.last_pgno += pages
        return self.last_pgno

    def begin(self):
        self.transactions += 1
        return Transaction(self.editor, self.transactions)

    def mailbox(self, name):
        transaction = self.begin()
        mailbox = self.store.create_mailbox(transaction, name)
        transaction.commit()
        return mailbox

    def deliver(self, mailbox, folder, message):
        transaction = self.begin()
        message_id = self.store.deliver(transaction, mailbox.folders[folder], message)
        transaction.commit()
        return message_id

    def reopened(self):
        return Store(Database(self.cache))

    def check(self):
        tables = self.database.tables()
        fdps = [1, 4, 7, 10, 24, *(table.tree.tree.fdp for table in tables)]
        fdps += [table.long_values.tree.tree.fdp for table in tables if table.long_values]
        findings = check_trees(self.cache.page, fdps, self.last_pgno)
        assert findings.problems == []
        assert not findings.leaked


def message(body=(b"text",), **fields):
    values = {
        "sender": "ann@example.com",
        "recipients": ("bob@example.com",),
        "subject": "Hello",
        "internet_message_id": "<1@example.com>",
        "sent_ns": 7,
    }
    return Message(body=body, **values | fields)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from((INBOX, SENT_ITEMS)), MESSAGES)))
def test_any_messages_come_back_equal_from_the_folders_they_were_put_into(deliveries):
    office = Office()
    boxes = [office.mailbox(name) for name in ("ann@example.com", "bob@example.com")]
    sent = {
        office.deliver(boxes[box], folder, mail): (boxes[box].name, folder, mail)
        for box, folder, mail in deliveries
    }
    found = {}
    for stored in office.reopened().messages():
        found[stored.message_id] = stored
        mailbox, folder, mail = sent[stored.message_id]
        assert (stored.mailbox, stored.folder) == (mailbox, folder)
        assert stored.message.digest == mail.digest
        assert stored.message.recipients == mail.recipients
        assert stored.message.subject == mail.subject
        assert stored.message.sent_ns == mail.sent_ns
    assert found.keys() == sent.keys()
    counts = Counter((mailbox, folder) for mailbox, folder, _ in sent.values())
    assert +Counter(office.reopened().folder_counts()) == counts
    office.check()


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 8109, 8110, 8111, 16_221, 100_000])
def test_a_body_of_any_size_comes_back(size):
    office = Office()
    box = office.mailbox("ann@example.com")
    for body in ((b"x" * size,), (size,), (b"y" * (size // 2), size - size // 2)):
        office.deliver(box, INBOX, message(body))
    bodies = [b"".join(stored.message.body) for stored in office.reopened().messages()]
    assert bodies == [b"x" * size, bytes(size), b"y" * (size // 2) + bytes(size - size // 2)]
    office.check()


def test_a_reopened_store_goes_on_with_the_next_ids():
    office = Office()
    box = office.mailbox("ann@example.com")
    first = office.deliver(box, INBOX, message((b"z" * 5000,)))
    again = office.reopened()
    assert again._message_last == first
    assert again._mailbox_last == box.mailbox_id
    assert again._folder_last == max(box.folders.values())


def test_opening_a_store_reads_no_message_bodies(monkeypatch):
    office = Office()
    office.deliver(office.mailbox("ann@example.com"), INBOX, message((b"z" * 50_000,)))

    def read(_self, lid):
        raise AssertionError(f"long value {lid} was read")

    monkeypatch.setattr("emulators.ese.trees.long_values.LongValues.read", read)
    assert office.reopened().folder_counts() == {
        ("ann@example.com", INBOX): 1,
        ("ann@example.com", SENT_ITEMS): 0,
    }


def test_folders_add_up_the_bytes_of_their_messages():
    office = Office()
    box = office.mailbox("ann@example.com")
    mails = [message((b"z" * size,)) for size in (0, 10, 3000, 70_000)]
    for mail in mails:
        office.deliver(box, INBOX, mail)
    rows = {row[0]: row for row in office.database.table("Folders").rows()}
    assert rows[box.folders[INBOX]][2:4] == (4, sum(mail.size_bytes for mail in mails))
    assert rows[box.folders[SENT_ITEMS]][2:4] == (0, 0)


def test_a_body_with_a_missing_chunk_is_damage_and_not_a_shorter_body():
    office = Office()
    office.deliver(office.mailbox("ann@example.com"), INBOX, message((b"z" * 50_000,)))
    tree = office.database.table("Msg").long_values.tree
    writer = BTree(tree.tree, office.cache, office.editor)
    writer.delete(office.begin().context, chunk_key(1, 2 * 8110))
    with pytest.raises(EseError, match=r"-1206.*41890 of 50000 bytes"):
        list(office.reopened().messages())


def test_ended_transactions_cannot_be_committed_again():
    office = Office()
    transaction = office.begin()
    transaction.commit()
    with pytest.raises(AssertionError, match="has ended"):
        transaction.commit()
