"""There and back again: a promotion, orphans, failback, and a switch that loses nothing."""

import pytest
from engine_failover import COPY, SOURCE, Copy, Place
from engine_harness import SMALL, Pair
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    Reference,
    contents,
    create,
    write,
)
from layer_model import Volume

from engine import Capture, Image, LayerMap, SourceSession, VirtualImage, events
from engine.basics.errors import EpochFenced
from engine.basics.register import Grant
from engine.contract import promotions as fo
from engine.contract import volumes
from engine.failover.authority import Witness
from engine.failover.branches import begin_capture
from engine.failover.failback import Failback
from engine.failover.states import PromotionState
from engine.formats.promotion_state import PROMOTION_FILE
from engine.formats.register import decode_register, encode_register


class PairOnBranch(Pair):
    """A pair whose target lies where a branch was begun."""

    def __init__(self, capture, storage, volume):
        self._place = storage
        super().__init__(capture, volume=volume)

    def start_target(self):
        self.storage = self._place
        super().start_target()


def replicating():
    """A source and its copy, five writes shipped."""
    pair = Pair(Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION))
    pair.show(create("db"))
    for number in range(5):
        pair.show(write("db", number * 9, b"shipped"))
    pair.converge()
    return pair


def copy_of(pair, **kwargs):
    """The copy of a pair, with a promotion over the journal that its target session writes."""
    copy = Copy(Place(), storage=pair.storage, **kwargs)
    copy.journal = copy.promotion.journal = pair.journal
    return copy


def fence(pair, copy):
    pair.tell_target(events.Fenced(copy.fenced_by))


def read_files(journal, sequence, parent=None):
    return contents(Image(journal, sequence, parent=parent))


def test_a_test_failover_leaves_replication_alone_and_no_trace():
    pair = replicating()
    copy = copy_of(pair)
    copy.tell(fo.BeginTest())
    image = Image(pair.journal, pair.journal.durable.sequence)
    scratch = MemoryStorage()
    virtual = VirtualImage(image, scratch, "overlay")
    for action in (*virtual.begin(), *virtual.write("db", 0, (b"only a test",))):
        scratch.carry_out(action)
    pair.show(write("db", 0, b"meanwhile"))
    pair.converge()
    assert virtual.read("db", 0, 11) == b"only a test"
    assert read_files(pair.journal, pair.journal.durable.sequence) == {
        name: bytes(content) for name, content in pair.volume.files.items()
    }
    for action in virtual.drop():
        scratch.carry_out(action)
    copy.tell(fo.EndTest())
    assert not scratch.files
    assert copy.place.register.newest.holder == SOURCE


def test_a_planned_switch_with_writes_under_way_loses_none_of_them():
    pair = replicating()
    copy = copy_of(pair)
    for number in range(7):
        pair.show(write("db", number, b"under way"))
    copy.quiesced_at = lambda: pair.capture.newest
    copy.tell(fo.SwitchOver())
    copy.settle()
    assert copy.state is PromotionState.DRAINING
    pair.converge()
    copy.tell(fo.JournalMoved())
    copy.settle()
    assert copy.state is PromotionState.PROMOTED
    assert copy.promotion.record.base == pair.capture.newest
    assert read_files(copy.journal, copy.promotion.record.base.sequence) == {
        name: bytes(content) for name, content in pair.volume.files.items()
    }


def test_a_journal_whose_branch_was_promoted_refuses_its_source_without_being_told():
    pair = replicating()
    copy = copy_of(pair)
    copy.tell(fo.Promote())
    copy.settle()
    assert copy.state is PromotionState.PROMOTED
    pair.target.fenced_by = None  # the driver forgets it, and starts the target anew
    pair.crash_target(lambda: "cut")
    assert pair.target.fenced_by is None
    durable = pair.journal.received
    pair.show(write("db", 0, b"by the old primary"))
    pair.run(lambda pair: pair.source.fatal_error is not None)
    assert isinstance(pair.source.fatal_error, EpochFenced)
    assert pair.journal.received == durable


@pytest.mark.parametrize("at", [0, 20, 55])
def test_where_the_record_of_a_promotion_is_damaged_nobody_writes(at):
    pair = replicating()
    copy = copy_of(pair)
    copy.tell(fo.Promote())
    copy.settle()
    pair.storage.files[PROMOTION_FILE][at] ^= 1
    pair.crash_target(lambda: "cut")
    pair.disconnect()
    durable = pair.journal.received
    pair.show(write("db", 0, b"by the old primary"))
    pair.run(lambda pair: pair.source.fatal_error is not None)
    assert "nobody knows who writes" in pair.source.fatal_error.message
    assert pair.journal.received == durable


def failed_over():
    pair = replicating()
    pair.disconnect()
    for number in range(4):
        pair.show(write("db", 100 + number * 9, b"not shipped"))
    copy = copy_of(pair)
    copy.tell(fo.Promote())
    copy.settle()
    fence(pair, copy)
    return pair, copy


def test_the_whole_way_there_and_back_loses_nothing_that_can_be_had():
    pair, copy = failed_over()
    base = copy.promotion.record.base
    pair.run(lambda pair: pair.source.fatal_error is not None)
    assert isinstance(pair.source.fatal_error, EpochFenced)
    assert pair.journal.durable == base

    # The new primary writes, its branch begins.
    capture = begin_capture(copy.branch, epoch=EPOCH + 1, incarnation=9)
    volume = Reference()
    volume.files = {n: bytearray(c) for n, c in read_files(copy.journal, base.sequence).items()}
    new = PairOnBranch(capture, copy.branches, volume)
    new.show(write("db", 3, b"by the new primary"))
    new.converge()

    # The old primary returns: what it had not shipped is saved and can be read.
    pair.capture.abandon()
    pair.source = SourceSession(pair.capture, SMALL, is_orphan=True)
    pair.source_actions.clear()
    pair.tell_source(events.Started())
    pair.converge()
    old_files = {name: bytes(content) for name, content in pair.volume.files.items()}
    assert read_files(pair.journal, pair.journal.durable.sequence) == old_files

    # Its files become those of the new primary.
    parent = LayerMap(pair.journal)
    failback, files = Failback(MemoryStorage(), parent, base), Volume(old_files)
    failback.orphans_saved(pair.capture.newest)
    failback.begin_round(LayerMap(new.journal, parent), new.journal.durable.sequence)
    while given := failback.step():
        for action in given:
            if isinstance(action, volumes.FlushVolume):
                failback.flushed()
            else:
                files.carry_out(action)
    assert files.files == new.volume.files

    # A planned switch gives the group back to the old site, in a third epoch.
    back = Copy(copy.place, storage=copy.branches, holder=SOURCE)
    back.tell(fo.SwitchOver())
    back.settle()
    assert back.promotion.record.epoch == EPOCH + 2
    assert back.promotion.record.base == new.capture.newest
    assert [grant.holder for grant in back.place.register.grants][-3:] == [SOURCE, COPY, SOURCE]


@pytest.mark.parametrize("what", ["shorter", "another group", "two more", "garbage"])
def test_the_witness_takes_nothing_but_one_grant_more(what):
    place = Place()
    before = place.register
    more = before.granting(Grant(EPOCH + 1, COPY, 1))
    new = {
        "shorter": before._replace(grants=before.grants[:-1]),
        "another group": more._replace(group=GROUP + 1),
        "two more": more.granting(Grant(EPOCH + 2, COPY, 1)),
    }
    data = b"garbage" if what == "garbage" else encode_register(new[what])
    asked = fo.SwapRegister(1, encode_register(before), data, COPY, is_automatic=False)
    given, answer = Witness(place.storage, group=GROUP, now_ns=0).swap(asked, 0)
    assert not given
    assert not answer.is_swapped
    assert answer.refusal
    assert decode_register(answer.current, GROUP) == before
