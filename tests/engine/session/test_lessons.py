"""What users of other engines had to learn, one test each (protection.md 7, the threads' end)."""

import pytest
from engine_frames import ack_of, only_failure, welcome_at
from engine_harness import Pair
from engine_model import EPOCH, GROUP, INCARNATION, check_images, create, write

from engine import Capture, SessionSettings, SourceState, actions, events
from engine.basics.errors import CursorRegressed, JournalRegressed
from engine.basics.settings import SECOND_NS


def pair_of(count=5):
    pair = Pair(
        Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION), settings=SessionSettings()
    )
    pair.show(create("db/a"))
    for number in range(count):
        pair.show(write("db/a", number, b"x"))
    pair.converge()
    return pair


def refuse_connections(pair):
    """Let every connection that the source asks for fail, as over a dead line."""
    asked = [a for a in pair.source_actions if isinstance(a, actions.OpenConnection)]
    for action in asked:
        pair.source_actions.remove(action)
        pair.tell_source(events.ConnectFailed(action.connection, "the line is down"))


@pytest.mark.parametrize("outage_s", [1, 60, 3_600])
def test_bucardo_213_after_an_outage_of_a_minute_it_goes_on_by_itself(outage_s):
    pair = pair_of()
    back_ns = pair.now_ns + outage_s * SECOND_NS
    pair.disconnect()
    while pair.now_ns < back_ns:
        pair.show(write("db/a", pair.now_ns % 100, b"captured meanwhile"))
        refuse_connections(pair)
        pair.step() or pair.advance()
    pair.converge()
    assert pair.now_ns - back_ns <= 2 * SessionSettings().reconnect_delay_ns_max
    assert pair.journal.durable == pair.capture.newest
    check_images(pair.journal, pair.shown)


def test_zrepl_250_the_cursor_cannot_be_set_back():
    pair = pair_of()
    capture = pair.capture
    pair.show(write("db/a", 0, b"y"))
    held = capture.acknowledged
    old = held._replace(sequence=held.sequence - 2, chain=pair.journal.index.chain(4))
    number = pair.source_number
    given = pair.source.handle(events.BytesReceived(number, ack_of(old)), pair.now_ns)
    assert isinstance(only_failure(given).error, CursorRegressed)
    assert capture.acknowledged == held
    retry_ns = pair.now_ns + SECOND_NS
    (opened,) = [
        action
        for action in pair.source.handle(events.TimerFired(), retry_ns)
        if isinstance(action, actions.OpenConnection)
    ]
    pair.source.handle(events.Connected(opened.connection), retry_ns)
    welcome = events.BytesReceived(opened.connection, welcome_at(old))
    given = pair.source.handle(welcome, retry_ns)
    assert isinstance(only_failure(given).error, JournalRegressed)
    assert pair.source.state is SourceState.HALTED
    assert capture.acknowledged == held
