"""The third cursor: what an applier has made ready, told to the source beside what is durable."""

import pytest
from engine_frames import ack_of, capture_of, cursor, only_failure, sent_frames, welcome_at
from engine_harness import SMALL, Pair
from engine_model import write

from engine import SourceSession, events
from engine.basics.cursor import Cursor
from engine.basics.errors import CursorNeverSent
from engine.formats.wire import Ack


def at(pair, sequence):
    return Cursor(pair.journal.durable.epoch, sequence, pair.journal.index.chain(sequence))


def test_without_an_applier_all_that_is_durable_is_applied():
    pair = Pair(capture_of())
    pair.converge()
    assert pair.source.applied == pair.journal.durable == pair.target.applied_cursor


def test_an_applier_behind_the_durable_end_is_told_with_the_next_event():
    pair = Pair(capture_of())
    pair.converge()
    pair.target.applied(at(pair, 2))
    pair.show(write("db/a", 0, b"x"))
    pair.converge()
    assert pair.source.applied == at(pair, 2)
    assert pair.capture.acknowledged.sequence == 7, "the pool is freed by what is durable"
    pair.target.applied(at(pair, 4))
    pair.tell_target(events.TimerFired())
    pair.converge()
    assert pair.source.applied == at(pair, 4)
    (frame,) = sent_frames(pair.target.handle(events.TimerFired(), pair.now_ns)) or [None]
    assert frame is None, "told once"


def test_after_a_reconnect_the_source_hears_again_how_far_the_applier_is():
    pair = Pair(capture_of())
    pair.converge()
    pair.target.applied(at(pair, 3))
    pair.crash_source()
    assert pair.source.applied is None
    pair.converge()
    assert pair.source.applied == at(pair, 3)
    assert pair.capture.acknowledged.sequence == 6


def test_an_applier_cannot_be_ahead_of_what_is_durable_nor_go_back():
    pair = Pair(capture_of())
    pair.converge()
    pair.target.applied(at(pair, 4))
    with pytest.raises(AssertionError, match="I1"):
        pair.target.applied(at(pair, 3))
    with pytest.raises(AssertionError, match="beyond durable"):
        pair.target.applied(Cursor(at(pair, 4).epoch, 99, 0))


def test_a_target_that_has_applied_more_than_it_holds_is_refused():
    capture = capture_of()
    session = SourceSession(capture, SMALL)
    session.handle(events.Started(), 5_000)
    session.handle(events.Connected(1), 5_000)
    session.handle(events.BytesReceived(1, welcome_at(cursor(capture, 2))), 5_000)
    session.handle(events.TimerFired(), 5_000 + SMALL.batch_linger_ns)
    wrong = ack_of(cursor(capture, 4), cursor(capture, 5))
    given = session.handle(events.BytesReceived(1, wrong), 9_000)
    assert isinstance(only_failure(given).error, CursorNeverSent)
    assert capture.acknowledged.sequence == 2


def test_every_acknowledgement_carries_both_cursors():
    seen = []

    def note(pair):
        if pair.target_actions:
            seen.extend(sent_frames([pair.target_actions[0]]))

    pair = Pair(capture_of(), at_step=note)
    pair.converge()
    pair.show(write("db/a", 0, b"x"))
    pair.converge()
    acks = [frame for frame in seen if isinstance(frame, Ack)]
    assert acks
    assert all(ack.applied == ack.durable for ack in acks)
