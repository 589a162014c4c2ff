"""The other end's clock: the truth always lies within the stated error, whatever the line does."""

import pytest
from engine_frames import HELLO, capture_of, notices, only_failure, sent_frames, welcome_at
from engine_harness import SMALL, Pair
from engine_model import EPOCH, MemoryStorage, opened, write
from hypothesis import given
from hypothesis import strategies as st

from engine import SourceSession, TargetSession, actions, events
from engine.basics.cursor import Cursor
from engine.basics.errors import FrameUnexpected
from engine.basics.settings import SECOND_NS, SessionSettings
from engine.formats.wire import Heartbeat, Stamp, encode_heartbeat
from engine.session.clock import CLOCK_DRIFT_PPM, PeerClock, SessionClock

SETTINGS = SessionSettings()
FORWARD, BACKWARD = SETTINGS.clock_jump_ns_forward, SETTINGS.clock_jump_ns_backward


class Ends:
    """Two ends, `b` with a steady clock that runs at another rate and started another time."""

    def __init__(self, started_ns, ppm):
        self.started_ns, self.ppm = started_ns, ppm
        self.a, self.b = PeerClock(), PeerClock()
        self.b_wall_ns = 0

    def b_now(self, now_ns):
        return self.started_ns + now_ns + now_ns * self.ppm // 1_000_000

    def a_to_b(self, sent_ns, heard_ns):
        self.b.heard(self.a.stamp(sent_ns, 0), self.b_now(heard_ns))

    def b_to_a(self, sent_ns, heard_ns):
        self.a.heard(self.b.stamp(self.b_now(sent_ns), self.b_wall_ns), heard_ns)


DELAYS = st.integers(0, 40 * SECOND_NS)


@given(
    started_ns=st.integers(0, 10**18),
    ppm=st.integers(-CLOCK_DRIFT_PPM, CLOCK_DRIFT_PPM),
    steps=st.lists(st.tuples(st.booleans(), DELAYS, DELAYS), max_size=12),
)
def test_the_true_offset_always_lies_within_the_stated_error(started_ns, ppm, steps):
    ends, now_ns = Ends(started_ns, ppm), SECOND_NS
    for is_forward, pause_ns, delay_ns in steps:
        sent_ns, now_ns = now_ns + pause_ns, now_ns + pause_ns + delay_ns
        (ends.a_to_b if is_forward else ends.b_to_a)(sent_ns, now_ns)
        truth = ends.b_now(now_ns) - now_ns
        if ends.a.is_known:
            assert abs(ends.a.offset_ns() - truth) <= ends.a.error_ns(now_ns)
        if ends.b.is_known:
            b_now = ends.b_now(now_ns)
            assert abs(ends.b.offset_ns() + truth) <= ends.b.error_ns(b_now)


def test_the_exchange_with_the_smallest_round_trip_is_kept_until_it_is_too_old():
    ends = Ends(5_000, 0)
    ends.a_to_b(1_000, 2_000)
    ends.b_to_a(2_000, 3_000)
    quick = ends.a.error_ns(3_000)
    assert quick <= 1_003
    ends.a_to_b(10_000, 500_000)
    ends.b_to_a(500_000, 510_000)
    assert ends.a.error_ns(510_000) - quick <= 510_000 * CLOCK_DRIFT_PPM // 1_000_000 + 1
    hour_ns = 3_600 * SECOND_NS
    ends.a_to_b(hour_ns, hour_ns + 9_000)
    ends.b_to_a(hour_ns + 9_000, hour_ns + 18_000)
    assert ends.a.error_ns(hour_ns + 18_000) < 10_000


def test_nothing_is_known_before_a_whole_exchange():
    ends = Ends(0, 0)
    ends.b_to_a(1_000, 2_000)
    assert (ends.a.offset_ns(), ends.a.error_ns(2_000)) == (None, None)


@pytest.mark.parametrize("stamp", [Stamp(5, 0, 9_000, 4), Stamp(5, 0, 1, 6)])
def test_a_stamp_of_times_that_cannot_be_ends_the_connection(stamp):
    session = TargetSession(opened(MemoryStorage()), SMALL)
    session.handle(events.Connected(1), 5_000)
    session.handle(events.BytesReceived(1, HELLO), 5_000)
    given = session.handle(events.BytesReceived(1, encode_heartbeat(Heartbeat(stamp))), 5_000)
    assert isinstance(only_failure(given).error, FrameUnexpected)


@pytest.mark.parametrize(
    ("step_ns", "is_told"),
    [(FORWARD, False), (FORWARD + 1, True), (-BACKWARD, False), (-BACKWARD - 1, True)],
)
def test_a_jump_beyond_the_limits_is_told_by_both_ends_once(step_ns, is_told):
    pair = Pair(capture_of())
    pair.converge()
    pair.capture.clock_offset_ns += step_ns
    pair.show(write("db/a", 0, b"x"))
    pair.show(write("db/a", 0, b"y"))
    pair.converge()
    jumps = [(end, n) for end, n in pair.notices if isinstance(n, actions.ClockJumped)]
    expected = [
        ("source", actions.ClockJumped("own", step_ns)),
        ("target", actions.ClockJumped("peer", step_ns)),
    ]
    assert sorted(jumps, key=lambda jump: jump[0]) == (expected if is_told else [])


def test_a_step_of_a_wall_clock_moves_the_offset_at_once_and_not_its_error():
    pair = Pair(capture_of())
    pair.converge()
    before = pair.target.clock_offset_ns
    assert before == 0
    pair.capture.clock_offset_ns += 7 * SECOND_NS
    pair.show(write("db/a", 0, b"x"))
    pair.converge()
    assert pair.target.clock_offset_ns == 7 * SECOND_NS
    pair.target.wall_offset_ns = SECOND_NS
    pair.show(write("db/a", 0, b"x"))
    pair.converge()
    assert pair.target.clock_offset_ns == 6 * SECOND_NS
    assert pair.source.clock_offset_ns == -6 * SECOND_NS
    assert pair.target.clock_error_ns(pair.now_ns) < 100_000


def test_a_skewed_clock_cannot_make_the_reported_rpo_better_than_the_truth():
    pair = Pair(capture_of())
    pair.capture.clock_offset_ns = 50 * SECOND_NS
    pair.show(write("db/a", 0, b"x"))
    pair.converge()
    pair.target.wall_offset_ns = -3_600 * SECOND_NS
    later_ns = pair.now_ns + 9 * SECOND_NS
    report = pair.target.reported_rpo(later_ns)
    truth_ns = later_ns + pair.capture.clock_offset_ns - pair.journal.durable_time_ns
    assert report.age_ns + report.error_ns >= truth_ns
    assert report.age_ns - report.error_ns <= truth_ns


def test_before_any_exchange_the_reported_rpo_says_that_its_error_is_unknown():
    session = TargetSession(opened(MemoryStorage()), SMALL)
    assert session.reported_rpo(5_000) is None
    pair = Pair(capture_of())
    pair.converge()
    session = TargetSession(opened(pair.storage), SMALL)
    assert session.reported_rpo(9_000).error_ns is None


def test_what_was_learnt_holds_over_a_reconnect_with_a_growing_error():
    clock = SessionClock(SETTINGS)
    clock.begin()
    clock.stamp(1_000)
    clock.heard(Stamp(51_500, 0, 1_000, 51_500), 2_000)
    assert clock.offset_ns() == 50_000
    clock.begin()
    assert clock.offset_ns() == 50_000
    assert clock.error_ns(10 * SECOND_NS) > 2_000_000
    clock.heard(Stamp(81_500, 0, 0, 0), 3_000)
    assert clock.offset_ns() == 50_000, "half an exchange teaches nothing"
    clock.heard(Stamp(84_500, 0, 4_000, 84_500), 5_000)
    assert clock.offset_ns() == 80_000, "the peer has restarted, and its steady clock with it"


def test_the_first_frames_of_a_connection_already_teach_the_source():
    session = SourceSession(capture_of(), SMALL)
    session.handle(events.Started(), 5_000)
    (hello,) = sent_frames(session.handle(events.Connected(1), 5_000))
    assert hello.stamp == Stamp(5_000, 0, 0, 0)
    welcome = welcome_at(Cursor(EPOCH, 0, 0), stamp=Stamp(99_000, 4, 5_000, 99_000))
    given = session.handle(events.BytesReceived(1, welcome), 7_000)
    assert notices(given, actions.Established)
    assert session.clock_offset_ns == 99_000 - 6_000 + 4
    assert session.clock_error_ns(7_000) <= 1_002
