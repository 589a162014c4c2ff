"""The store: messages go in and come out byte for byte, and folders count them."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office import Office, message

from emulators.ese.errors import EseError
from emulators.ese.formats.long_value import chunk_key
from emulators.exchange.message import Attachment, Message
from emulators.exchange.store import INBOX, SENT_ITEMS
from emulators.exchange.store_schema import (
    DRAFTS,
    FOLDER_NAMES,
    VIEW_RECEIVED,
    VIEW_SENDER,
    VIEW_SUBJECT,
)

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
TIMES = st.integers(0, 2**62)
MESSAGES = st.builds(
    Message,
    sender=LONG_TEXT,
    recipients=st.lists(TEXT.filter(bool), max_size=30).map(tuple),
    subject=LONG_TEXT,
    body=SEGMENTS,
    internet_message_id=TEXT,
    sent_ns=TIMES,
    attachments=st.lists(st.builds(Attachment, LONG_TEXT, SEGMENTS), max_size=3).map(tuple),
    message_class=st.sampled_from(("IPM.Note", "IPM.Appointment")),
    cc_count=st.integers(0, 30),
    starts_ns=st.none() | TIMES,
    ends_ns=st.none() | TIMES,
)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from(FOLDER_NAMES), MESSAGES, st.booleans()),
        max_size=12,
    )
)
def test_any_messages_come_back_equal_from_the_folders_they_were_put_into(deliveries):
    office = Office()
    boxes = [office.mailbox(name) for name in ("ann@example.com", "bob@example.com")]
    sent = {}
    for box, folder, mail, as_stream in deliveries:
        delivered = office.deliver(boxes[box], folder, mail, as_stream=as_stream)
        sent[delivered.place.message_id] = (boxes[box].name, folder, mail)
    found = {}
    for stored in office.reopened().messages():
        found[stored.message_id] = stored
        mailbox, folder, mail = sent[stored.message_id]
        assert (stored.mailbox, stored.folder) == (mailbox, folder)
        assert stored.message.digest == mail.digest
        assert stored.message.recipients == mail.recipients
        assert stored.message.subject == mail.subject
        assert stored.message.sent_ns == mail.sent_ns
        assert stored.message.starts_ns == mail.starts_ns
        assert [item.name for item in stored.message.attachments] == [
            item.name for item in mail.attachments
        ]
        assert (stored.is_read, stored.is_deleted) == (False, False)
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


def test_a_mailbox_has_the_folders_of_outlook_and_may_get_others_under_them():
    office = Office()
    box = office.mailbox("ann@example.com")
    for path in ("Projects", "Projects/Bridge", "Inbox/Lists"):
        office.do(office.store.create_folder, box, path)
    office.deliver(box, "Projects/Bridge", message())
    paths = [path for _, path in office.reopened().folder_paths().values()]
    assert paths == ["", *FOLDER_NAMES, "Projects", "Projects/Bridge", "Inbox/Lists"]
    [stored] = office.reopened().messages()
    assert stored.folder == "Projects/Bridge"
    office.check()


def test_a_reopened_store_never_gives_an_id_again():
    office = Office()
    box = office.mailbox("ann@example.com")
    first = office.deliver(box, INBOX, message((b"z" * 5000,)))
    office.do(office.store.purge, first.place)
    office.store = office.store.__class__(office.database)
    second = office.deliver(box, INBOX, message())
    assert second.place.message_id > first.place.message_id
    assert second.instance_id > first.instance_id
    assert office.mailbox("bob@example.com").mailbox_id > box.mailbox_id
    office.check()


def test_opening_a_store_reads_no_message_bodies(monkeypatch):
    office = Office()
    office.deliver(office.mailbox("ann@example.com"), INBOX, message((b"z" * 50_000,)))

    def read(_self, lid):
        raise AssertionError(f"long value {lid} was read")

    monkeypatch.setattr("emulators.ese.trees.long_values.LongValues.read", read)
    counts = office.reopened().folder_counts()
    assert counts["ann@example.com", INBOX] == 1
    assert sum(counts.values()) == 1


def test_folders_and_mailboxes_add_up_the_bytes_of_their_messages():
    office = Office()
    box = office.mailbox("ann@example.com")
    mails = [message((b"z" * size,)) for size in (0, 10, 3000, 70_000)]
    for mail in mails:
        office.deliver(box, INBOX, mail)
    office.deliver(box, SENT_ITEMS, mails[0], is_read=True)
    counters = office.store.folder_counters()
    size = sum(mail.size_bytes for mail in mails)
    assert counters[box.name, INBOX] == (4, 4, size, 0, 0)
    assert counters[box.name, SENT_ITEMS] == (1, 0, mails[0].size_bytes, 0, 0)
    [row] = office.database.table("Mailbox").rows()
    assert row[1:5] == (5, size + mails[0].size_bytes, 0, 0)


def test_further_recipients_add_a_reference_and_not_the_body_again():
    office = Office()
    boxes = [office.mailbox(f"user{number}@example.com") for number in range(6)]
    mail = message((b"z" * 200_000,), attachments=(Attachment("plan.doc", (b"a" * 90_000,)),))
    first = office.deliver(boxes[0], INBOX, mail, as_stream=True)
    before = office.position
    for box in boxes[1:]:
        office.deliver(box, INBOX, mail, instance_id=first.instance_id)
    assert (office.position - before) / 5 < 4000
    assert office.store.instances.references(first.instance_id) == 6
    assert [stored.message.digest for stored in office.reopened().messages()] == 6 * [mail.digest]
    office.check()


def test_a_shared_message_goes_with_the_last_folder_that_shows_it():
    office = Office()
    boxes = [office.mailbox(f"user{number}@example.com") for number in range(3)]
    mail = message((b"z" * 50_000,), attachments=(Attachment("plan.doc", (b"a" * 9000,)),))
    shown = [office.deliver(boxes[0], INBOX, mail)]
    for box in boxes[1:]:
        shown.append(office.deliver(box, INBOX, mail, instance_id=shown[0].instance_id))
    for left in (2, 1, 0):
        office.do(office.store.purge, shown[left].place)
        assert len(list(office.reopened().messages())) == left
        office.check()
    assert list(office.database.table("Msg").records()) == []
    assert list(office.database.table("Attachments").records()) == []
    assert list(office.database.table("Msg").long_values.tree.scan()) == []


def test_who_writes_on_a_shared_message_gets_one_of_their_own():
    office = Office()
    ann, bob = (office.mailbox(f"{name}@example.com") for name in ("ann", "bob"))
    mail, edited = message((b"as it was" * 900,)), message((b"as it is" * 800,))
    first = office.deliver(ann, INBOX, mail)
    second = office.deliver(bob, INBOX, mail, instance_id=first.instance_id)
    office.do(office.store.save, second.place, edited)
    found = {stored.mailbox: stored.message.digest for stored in office.reopened().messages()}
    assert found == {ann.name: mail.digest, bob.name: edited.digest}
    office.check()


def test_a_draft_that_is_saved_again_releases_what_it_was():
    office = Office()
    box = office.mailbox("ann@example.com")
    draft = office.deliver(box, DRAFTS, message((b"a" * 3000,)), is_read=True)
    for size in (9000, 100, 60_000):
        office.do(office.store.save, draft.place, message((b"b" * size,), subject=f"{size}"))
        [stored] = office.reopened().messages()
        assert stored.message.body_bytes == size
        office.check()
    assert sum(1 for _ in office.database.table("Msg").long_values.tree.scan()) == 2 * (1 + 8)


def test_what_is_deleted_is_in_the_dumpster_until_it_is_purged_or_had_back():
    office = Office()
    box = office.mailbox("ann@example.com")
    kept, gone = (office.deliver(box, INBOX, message(sent_ns=n)).place for n in (1, 2))
    size = message().size_bytes
    for place, time_ns in ((gone, 100), (kept, 200)):
        office.do(office.store.delete, place, time_ns)
    assert office.store.folder_counters()[box.name, INBOX] == (0, 0, 0, 2, 2 * size)
    assert [stored.is_deleted for stored in office.reopened().messages()] == [True, True]
    assert list(office.store.contents.view(VIEW_RECEIVED, box.folders[INBOX])) == []
    office.do(office.store.undelete, kept)
    assert [e.place for e in office.store.contents.deleted_before(101)] == [gone]
    assert office.store.contents.deleted_before(100) == []
    office.do(office.store.purge, gone)
    [stored] = office.reopened().messages()
    assert (stored.message_id, stored.is_deleted) == (kept.message_id, False)
    office.check()


def test_a_moved_message_keeps_its_id_and_its_mark():
    office = Office()
    box = office.mailbox("ann@example.com")
    office.do(office.store.create_folder, box, "Projects")
    place = office.deliver(box, INBOX, message((b"z" * 9000,))).place
    office.do(office.store.set_read, place, 5)
    place = office.do(office.store.move, place, box.folders["Projects"])
    [stored] = office.reopened().messages()
    assert (stored.message_id, stored.folder) == (place.message_id, "Projects")
    assert stored.is_read
    assert office.store.folder_counters()[box.name, INBOX] == (0, 0, 0, 0, 0)
    office.check()


def test_views_show_a_folder_in_their_order():
    office = Office()
    ann, bob = (office.mailbox(f"{name}@example.com") for name in ("ann", "bob"))
    mails = [
        message(sender=sender, subject=subject, sent_ns=sent_ns)
        for sent_ns, (sender, subject) in enumerate(
            [("cy", "alpha"), ("ann", "Gamma"), ("bob", "beta"), ("ann", "\u00e4rger")]
        )
    ]
    ids = [office.deliver(ann, INBOX, mail).place.message_id for mail in mails]
    office.deliver(bob, INBOX, mails[0])

    def order(view):
        found = office.store.contents.view(view, ann.folders[INBOX])
        return [ids.index(entry.message_id) for entry in found]

    assert order(VIEW_RECEIVED) == [0, 1, 2, 3]
    assert order(VIEW_SENDER) == [1, 3, 2, 0]
    assert order(VIEW_SUBJECT) == [3, 0, 2, 1]
    office.check()


def test_a_body_with_a_missing_chunk_is_damage_and_not_a_shorter_body():
    office = Office()
    office.deliver(office.mailbox("ann@example.com"), INBOX, message((b"z" * 50_000,)))
    tree = office.database.table("Msg").long_values.tree
    transaction = office.begin()
    tree.delete(transaction.context, chunk_key(1, 2 * 8110))
    transaction.commit()
    with pytest.raises(EseError, match=r"-1206.*41890 of 50000 bytes"):
        list(office.reopened().messages())


def test_a_folder_that_shows_what_is_not_there_is_damage():
    office = Office()
    office.deliver(office.mailbox("ann@example.com"), INBOX, message())
    office.do(office.database.table("Msg").delete, 1)
    with pytest.raises(EseError, match=r"-1206.*has no content"):
        list(office.reopened().messages())


def test_ended_transactions_cannot_be_committed_again():
    office = Office()
    transaction = office.begin()
    transaction.commit()
    with pytest.raises(AssertionError, match="has ended"):
        transaction.commit()


def test_who_opens_a_message_sees_it_whole_and_who_views_a_folder_sees_the_newest_first():
    office = Office()
    ann = office.mailbox("ann")
    sent = [
        message(subject=subject, attachments=(Attachment("a.doc", (subject.encode() * 9_000,)),))
        for subject in ("One", "Two", "Three")
    ]
    places = [
        office.deliver(ann, INBOX, item, received_ns=number).place
        for number, item in enumerate(sent)
    ]
    office.do(office.store.delete, places[1], 9)
    assert [office.store.open(place) for place in places] == sent
    newest = office.store.contents.newest(ann.folders[INBOX])
    assert [entry.place for entry in newest] == [places[2], places[0]]
