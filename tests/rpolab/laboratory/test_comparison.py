"""The comparison finds what is lost, damaged, misplaced, made up, or miscounted."""

from dataclasses import replace

import pytest

from emulators.ese.errors import EseError
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.soft_recovery import soft_recover
from emulators.exchange.changes import Change, ChangeKind
from emulators.exchange.message import Message
from emulators.exchange.store import Store, StoredMessage
from rpolab.laboratory import opening
from rpolab.laboratory.comparison import compare
from rpolab.laboratory.ledger import Ledger
from sim.trace import Trace


@pytest.fixture(scope="module")
def recovered(make_small):
    """A run, and the store that was recovered from its newest point."""
    from rpolab.laboratory.experiment import Experiment

    experiment = Experiment(make_small(drills={"at": ["10:01"]}))
    experiment.run()
    cdp = experiment.protections["cdp"]
    files = cdp.copy.image(cdp.copy.newest("any")).groups["SG1"]
    soft_recover(files, "E00", ["MDB1.edb"], now_ns=experiment.laboratory.group.wall_ns())
    return experiment, Store(open_database(files, "MDB1.edb"))


def altered(experiment, message_id, **changes):
    """The ledger as if something else had been sent."""
    ledger = Ledger(experiment.kernel, experiment.laboratory.trace)
    ledger._histories = {
        other: [replace(entry, **changes) if other == message_id else entry for entry in history]
        for other, history in experiment.ledger._histories.items()
    }
    ledger._acknowledged = sorted(
        (
            entry
            for history in ledger._histories.values()
            for entry in history
            if entry.acknowledged_ns is not None
        ),
        key=lambda entry: entry.acknowledged_ns,
    )
    return ledger


def first_id(store):
    return min(stored.message_id for stored in store.messages())


def test_everything_that_was_sent_is_kept(recovered):
    experiment, store = recovered
    found = compare(store, experiment.ledger, experiment.kernel.now_ns, experiment.kernel.now_ns)
    assert found.kept == experiment.ledger.acknowledged_count
    assert not found.lost
    assert not found.damaged
    assert (found.phantom, found.extra) == (0, 0)
    assert found.found == found.kept


@pytest.mark.parametrize(
    "changes", [{"digest": bytes(16)}, {"mailbox": "nobody@corp.example"}, {"folder": "Outbox"}]
)
def test_other_content_or_another_place_is_damage(recovered, changes):
    experiment, store = recovered
    message_id = first_id(store)
    found = compare(
        store,
        altered(experiment, message_id, **changes),
        experiment.kernel.now_ns,
        experiment.kernel.now_ns,
    )
    assert [entry.message_id for entry in found.damaged] == [message_id]
    assert not found.lost, "what is damaged is not counted as lost as well"


def test_a_message_that_nobody_sent_is_a_phantom(recovered):
    experiment, store = recovered
    message_id = first_id(store)
    ledger = altered(experiment, message_id)
    del ledger._histories[message_id]
    ledger._acknowledged = [e for e in ledger._acknowledged if e.message_id != message_id]
    assert compare(store, ledger, experiment.kernel.now_ns, experiment.kernel.now_ns).phantom == 1


def test_a_message_that_is_not_there_is_lost_and_named(recovered):
    experiment, store = recovered
    message_id = first_id(store)
    ledger = altered(experiment, message_id)
    missing = replace(ledger.history(message_id)[0], message_id=10**6, subject="Missing")
    ledger._histories[10**6] = [missing]
    ledger._acknowledged.insert(0, missing)
    found = compare(store, ledger, experiment.kernel.now_ns, experiment.kernel.now_ns)
    assert [entry.subject for entry in found.lost] == ["Missing"]
    assert found.lost_bytes == missing.size_bytes


def test_mail_that_was_acknowledged_later_is_extra_not_kept(recovered):
    experiment, store = recovered
    half_ns = experiment.kernel.now_ns // 2
    found = compare(store, experiment.ledger, half_ns, experiment.kernel.now_ns)
    assert found.extra > 0
    acknowledged = {entry.message_id for entry in experiment.ledger.acknowledged_by(half_ns)}
    assert found.kept == len(acknowledged)


def test_a_folder_whose_count_is_wrong_is_not_called_recovered(recovered, monkeypatch):
    experiment, store = recovered
    counters = store.folder_counters()
    folder = next(iter(counters))
    wrong = counters[folder]._replace(unread=counters[folder].unread + 1)
    monkeypatch.setattr(Store, "folder_counters", lambda _: counters | {folder: wrong})
    found = compare(store, experiment.ledger, experiment.kernel.now_ns, experiment.kernel.now_ns)
    assert found.miscounted == ("/".join(folder),)
    cdp = experiment.protections["cdp"]
    with pytest.raises(EseError, match="holds other than it states"):
        opening.open_image(
            cdp.copy.image(cdp.copy.newest("any")).groups["SG1"],
            prefix="E00",
            ledgers={"MDB1.edb": experiment.ledger},
            time_ns=experiment.kernel.now_ns,
            point_ns=experiment.kernel.now_ns,
            wall_ns=experiment.laboratory.group.wall_ns(),
        )


def test_a_flipped_bit_in_any_page_is_refused_by_page(recovered):
    experiment, _ = recovered
    cdp = experiment.protections["cdp"]
    files = cdp.copy.image(cdp.copy.newest("any")).groups["SG1"]
    offset = 5 * 8192 + 4000
    byte = files.read("MDB1.edb", offset, 1)[0]
    files.write("MDB1.edb", offset, bytes([byte ^ 4]))
    with pytest.raises(EseError, match="page 4 has a bad checksum"):
        opening.verify_database(files, "MDB1.edb")


# --- changes of mail --------------------------------------------------------------------------


class Books:
    """A ledger whose clock is set by hand, and a store with what it may be compared with."""

    def __init__(self):
        self.now_ns = 0
        self.ledger = Ledger(self, Trace(lambda: self.now_ns))
        self.message = Message("a@x", ("b@x",), "Subject", (b"text",), "<1>", 5)
        self.found = []

    def change(self, kind, folder="Inbox", *, acknowledged=True, **fields):
        self.now_ns += 10
        message = None if kind is ChangeKind.PURGED else fields.pop("message", self.message)
        change = Change(kind, 1, "b@x", folder, message, **fields)
        self.ledger.submitted(change)
        if acknowledged:
            self.ledger.acknowledged(change)

    def find(self, folder="Inbox", *, is_read=False, is_deleted=False, message=None):
        mail = message or self.message
        self.found = [StoredMessage(1, "b@x", folder, mail, is_read, is_deleted)]
        return self

    def messages(self):
        return self.found

    def folder_counters(self):
        return {}

    def compare(self, time_ns=10**6, point_ns=10**6):
        return compare(self, self.ledger, time_ns, point_ns)


@pytest.fixture
def books():
    books = Books()
    books.change(ChangeKind.CREATED)
    return books


def test_a_moved_message_is_kept_in_its_new_folder_and_reverted_in_its_old_one(books):
    books.change(ChangeKind.MOVED, "Projects")
    assert books.find("Projects").compare().kept == 1
    back = books.find("Inbox").compare()
    assert [entry.acknowledged_ns for entry in back.reverted] == [20]
    assert (back.kept, back.lost, back.damaged, back.phantom) == (0, (), (), 0)
    assert [e.folder for e in books.find("Drafts").compare().damaged] == ["Projects"]


def test_what_was_acknowledged_as_purged_is_reverted_when_it_comes_back_and_no_phantom(books):
    books.change(ChangeKind.DELETED, is_deleted=True)
    books.change(ChangeKind.PURGED)
    back = books.find(is_deleted=True).compare()
    assert [entry.kind for entry in back.reverted] == [ChangeKind.PURGED]
    assert back.phantom == 0
    earlier = books.find().compare()
    assert [entry.kind for entry in earlier.reverted] == [ChangeKind.DELETED]
    books.found = []
    assert books.compare().lost == ()


def test_a_change_that_was_never_acknowledged_may_be_there_or_not(books):
    books.change(ChangeKind.READ, is_read=True, acknowledged=False)
    books.change(ChangeKind.PURGED, acknowledged=False)
    for is_read in (False, True):
        assert books.find(is_read=is_read).compare().kept == 1
    books.found = []
    assert books.compare().lost == ()


def test_a_purge_excuses_a_missing_message_only_from_when_it_was_submitted(books):
    books.change(ChangeKind.DELETED, is_deleted=True)
    books.change(ChangeKind.PURGED, acknowledged=False)
    books.found = []
    assert books.compare(point_ns=30).lost == ()
    before = books.compare(point_ns=29)
    assert [entry.kind for entry in before.lost] == [ChangeKind.CREATED]
    assert before.reverted == ()


def test_a_message_that_is_gone_without_having_been_purged_is_lost_once(books):
    books.change(ChangeKind.READ, is_read=True)
    books.found = []
    lost = books.compare()
    assert [entry.kind for entry in lost.lost] == [ChangeKind.CREATED]
    assert lost.reverted == ()


def test_changes_after_the_time_asked_for_are_welcome_and_not_asked_for(books):
    books.change(ChangeKind.SAVED, message=replace(books.message, subject="Later"))
    later = replace(books.message, subject="Later")
    assert books.find(message=later).compare(15).kept == 1
    assert books.find().compare(15).kept == 1
    assert len(books.find().compare(20).reverted) == 1
    assert books.find(message=later).compare(5).extra == 1


def test_a_message_that_was_as_it_is_both_before_and_after_counts_as_after(books):
    books.change(ChangeKind.READ, is_read=True)
    books.change(ChangeKind.READ, is_read=False)
    assert books.find().compare().kept == 1
    assert len(books.find(is_read=True).compare().reverted) == 1
