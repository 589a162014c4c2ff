"""The comparison finds what is lost, damaged, misplaced, made up, or miscounted."""

from dataclasses import replace

import pytest

from emulators.ese.errors import EseError
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.soft_recovery import soft_recover
from emulators.exchange.store import Store
from rpolab import opening
from rpolab.comparison import compare
from rpolab.ledger import Ledger


@pytest.fixture(scope="module")
def recovered(make_small):
    """A run, and the store that was recovered from its newest point."""
    from rpolab.experiment import Experiment

    experiment = Experiment(make_small(drills={"at": ["10:01"]}))
    experiment.run()
    cdp = experiment.protections["cdp"]
    files = cdp.image(cdp.newest("any")).files
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
    found = compare(store, experiment.ledger, experiment.kernel.now_ns)
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
    found = compare(store, altered(experiment, message_id, **changes), experiment.kernel.now_ns)
    assert [entry.message_id for entry in found.damaged] == [message_id]
    assert not found.lost, "what is damaged is not counted as lost as well"


def test_a_message_that_nobody_sent_is_a_phantom(recovered):
    experiment, store = recovered
    message_id = first_id(store)
    ledger = altered(experiment, message_id)
    del ledger._histories[message_id]
    ledger._acknowledged = [e for e in ledger._acknowledged if e.message_id != message_id]
    assert compare(store, ledger, experiment.kernel.now_ns).phantom == 1


def test_a_message_that_is_not_there_is_lost_and_named(recovered):
    experiment, store = recovered
    message_id = first_id(store)
    ledger = altered(experiment, message_id)
    missing = replace(ledger.history(message_id)[0], message_id=10**6, subject="Missing")
    ledger._histories[10**6] = [missing]
    ledger._acknowledged.insert(0, missing)
    found = compare(store, ledger, experiment.kernel.now_ns)
    assert [entry.subject for entry in found.lost] == ["Missing"]
    assert found.lost_bytes == missing.size_bytes


def test_mail_that_was_acknowledged_later_is_extra_not_kept(recovered):
    experiment, store = recovered
    half_ns = experiment.kernel.now_ns // 2
    found = compare(store, experiment.ledger, half_ns)
    assert found.extra > 0
    assert found.kept == sum(1 for _ in experiment.ledger.acknowledged_by(half_ns))


def test_a_folder_whose_count_is_wrong_is_not_called_recovered(recovered, monkeypatch):
    experiment, store = recovered
    counters = store.folder_counters()
    folder = next(iter(counters))
    wrong = counters[folder]._replace(unread=counters[folder].unread + 1)
    monkeypatch.setattr(Store, "folder_counters", lambda _: counters | {folder: wrong})
    found = compare(store, experiment.ledger, experiment.kernel.now_ns)
    assert found.miscounted == ("/".join(folder),)
    cdp = experiment.protections["cdp"]
    with pytest.raises(EseError, match="holds other than it states"):
        opening.open_image(
            cdp.image(cdp.newest("any")).files,
            prefix="E00",
            database="MDB1.edb",
            ledger=experiment.ledger,
            time_ns=experiment.kernel.now_ns,
            wall_ns=experiment.laboratory.group.wall_ns(),
        )


def test_a_flipped_bit_in_any_page_is_refused_by_page(recovered):
    experiment, _ = recovered
    cdp = experiment.protections["cdp"]
    files = cdp.image(cdp.newest("any")).files
    offset = 5 * 8192 + 4000
    byte = files.read("MDB1.edb", offset, 1)[0]
    files.write("MDB1.edb", offset, bytes([byte ^ 4]))
    with pytest.raises(EseError, match="page 4 has a bad checksum"):
        opening.verify_database(files, "MDB1.edb")
