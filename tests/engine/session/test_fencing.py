"""A superseded epoch: fenced at both ends, and what it had not shipped can still be read."""

import pytest
from engine_frames import (
    ack_of,
    batch,
    capture_of,
    cursor,
    hello_of,
    only_failure,
    sent_frames,
    welcome_at,
)
from engine_harness import SMALL, Pair
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    check_images,
    create,
    opened,
    write,
)

from engine import Capture, SourceSession, SourceState, TargetSession, TargetState, actions, events
from engine.basics.cursor import Cursor
from engine.basics.errors import (
    EpochFenced,
    FrameUnexpected,
    LocalProtocolError,
    ResyncRequired,
)
from engine.formats.wire import HelloFlag, PeerError

PROMOTED = EPOCH + 1


def failed_over(count=4):
    """A pair that was failed over with `count` writes captured after the last that arrived."""
    pair = Pair(Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION))
    pair.show(create("db/a"))
    for number in range(5):
        pair.show(write("db/a", number, b"shipped"))
    pair.converge()
    pair.disconnect()
    for number in range(count):
        pair.show(write("db/a", number, b"not shipped"))
    pair.tell_target(events.Fenced(PROMOTED))
    pair.run(lambda pair: pair.source.fatal_error is not None)
    return pair


def bring_orphans(pair):
    """Start the session that brings what the old primary had not shipped."""
    pair.capture.abandon()
    pair.source = SourceSession(pair.capture, SMALL, is_orphan=True)
    pair.source_actions.clear()
    pair.tell_source(events.Started())


def test_a_fenced_target_ends_the_conversation_and_the_source_halts():
    pair = Pair(capture_of())
    pair.converge()
    before = pair.journal.received
    pair.tell_target(events.Fenced(PROMOTED))
    pair.show(write("db/a", 0, b"late"))
    pair.run(lambda pair: pair.source.fatal_error is not None)
    assert isinstance(pair.source.fatal_error, EpochFenced)
    assert pair.source.state is SourceState.HALTED
    assert pair.target.state is TargetState.LISTENING
    assert pair.journal.received == before
    assert pair.capture.acknowledged == before


def test_a_source_that_comes_back_after_the_failover_is_refused_by_name():
    pair = failed_over()
    assert isinstance(pair.source.fatal_error, EpochFenced)
    assert f"epoch {PROMOTED}" in pair.source.fatal_error.message
    assert "fail back" in pair.source.fatal_error.hint
    assert pair.journal.received.sequence == 6


def test_what_the_old_primary_had_not_shipped_comes_to_the_orphan_tail():
    pair = failed_over()
    base = pair.journal.received
    bring_orphans(pair)
    pair.converge()
    assert pair.journal.durable.sequence == base.sequence + 4
    assert pair.journal.durable.epoch == EPOCH
    assert pair.capture.pool_bytes == 0
    check_images(pair.journal, pair.shown)


def test_the_orphans_arrive_whatever_is_crashed_on_their_way():
    pair = failed_over()
    bring_orphans(pair)
    start, steps = pair.steps, 0
    pair.converge()
    steps = pair.steps - start
    assert steps >= 8
    for step in range(1, steps + 1):
        for crash in ("source", "target", "line"):
            again = failed_over()
            bring_orphans(again)
            due = again.steps + step

            def at_step(pair, crash=crash, due=due):
                if pair.steps != due:
                    return
                if crash == "line":
                    pair.disconnect()
                elif crash == "source":
                    pair.crash_source()
                    bring_orphans(pair)
                else:
                    pair.crash_target(lambda: "lost")
                    pair.target = TargetSession(pair.journal, SMALL, fenced_by=PROMOTED)

            again.at_step = at_step
            again.converge()
            assert again.journal.durable.sequence == 10
            check_images(again.journal, again.shown)


def session_of(fenced_by=None, *, has_begun=True):
    """A target session over a journal that has had a source, or none."""
    session = TargetSession(opened(MemoryStorage()), SMALL, fenced_by=fenced_by)
    if has_begun:
        session.journal.adopt(EPOCH, INCARNATION)
    session.handle(events.Connected(1), 5_000)
    return session


ORPHAN = {"flags": int(HelloFlag.ORPHAN)}


@pytest.mark.parametrize(
    ("fenced_by", "fields", "error"),
    [
        (None, ORPHAN, FrameUnexpected),
        (PROMOTED, {}, EpochFenced),
        (PROMOTED, {"epoch": EPOCH - 1}, EpochFenced),
        (PROMOTED, {**ORPHAN, "epoch": EPOCH - 1}, EpochFenced),
        (PROMOTED, {**ORPHAN, "incarnation": 12}, ResyncRequired),
        (PROMOTED, {**ORPHAN, "epoch": PROMOTED}, ResyncRequired),
        (PROMOTED, {"epoch": PROMOTED}, ResyncRequired),
        (PROMOTED + 5, {"epoch": PROMOTED}, EpochFenced),
    ],
)
def test_who_may_greet_a_branch_that_has_ended(fenced_by, fields, error):
    session = session_of(fenced_by)
    given = session.handle(events.BytesReceived(1, hello_of(capture_of(), **fields)), 5_000)
    assert type(only_failure(given).error) is error
    assert type(sent_frames(given)[-1]) is PeerError
    assert session.state is TargetState.LISTENING
    assert session.journal.received.sequence == 0


def test_an_empty_journal_adopts_no_orphan():
    session = session_of(PROMOTED, has_begun=False)
    given = session.handle(events.BytesReceived(1, hello_of(capture_of(), **ORPHAN)), 5_000)
    assert isinstance(only_failure(given).error, FrameUnexpected)
    assert session.journal.incarnation is None


def test_a_frame_that_was_under_way_when_the_fence_came_is_not_believed():
    session = session_of()
    session.handle(events.BytesReceived(1, hello_of(capture_of())), 5_000)
    assert session.state is TargetState.STREAMING
    given = session.handle(events.Fenced(PROMOTED), 5_000)
    assert isinstance(only_failure(given).error, EpochFenced)
    assert session.handle(events.BytesReceived(1, batch(capture_of(), 1, 6)), 5_000) == []
    assert session.journal.received.sequence == 0


def test_a_fence_must_be_higher_than_the_branch_and_never_goes_down():
    session = session_of()
    for epoch in (EPOCH, EPOCH - 1):
        with pytest.raises(LocalProtocolError):
            session_of().handle(events.Fenced(epoch), 5_000)
    session.handle(events.Fenced(PROMOTED + 1), 5_000)
    session.handle(events.Fenced(PROMOTED), 5_000)
    assert session.fenced_by == PROMOTED + 1


def test_orphans_under_way_are_not_disturbed_by_a_higher_fence():
    session = session_of(PROMOTED)
    session.handle(events.BytesReceived(1, hello_of(capture_of(), **ORPHAN)), 5_000)
    assert session.state is TargetState.STREAMING
    session.handle(events.Fenced(PROMOTED + 1), 5_000)
    assert session.state is TargetState.STREAMING


@pytest.mark.parametrize("epoch", [EPOCH - 1, EPOCH + 1])
@pytest.mark.parametrize("is_welcomed", [False, True])
def test_a_target_of_another_epoch_frees_nothing_at_the_source(epoch, is_welcomed):
    capture = capture_of()
    source = SourceSession(capture, SMALL)
    source.handle(events.Started(), 5_000)
    source.handle(events.Connected(1), 5_000)
    data = welcome_at(Cursor(epoch, 2, 0))
    if is_welcomed:
        source.handle(events.BytesReceived(1, welcome_at(cursor(capture, 2))), 5_000)
        source.handle(events.TimerFired(), 5_000 + SMALL.batch_linger_ns)
        data = ack_of(Cursor(epoch, 6, 1))
    given = source.handle(events.BytesReceived(1, data), 9_000)
    assert isinstance(only_failure(given).error, EpochFenced)
    assert source.state is SourceState.HALTED
    assert capture.acknowledged.sequence == (2 if is_welcomed else 0)
    assert [action for action in given if isinstance(action, actions.CloseConnection)]
