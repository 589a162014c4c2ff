"""A copy is promoted by the one authority alone, and every refusal leaves the source in peace."""

import pytest
from engine_failover import COPY, QUICK, SISTER, SOURCE, WRITES, Copy, Place, journal_with
from engine_model import EPOCH, MemoryStorage

from engine import RecordType
from engine.basics.errors import (
    AuthorityDamaged,
    AuthorityUnreachable,
    CopyInGap,
    CopyOutdated,
    DrainTimedOut,
    EpochTaken,
    JournalDamaged,
    LocalProtocolError,
    PointRefused,
)
from engine.basics.register import Grant
from engine.contract import promotions as fo
from engine.failover.authority import REGISTER_FILE
from engine.failover.states import PromotionState
from engine.formats.promotion_state import PROMOTION_FILE

GAP = (*WRITES, RecordType.GAP_OPEN, RecordType.WRITE)


def promoted(place=None, **kwargs):
    copy = Copy(place or Place(), **kwargs)
    copy.tell(fo.Promote())
    copy.settle()
    assert copy.state is PromotionState.PROMOTED
    return copy


def test_a_promoted_copy_writes_in_the_epoch_that_was_granted_to_it():
    copy = promoted()
    assert copy.place.register.newest == Grant(EPOCH + 1, COPY, COPY * 1_000 + 1)
    assert copy.promotion.record.base == copy.journal.durable
    assert copy.fenced_by == copy.writes_in == copy.promotion.fenced_by == EPOCH + 1
    (notice,) = copy.told(fo.Promoted)
    assert notice == fo.Promoted(EPOCH + 1, copy.journal.durable, copy.now_ns + 50_000)


def test_a_promotion_at_an_older_point_leaves_the_rest_as_an_orphan_tail():
    copy = Copy(Place())
    copy.tell(fo.Promote(3))
    copy.settle()
    assert copy.promotion.record.base.sequence == 3
    assert copy.journal.durable.sequence == 5


def test_without_an_authority_nobody_is_promoted_and_the_source_goes_on():
    place = Place()
    place.is_reachable = False
    copy = Copy(place)
    copy.tell(fo.Promote())
    copy.run()
    assert copy.state is PromotionState.STANDBY
    assert copy.errors() == [AuthorityUnreachable]
    assert copy.told(fo.AuthoritySilent)
    assert not copy.is_held
    assert copy.fenced_by is None
    assert not copy.storage.exists(PROMOTION_FILE)


def test_an_authority_that_vanishes_after_the_question_is_asked_again():
    place = Place()
    copy = Copy(place)
    copy.tell(fo.Promote())
    copy.run(lambda copy: copy.state is PromotionState.ASKING)
    place.is_reachable = False
    copy.run(lambda copy: copy.told(fo.AuthoritySilent))
    place.is_reachable = True
    copy.run(lambda copy: copy.state is PromotionState.PROMOTED)


def test_an_epoch_whose_answers_were_all_lost_is_taken_up_later():
    place = Place()
    copy = Copy(place)
    copy.tell(fo.Promote())
    copy.run(lambda copy: copy.state is PromotionState.ASKING)
    place.answers_to_lose = 1_000
    copy.run()
    assert copy.errors() == [AuthorityUnreachable]
    assert place.register.newest.holder == COPY
    assert not copy.is_held
    place.answers_to_lose = 0
    copy.tell(fo.Promote())
    copy.settle()
    assert copy.state is PromotionState.PROMOTED
    assert copy.promotion.record.epoch == EPOCH + 2


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_answer_is_found_in_the_register(lost):
    place = Place()
    copy = Copy(place)
    copy.tell(fo.Promote())
    copy.run(lambda copy: copy.state is PromotionState.ASKING)
    place.answers_to_lose = lost
    copy.run(lambda copy: copy.state is PromotionState.PROMOTED)
    assert len(place.register.grants) == EPOCH + 1


def test_of_two_copies_that_ask_at_the_same_time_one_gets_the_epoch():
    place = Place()
    one, other = Copy(place), Copy(place, holder=SISTER)
    for copy in (one, other):
        copy.tell(fo.Promote())
        copy.run(lambda copy: copy.state is PromotionState.ASKING)
    other.settle()
    one.settle()
    assert (one.state, other.state) == (PromotionState.STANDBY, PromotionState.PROMOTED)
    assert one.errors() == [EpochTaken]
    assert not one.is_held
    one.tell(fo.Promote())
    one.settle()
    assert one.errors() == [EpochTaken, CopyOutdated]
    one.tell(fo.Promote(is_forced=True))
    one.settle()
    assert one.promotion.record.epoch == EPOCH + 2


def test_a_copy_whose_end_lies_in_a_gap_is_promoted_only_at_a_point_before_it():
    copy = Copy(Place(), GAP)
    copy.tell(fo.Promote())
    assert copy.errors() == []
    copy.settle()
    assert copy.errors() == [CopyInGap]
    for sequence, error in ((6, PointRefused), (7, PointRefused), (8, PointRefused)):
        copy.notices.clear()
        copy.tell(fo.Promote(sequence))
        copy.settle()
        assert copy.errors() == [error]
    copy.tell(fo.Promote(5))
    copy.settle()
    assert copy.promotion.record.base.sequence == 5


def test_an_empty_copy_cannot_be_promoted():
    storage = MemoryStorage()
    copy = Copy(Place(), storage=storage)
    copy.tell(fo.Promote())
    copy.settle()
    assert copy.errors() == [PointRefused]


def test_a_register_that_is_damaged_grants_nothing():
    place = Place()
    place.storage.replace(REGISTER_FILE, b"garbage" * 9)
    place.start(0)
    copy = Copy(place)
    copy.actions += copy.promotion.handle(fo.Promote(), copy.now_ns)
    while copy.actions or copy.answers:
        if copy.actions:
            copy._carry_out(copy.actions.popleft())
        else:
            copy.actions += copy.promotion.handle(copy.answers.popleft(), copy.now_ns)
    assert copy.errors() == [AuthorityDamaged]


def test_a_record_that_is_damaged_lets_nobody_write():
    copy = promoted()
    copy.storage.files[PROMOTION_FILE][20] ^= 1
    with pytest.raises(JournalDamaged):
        copy.start()


# --- a planned switch -----------------------------------------------------------------------------


def test_a_planned_switch_waits_for_the_last_record_and_loses_nothing():
    copy = Copy(Place())
    last = copy.journal.durable
    copy.tell(fo.SwitchOver())
    copy.settle()
    assert copy.is_quiesced
    assert copy.state is PromotionState.PROMOTED
    assert copy.promotion.record.base == last


def test_a_planned_switch_whose_last_records_never_come_lets_the_source_go_on():
    copy = Copy(Place())
    newest = copy.journal.durable
    copy.quiesced_at = lambda: newest._replace(sequence=newest.sequence + 3)
    copy.tell(fo.SwitchOver())
    copy.settle()
    assert copy.state is PromotionState.DRAINING
    copy.run()
    assert copy.errors() == [DrainTimedOut]
    assert not copy.is_quiesced
    assert copy.state is PromotionState.STANDBY


def test_a_planned_switch_without_an_authority_lets_the_source_go_on():
    place = Place()
    place.is_reachable = False
    copy = Copy(place)
    copy.tell(fo.SwitchOver())
    copy.run()
    assert copy.errors() == [AuthorityUnreachable]
    assert not copy.is_quiesced
    assert not copy.is_held


# --- commit and rollback --------------------------------------------------------------------------


def test_the_operator_commits_and_nothing_leads_back():
    copy = promoted()
    copy.tell(fo.Commit())
    copy.run()
    assert copy.state is PromotionState.COMMITTED
    assert copy.told(fo.PromotionCommitted) == [fo.PromotionCommitted(EPOCH + 1, "operator")]
    with pytest.raises(LocalProtocolError):
        copy.promotion.handle(fo.RollBack(), copy.now_ns)
    copy.start()
    copy.settle()
    assert copy.writes_in == EPOCH + 1


@pytest.mark.parametrize(
    ("wanted", "end"),
    [("commit", PromotionState.COMMITTED), ("roll_back", PromotionState.ROLLED_BACK)],
)
def test_the_time_limit_decides_when_nobody_does(wanted, end):
    settings = type(QUICK)(commit_timeout_ns=50_000, at_commit_timeout=wanted)
    copy = promoted(settings=settings)
    copy.run()
    assert copy.state is end
    told = copy.told(fo.PromotionCommitted) + copy.told(fo.PromotionRolledBack)
    assert [notice.by for notice in told] == ["time limit"]
    assert copy.now_ns >= 50_000


def test_a_rollback_gives_the_group_back_in_a_new_epoch():
    copy = promoted()
    copy.tell(fo.RollBack())
    copy.settle()
    assert copy.state is PromotionState.ROLLED_BACK
    assert copy.writes_in is None
    assert copy.place.register.newest.holder == SOURCE
    assert copy.place.register.epoch == copy.fenced_by == EPOCH + 2
    assert copy.told(fo.PromotionRolledBack) == [
        fo.PromotionRolledBack(EPOCH + 2, SOURCE, "operator")
    ]


def test_a_rollback_waits_for_the_authority_with_its_writers_stopped():
    copy = promoted()
    copy.place.is_reachable = False
    copy.tell(fo.RollBack())
    copy.run(lambda copy: len(copy.told(fo.AuthoritySilent)) == 30)
    assert copy.state is PromotionState.ROLLING_BACK
    assert copy.writes_in is None
    copy.place.is_reachable = True
    copy.run()
    assert copy.state is PromotionState.ROLLED_BACK


def test_a_rollback_after_another_copy_was_promoted_gives_nothing_back():
    copy = promoted()
    sister = Copy(copy.place, holder=SISTER)
    sister.tell(fo.Promote(is_forced=True))
    sister.settle()
    copy.tell(fo.RollBack())
    copy.settle()
    assert copy.told(fo.PromotionRolledBack)[0].holder is None
    assert copy.place.register.newest.holder == SISTER
    assert copy.fenced_by == EPOCH + 2


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_primary_that_was_superseded_lets_no_writer_in_again(is_committed, is_restarted):
    copy = promoted()
    if is_committed:
        copy.tell(fo.Commit())
    copy.settle()
    sister = Copy(copy.place, holder=SISTER)
    sister.tell(fo.Promote(is_forced=True))
    sister.settle()
    if is_restarted:
        copy.start()
    else:
        copy.actions += copy.promotion.handle(fo.Confirm(), copy.now_ns)
    copy.settle()
    assert copy.writes_in is None
    assert copy.state is PromotionState.SUPERSEDED
    assert copy.fenced_by == EPOCH + 2
    assert copy.told(fo.Superseded) == [fo.Superseded(EPOCH + 1, EPOCH + 2, SISTER)]


def test_a_primary_that_restarts_waits_for_the_authority_before_it_writes():
    copy = promoted()
    copy.place.is_reachable = False
    copy.start()
    copy.run(lambda copy: copy.told(fo.AuthoritySilent))
    assert copy.writes_in is None
    copy.place.is_reachable = True
    copy.run(lambda copy: copy.writes_in == EPOCH + 1)


# --- tests ----------------------------------------------------------------------------------------


def test_a_test_asks_nobody_and_disturbs_nothing():
    copy = Copy(Place())
    copy.tell(fo.BeginTest(3))
    assert not copy.actions
    assert copy.state is PromotionState.TESTING
    assert copy.fenced_by is None
    copy.tell(fo.EndTest())
    assert copy.state is PromotionState.STANDBY


def test_a_real_failover_ends_a_test():
    copy = Copy(Place())
    copy.tell(fo.BeginTest())
    copy.tell(fo.Promote())
    copy.settle()
    assert copy.state is PromotionState.PROMOTED


def test_a_test_at_no_point_is_refused():
    copy = Copy(Place(), GAP)
    copy.tell(fo.BeginTest())
    copy.settle()
    assert copy.errors() == [CopyInGap]
    assert copy.state is PromotionState.STANDBY


# --- misuse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [fo.Commit(), fo.RollBack(), fo.EndTest()])
def test_what_standby_does_not_know_is_the_drivers_mistake(event):
    copy = Copy(Place())
    with pytest.raises(LocalProtocolError):
        copy.promotion.handle(event, copy.now_ns)
    assert copy.state is PromotionState.STANDBY


def test_answers_that_nobody_waits_for_change_nothing():
    copy = Copy(Place())
    register = copy.place.storage.read(REGISTER_FILE, 0, 1_000)
    for token in range(3):
        copy.tell(fo.RegisterIs(token, is_swapped=True, current=register))
        copy.tell(fo.RegisterUnreachable(token, "late"))
    assert copy.state is PromotionState.STANDBY
    assert not copy.actions


def test_a_journal_of_a_crashed_host_is_where_it_was():
    storage = MemoryStorage()
    journal = journal_with(storage, *WRITES)
    copy = promoted(storage=storage)
    assert copy.promotion.record.base == journal.durable
