"""Bugs of the health that somebody might write, planted one by one: each is found.

What is printed is the number of histories, steps or checks that it took.
"""

import random

import pytest
from engine_model import RecordStream, settle
from verified_world import BAD, Draws, World
from watched_points import check, opened

from engine import RecordType
from engine.health.alarms import Alarm, Level, Rule, Severity
from engine.health.arrivals import PointWatch
from engine.health.bookmarks import BookmarkWatch, Whereabouts
from engine.health.rpo import RpoCurve
from engine.health.verifier import Verifier
from reports.curve import Curve

R = RecordType
HISTORIES_MAX = 200


def counts_what_lies_in_a_gap(monkeypatch):
    advance = PointWatch.advance

    def plant(self, sequence):
        is_new = advance(self, sequence)
        if is_new and self.gap is not None:
            point = self.newest[next(iter(self.newest))]
            if point is not None:
                time_ns = self.journal.index.source_time_ns(sequence)
                self._arrive(type(point)(sequence, time_ns, point.consistency))
        return is_new

    monkeypatch.setattr(PointWatch, "advance", plant)


def believes_a_tag_before_its_second_phase(monkeypatch):
    take = PointWatch._take

    def plant(self, tag):
        take(self, tag._replace(is_pending=False) if tag.is_pending else tag)

    monkeypatch.setattr(PointWatch, "_take", plant)


def takes_late_for_lost(monkeypatch):
    figures = BookmarkWatch.figures

    def plant(self, now_ns, stream_ns, *, is_connected):
        return figures(self, now_ns, now_ns, is_connected=is_connected)

    monkeypatch.setattr(BookmarkWatch, "figures", plant)


def forgets_the_clock_step(monkeypatch):
    def plant(self, offset_ns, now_ns):
        self._offset_ns = offset_ns  # the time until now counts as if it had always been so

    monkeypatch.setattr(RpoCurve, "clock", plant)


def clears_at_once(monkeypatch):
    monkeypatch.setattr(Alarm, "_lasts", lambda self, since, level, now_ns, *, is_so: is_so)


def calls_good_what_was_opened(monkeypatch):
    end = Verifier._end

    def plant(self, check, outcome, detail, now_ns):
        return end(self, check, type(outcome).GOOD if check.steps > 0 else outcome, detail, now_ns)

    monkeypatch.setattr(Verifier, "_end", plant)


def lets_compaction_go_on(monkeypatch):
    begin = Verifier._begin

    def plant(self, point, now_ns):
        holds, self._holds = self._holds, None
        actions = begin(self, point, now_ns)
        self._holds = holds
        return actions

    monkeypatch.setattr(Verifier, "_begin", plant)


# --- what finds them ------------------------------------------------------------------------------


def random_points(seed):
    """Follow a random history with gaps and tags of both kinds, looking at all of it each time."""
    draw, stream, is_open = random.Random(seed), RecordStream(), False
    journal, storage = opened()
    watch = PointWatch(journal)
    for _ in range(draw.randrange(1, 20)):
        kinds = (R.TIME, R.GAP_CLOSE) if is_open else (R.TIME, R.TAG_APP, R.GAP_OPEN)
        kind = draw.choice(kinds)
        is_open = kind == R.GAP_OPEN or (is_open and kind != R.GAP_CLOSE)
        flags = 4 if kind == R.TAG_APP and draw.randrange(2) else 0
        stream.add(kind, flags=flags)
        settle(journal, storage, journal.ingest(stream.records[-1]))
        watch.advance(journal.durable.sequence)
        check(watch, journal)


def random_bookmarks(seed):
    """Make some bookmarks, and let the stream lag: what it has not reached is not lost."""
    draw = random.Random(seed)
    due, reached = draw.randrange(1, 10), draw.randrange(10)
    watch = BookmarkWatch(100, 10, 0)
    for number in range(1, min(due, reached) + 1):
        watch.arrived(number * 100)
    stream = min(due, reached) * 100 + 11
    figures = watch.figures(due * 100 + 11, stream, is_connected=True)
    assert figures.counts[Whereabouts.LOST] == 0


def random_clock(seed):
    """Step the clock forth and back: the time spent is what it was, the age what it is."""
    draw, curve = random.Random(seed), RpoCurve(0)
    curve.point(0, 0)
    step, at, end = draw.randrange(1_000), draw.randrange(1, 1_000), draw.randrange(1_001, 2_000)
    curve.clock(step, at)
    curve.clock(0, end)
    doubled_area = at * at + (at + step + end + step) * (end - at)
    assert curve.figures(end).mean_ns * 2 * end == doubled_area
    assert Curve.from_points(0, end, [], 0).max_ns() + step == curve.figures(end).max_ns


def random_alarm(seed):
    """A value that dips for less than the quiet time is not told of."""
    draw = random.Random(seed)
    alarm = Alarm(Rule("r", "", "", (Level(Severity.WARNING, 5, 5),), quiet_ns=4))
    told = [
        alarm.look(draw.choice((5, 5, 9, 0) if now_ns % 4 == 0 else (5, 9)), "", now_ns)
        for now_ns in range(draw.randrange(1, 40))
    ]
    assert sum(event is not None for event in told) <= 1


def random_checks(seed):
    """Of some bookmarks a few are bad: exactly those are found to be."""
    draw = random.Random(seed)
    world = World(draws=Draws())
    for _ in range(draw.randrange(1, 4)):
        world.bookmark(is_good=draw.randrange(3) > 0)
        assert not world.verifier.step(world.now_ns) or world.holds.held
        result = world.check_one()
        number = int(result.point.label.split()[-1])
        database = int(world.verifier._open_image(result.point.sequence).read("database", 0, 8))
        assert (result.outcome is BAD) == (database != number)


PLANTED = [
    (counts_what_lies_in_a_gap, random_points),
    (believes_a_tag_before_its_second_phase, random_points),
    (takes_late_for_lost, random_bookmarks),
    (forgets_the_clock_step, random_clock),
    (clears_at_once, random_alarm),
    (calls_good_what_was_opened, random_checks),
    (lets_compaction_go_on, random_checks),
]


@pytest.mark.parametrize(("plant", "live"), PLANTED, ids=lambda item: item.__name__)
def test_a_planted_bug_is_found(plant, live, monkeypatch, planted):
    plant(monkeypatch)
    for seed in range(HISTORIES_MAX):
        try:
            live(seed)
        except AssertionError:
            planted(plant.__name__, f"seed {seed}")
            return
    pytest.fail(f"{HISTORIES_MAX} histories did not find it")


@pytest.mark.parametrize("live", sorted({live for _, live in PLANTED}, key=lambda f: f.__name__))
def test_without_a_planted_bug_nothing_is_found(live):
    for seed in range(50):
        live(seed)
