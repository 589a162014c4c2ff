"""A branch begins with its first write; what the parent holds beyond it stays readable."""

import pytest
from engine_failover import COPY, Copy, Place
from engine_model import EPOCH, contents, create, settle, write

from engine import Image, LayerMap, RecordType
from engine.basics.cursor import Cursor
from engine.basics.errors import SequenceReplayed
from engine.contract import promotions as fo
from engine.failover.branches import (
    Lineage,
    begin_capture,
    common_ancestor,
    lineage_of,
    orphan_tail,
    succeed,
)


def promoted(sequence=None, place=None):
    copy = Copy(place or Place())
    copy.tell(fo.Promote(sequence))
    copy.settle()
    return copy


def capture_at(copy, incarnation=77):
    record = copy.promotion.record
    return begin_capture(copy.branch, epoch=record.epoch, incarnation=incarnation)


def ship(capture, journal, storage):
    if journal.incarnation is None:
        journal.adopt(capture.epoch, capture.incarnation)
    first, last = journal.received.sequence + 1, capture.newest.sequence
    data = b"".join(capture.entry(n).record for n in range(first, last + 1))
    settle(journal, storage, journal.ingest(data))
    capture.acknowledge(journal.durable, 9_000)


@pytest.mark.parametrize("sequence", [None, 1, 3])
def test_nothing_is_written_before_the_first_write_and_epoch_comes_first(sequence):
    copy = promoted(sequence)
    base = copy.promotion.record.base
    capture = capture_at(copy)
    assert capture.newest.sequence == base.sequence
    assert copy.branch.received.sequence == base.sequence
    capture.admit(write("db", 2, b"new"), 8_000)
    ship(capture, copy.branch, copy.branches)
    first = copy.branch.index.row(base.sequence + 1)
    assert first.kind == RecordType.EPOCH
    assert copy.branch.durable == capture.newest
    image = Image(copy.branch, copy.branch.durable.sequence, parent=LayerMap(copy.journal))
    before = contents(Image(copy.journal, base.sequence))["db"]
    assert contents(image)["db"] == before[:2].ljust(2, b"\0") + b"new" + before[5:]


def test_the_orphan_tail_is_listed_and_every_point_of_it_is_read():
    copy = promoted(3)
    tail = orphan_tail(copy.journal, copy.promotion.record.base)
    assert (tail.epoch, tail.first, tail.last) == (EPOCH, 4, 5)
    for sequence in (4, 5):
        assert contents(Image(copy.journal, sequence))
    assert orphan_tail(copy.journal, copy.journal.durable) is None


def test_a_branch_that_begins_elsewhere_than_the_register_says_is_refused():
    copy = promoted(3)
    other = promoted(2)
    capture = capture_at(other)
    capture.admit(write("db", 0, b"new"), 8_000)
    copy.branch.adopt(EPOCH + 1, 77)
    with pytest.raises(SequenceReplayed):
        copy.branch.ingest(capture.entry(3).record)
    assert copy.branch.received.sequence == 3


def test_the_common_ancestor_is_the_base_or_the_earlier_end():
    copy = promoted(3)
    capture = capture_at(copy)
    capture.admit(create("other"), 8_000)
    ship(capture, copy.branch, copy.branches)
    parent, branch = lineage_of([copy.journal]), lineage_of([copy.journal, copy.branch])
    assert common_ancestor(parent, branch) == copy.promotion.record.base
    assert common_ancestor(branch, parent) == copy.promotion.record.base
    assert common_ancestor(branch, branch) == copy.branch.durable
    behind = Lineage((Cursor(EPOCH, 2, 0),))
    assert common_ancestor(behind, branch).sequence == 2
    assert common_ancestor(Lineage((Cursor(EPOCH + 9, 2, 0),)), branch) is None


def test_a_copy_whose_branch_was_never_written_to_is_promoted_where_the_branch_began():
    place = Place()
    copy = promoted(place=place)
    base = copy.promotion.record.base
    again = Copy(place, storage=copy.branches, holder=COPY)
    again.tell(fo.Promote())
    again.settle()
    assert again.promotion.record.base == base
    assert again.promotion.record.epoch == EPOCH + 2
    capture = capture_at(again)
    capture.admit(write("db", 0, b"new"), 8_000)
    ship(capture, again.branch, again.branches)
    assert again.branch.durable.sequence == base.sequence + 2


def test_an_old_source_goes_on_in_the_epoch_that_was_given_back_to_it():
    copy = promoted()
    capture = capture_at(copy)
    capture.admit(write("db", 0, b"one"), 8_000)
    ship(capture, copy.branch, copy.branches)
    after = succeed(capture, epoch=EPOCH + 4, incarnation=5)
    after.admit(write("db", 0, b"two"), 9_000)
    assert after.newest.sequence == capture.newest.sequence + 2
    assert after.oldest_sequence == capture.newest.sequence + 1


def test_a_capture_that_has_not_shipped_all_cannot_go_on_in_a_new_epoch():
    copy = promoted()
    capture = capture_at(copy)
    capture.admit(write("db", 0, b"one"), 8_000)
    with pytest.raises(AssertionError, match="orphan tail"):
        succeed(capture, epoch=EPOCH + 4, incarnation=5)
