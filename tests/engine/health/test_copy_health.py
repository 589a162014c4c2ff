"""The health of a copy: told once, taken back once, and never better than the truth."""

from dataclasses import replace

import pytest
from delayed_pair import SECOND, DelayedPair
from engine_model import GROUP, MemoryStorage, app_tag, create, write
from verified_world import Draws, World

from engine import (
    CaptureSettings,
    Consistency,
    SessionSettings,
    TargetSession,
    actions,
    open_journal,
)
from engine.basics.errors import ChainMismatch
from engine.health.alarms import Change, Severity
from engine.health.bookmarks import Whereabouts
from engine.health.copy import CopyHealth
from engine.health.settings import HealthSettings
from engine.health.stages import CLASSES, Stage

MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND
BOOKMARKS = 15 * MINUTE
SETTINGS = HealthSettings(
    rpo_targets_ns={Consistency.WRITE: MINUTE, Consistency.APP: 30 * MINUTE},
    bookmark_interval_ns=BOOKMARKS,
)
CALM = SessionSettings(heartbeat_interval_ns=20 * SECOND, peer_timeout_ns=80 * SECOND)


class Office:
    """A pair whose application writes every minute and makes bookmarks."""

    def __init__(self, *, settings=SETTINGS, session=CALM, capture=None, delay_ns=SECOND // 50):
        self.pair = DelayedPair(
            delay_ns,
            session_settings=session,
            capture_settings=capture or CaptureSettings(time_interval_ns=20 * SECOND),
            health_settings=settings,
        )
        self.makes_bookmarks = True
        self.pair.show(create("a"))
        self.pair.at(MINUTE, self.write)
        self.pair.at(BOOKMARKS, self.bookmark)
        self.pair.at(SECOND, self.tick)

    def write(self):
        self.pair.show(write("a", 0, b"x" * 1_000))
        self.pair.at(self.pair.now_ns + MINUTE, self.write)

    def bookmark(self):
        if self.makes_bookmarks:
            self.pair.show(app_tag("b"))
        self.pair.at(self.pair.now_ns + BOOKMARKS, self.bookmark)

    def tick(self):
        self.pair.tick()
        self.pair.at(self.pair.now_ns + 10 * SECOND, self.tick)

    def run(self, duration_ns):
        self.pair.run(self.pair.now_ns + duration_ns)

    @property
    def report(self):
        return self.pair.health.report(self.pair.now_ns)

    def told(self):
        """Return what was told, as (alarm, what became of it)."""
        return [(event.name, event.change.value) for event in self.pair.told]


def test_a_quiet_day_tells_nothing():
    office = Office()
    office.run(24 * HOUR + MINUTE)
    assert office.told() == []
    report = office.report
    assert report.severity is Severity.HEALTHY
    assert report.bookmarks.counts[Whereabouts.FOUND] == 96
    assert sum(report.bookmarks.counts.values()) == 96
    assert report.points.available[Consistency.APP] == 96
    assert report.hours_rpo_not_met(Consistency.WRITE) == 0
    assert report.rpo[Stage.RECEIVED, Consistency.WRITE].max_ns < 2 * MINUTE
    assert report.is_connected
    assert report.clock.error_ns is not None
    assert report.retention.window_ns > 23 * HOUR


def test_a_long_outage_is_told_step_by_step_and_each_alarm_is_cleared_once(figure):
    office = Office()
    office.run(2 * HOUR + MINUTE)
    office.pair.cut()
    office.run(2 * HOUR)
    during = office.report
    assert during.severity is Severity.CRITICAL
    assert during.bookmarks.counts[Whereabouts.DELAYED] == 7
    assert during.bookmarks.counts[Whereabouts.LOST] == 0
    assert {alarm.name for alarm in during.alarms} == {
        "disconnected",
        "rpo_any",
        "rpo_app",
        "backlog",
        "backlog_stuck",
        "no_point",
    }
    office.pair.mend()
    office.run(HOUR)
    told = office.told()
    raised = [name for name, change in told if change == "raised"]
    assert raised.count("no_point") == raised.count("disconnected") == raised.count("backlog") == 1
    assert raised.count("rpo_any") == 2, "a warning, and later critical"
    for name in set(raised):
        assert [change for other, change in told if other == name][-1] == "cleared"
    after = office.report
    assert after.severity is Severity.HEALTHY
    assert after.bookmarks.counts[Whereabouts.LOST] == 0, "late is not lost"
    assert after.rpo[Stage.RECEIVED, Consistency.WRITE].not_met_ns > 2 * HOUR - 2 * MINUTE
    assert 1.9 < after.hours_rpo_not_met(Consistency.WRITE) < 2.1
    figure(f"an outage of 2 h: {len(told)} events of {len(set(raised))} alarms")


def test_bookmarks_that_are_never_made_are_lost_and_three_in_a_row_are_an_alarm():
    office = Office()
    office.run(HOUR + MINUTE)
    office.makes_bookmarks = False
    office.run(2 * BOOKMARKS + 5 * MINUTE)
    assert ("bookmarks_lost", "raised") not in office.told()
    office.run(BOOKMARKS)
    assert ("bookmarks_lost", "raised") in office.told()
    counts = office.report.bookmarks.counts
    assert (counts[Whereabouts.LOST], counts[Whereabouts.DELAYED]) == (3, 0)
    office.makes_bookmarks = True
    office.run(HOUR)
    assert ("bookmarks_lost", "cleared") in office.told()


def test_a_line_that_flickers_for_a_day_is_not_told_again_and_again():
    office = Office()
    for _ in range(200):
        office.run(5 * MINUTE)
        office.pair.cut()
        office.run(95 * SECOND)
        office.pair.mend()
        office.run(25 * SECOND)
    assert len(office.told()) < 12


def test_what_an_applier_has_not_done_yet_is_not_applied():
    office = Office()
    office.run(HOUR)
    office.pair.target.applied(office.pair.journal.durable)
    office.run(HOUR)
    report = office.report
    received = report.rpo[Stage.RECEIVED, Consistency.WRITE]
    applied = report.rpo[Stage.APPLIED, Consistency.WRITE]
    assert received.age_ns < 2 * MINUTE
    assert applied.age_ns > HOUR - 2 * MINUTE
    assert received.newest_ns > applied.newest_ns


def test_a_restart_of_the_copy_keeps_the_curves_and_finds_the_points_again():
    office = Office()
    office.run(HOUR)
    before = office.report
    pair = office.pair
    session = TargetSession(pair.journal, CALM)
    pair.health.attach(session, None, pair.now_ns)
    after = office.report
    for point_class in CLASSES:
        key = Stage.RECEIVED, point_class
        assert after.rpo[key] == before.rpo[key]
    assert after.points.newest == before.points.newest
    assert not after.is_connected
    assert after.bookmarks.counts[Whereabouts.FOUND] == before.bookmarks.counts[Whereabouts.FOUND]


def test_on_a_new_branch_the_orphan_tail_of_the_old_one_counts_no_more():
    office = Office()
    office.run(HOUR)
    pair, parent = office.pair, office.pair.journal
    base = parent.durable.sequence - 20
    branch = open_journal(MemoryStorage(), group=GROUP, base=parent.standing_at(base)).journal
    pair.health.attach(TargetSession(branch, CALM), None, pair.now_ns)
    report = office.report
    point = report.points.newest[Consistency.WRITE]
    assert point.sequence == base
    assert report.rpo[Stage.RECEIVED, Consistency.WRITE].newest_ns == point.source_time_ns
    assert report.points.newest[Consistency.APP].sequence <= base


def test_a_fatal_error_is_critical_at_once():
    office = Office()
    office.run(MINUTE)
    error = ChainMismatch("two histories")
    (event,) = office.pair.health.notice(actions.SessionFailed(error, is_fatal=True), MINUTE)
    assert (event.severity, event.change) == (Severity.CRITICAL, Change.RAISED)
    assert "two histories" in str(event)
    assert office.pair.health.notice(actions.SessionFailed(error, is_fatal=False), MINUTE) == []


def test_a_clock_that_jumps_is_noted():
    office = Office()
    office.run(MINUTE)
    (event,) = office.pair.health.notice(actions.ClockJumped("peer", 4 * MINUTE), MINUTE)
    assert event.change is Change.NOTED
    assert office.report.severity is Severity.HEALTHY


@pytest.mark.parametrize("skew_s", [-3_600, 0, 3_600])
def test_a_skewed_clock_of_the_source_does_not_make_the_rpo_better(skew_s):
    """The true age lies within the stated error of the reported one (I8)."""
    office = Office(delay_ns=2 * SECOND)
    office.pair.capture.clock_offset_ns = skew_s * SECOND
    office.run(HOUR)
    pair, report = office.pair, office.report
    durable_ns = pair.journal.durable_time_ns - skew_s * SECOND
    true_ns = pair.now_ns - durable_ns
    rpo = report.rpo[Stage.RECEIVED, Consistency.WRITE]
    assert abs(rpo.age_ns - true_ns) <= report.clock.error_ns
    assert report.promised_age_ns(Consistency.WRITE, Stage.RECEIVED) >= true_ns


def test_space_and_window_are_watched():
    office = Office(settings=replace(SETTINGS, retention_promised_ns=48 * HOUR))
    health = office.pair.health
    office.run(HOUR)
    health.retention.space(50, 100, office.pair.now_ns)
    office.run(HOUR)
    health.retention.space(70, 100, office.pair.now_ns)
    assert office.report.retention.left_ns == 3 * HOUR // 2
    assert office.told() == []
    health.retention.space(85, 100, office.pair.now_ns)
    health.retention.cut()
    office.run(MINUTE)
    assert office.told() == [("retention_space", "raised")]
    retention = office.report.retention
    assert (retention.missing_ns, retention.cut_count) == (0, 1)
    assert retention.promised_ns == 48 * HOUR


def test_a_stream_that_waits_is_counted_as_throttled():
    office = Office(
        capture=CaptureSettings(pool_bytes_max=5_000, time_interval_ns=20 * SECOND),
        session=replace(CALM, window_bytes_max=2_000, batch_bytes_max=2_000),
    )
    office.run(HOUR)
    office.pair.cut()
    office.run(HOUR)
    throttled = office.report.source.throttled
    assert throttled.writers_held_ns > 50 * MINUTE
    assert throttled.total_ns == throttled.differential_ns == throttled.writers_held_ns
    assert throttled.resync_ns == 0


# --- verification ---------------------------------------------------------------------------------


class Ward:
    """The counter application's journal, its verifier, and its health."""

    def __init__(self, draws=None):
        self.world = World(draws=draws)
        session = TargetSession(self.world.journal)
        self.health = CopyHealth(session, 0, verifier=self.world.verifier)
        self.told = []

    def check(self):
        """Let the verifier do a whole check, and the health hear of it."""
        verifier, taken = self.world.verifier, len(self.told)
        for _ in range(100):
            actions_ = verifier.step(self.world.now_ns)
            for action in actions_:
                self.world.scratch.carry_out(action)
            self.told += self.health.tick(self.world.now_ns)
            if not actions_ and verifier.state.value == "idle":
                break
        return [event for event in self.told[taken:] if event.name == "verification"]


def test_a_bad_point_is_an_alarm_that_names_the_point_and_the_next_older_good_one():
    ward = Ward()
    good = ward.world.bookmark()
    assert ward.check() == []
    verified = ward.health.report(ward.world.now_ns)
    assert (
        verified.verification.verified_until_ns
        == verified.points.newest[Consistency.APP].source_time_ns
    )
    bad = ward.world.bookmark(is_good=False)
    (event,) = ward.check()
    assert (event.name, event.severity) == ("verification", Severity.CRITICAL)
    assert f"sequence {bad}, app" in event.message
    assert f"good is sequence {good}, app" in event.message
    report = ward.health.report(ward.world.now_ns)
    assert [point.sequence for point in report.verification.bad] == [bad]
    assert report.verification.offered.sequence == good
    key = Stage.VERIFIED, Consistency.APP
    assert report.rpo[key].newest_ns == verified.rpo[key].newest_ns, "green is what was opened"


def test_each_bad_point_is_told_once_and_the_alarm_ends_when_all_are_good_again():
    ward = Ward(Draws(1, 0, 1, 0, 1, 0))
    marks = [ward.world.bookmark() for _ in range(2)]
    repairs = [ward.world.rot(mark - 1) for mark in marks]
    told = ward.check()
    assert [event.change for event in told] == [Change.RAISED, Change.NOTED]
    world = ward.world
    world.now_ns += world.settings.retry_interval_ns
    assert ward.check() == [], "a point that is still bad is not told again"
    for repair in repairs:
        repair()
    world.now_ns += world.settings.retry_interval_ns
    assert ward.check() == [], "values are looked at every so often"
    world.now_ns += MINUTE
    assert [event.change for event in ward.check()] == [Change.CLEARED]


def test_the_verified_rpo_of_a_point_that_rots_later_jumps_back_to_the_one_before():
    ward = Ward(Draws(*[0] * 20))
    marks = [ward.world.bookmark() for _ in range(2)]
    world = ward.world
    ward.check()
    world.verifier._draw = lambda limit: 1 if limit == 2 else 0
    world.now_ns += world.settings.old_point_interval_ns
    ward.check()  # draws the first bookmark: good
    curve = ward.health.board.curve(Stage.VERIFIED, Consistency.APP)
    newest_ns = curve.newest_ns
    world.rot(marks[1] - 1)
    world.verifier._draw = lambda limit: limit - 1
    world.now_ns += world.settings.old_point_interval_ns
    (event,) = ward.check()
    assert event.severity is Severity.CRITICAL
    assert curve.newest_ns < newest_ns
    assert world.verifier.checked.newest_good(Consistency.APP).sequence == marks[0]
