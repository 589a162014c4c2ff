"""The verifier: what it chooses, what it believes, and what it leaves behind."""

from copy import deepcopy

from engine_model import create, write
from verified_world import (
    BAD,
    GOOD,
    INCONCLUSIVE,
    MINUTE,
    Draws,
    World,
)

from engine import Consistency
from engine.basics.errors import JournalDamaged
from engine.health.checks import RESULTS_MAX, CheckedPoints, CheckResult, Finding, ReadingChecker
from engine.health.verifier import VerifierSettings
from engine.points.recovery_points import RecoveryPoint

INTERVAL = VerifierSettings().old_point_interval_ns
RETRY = VerifierSettings().retry_interval_ns


def test_in_an_empty_journal_nothing_is_due():
    world = World(is_empty=True)
    assert world.check_all() == []
    assert world.verifier.checked.newest_good() is None


def test_the_newest_bookmark_comes_first_then_old_points_at_random():
    world = World(draws=Draws(1, 0, 0, 1))
    marks = [world.bookmark() for _ in range(3)]
    # The draws: a tagged point, the first; then any point, the second record of all.
    assert world.check_all() == [(marks[2], GOOD), (marks[0], GOOD)]
    world.now_ns += INTERVAL
    assert world.check_all() == [(2, GOOD)]
    world.now_ns += INTERVAL - 1
    assert world.check_all() == []
    newest = world.bookmark()
    assert world.check_one().point.sequence == newest


def test_verified_until_is_the_newest_good_point():
    world = World()
    world.bookmark()
    world.check_all()
    newest = world.points.latest_app()
    assert world.verifier.checked.newest_ns()[Consistency.APP] == newest.source_time_ns
    world.bookmark(is_good=False)
    world.check_all()
    assert world.verifier.checked.newest_ns()[Consistency.APP] == newest.source_time_ns


def test_after_a_bad_bookmark_the_next_older_ones_are_opened_until_one_is_good():
    world = World()
    marks = [world.bookmark(is_good=number < 2) for number in range(5)]
    found = world.check_all()
    assert found[:4] == [(marks[4], BAD), (marks[3], BAD), (marks[2], BAD), (marks[1], GOOD)]
    newest = world.points.latest_app()
    assert world.verifier.next_older_good(newest).sequence == marks[1]


def test_the_checker_may_write_to_the_image_and_nobody_else_sees_it():
    world = World(draws=Draws(0, 5))
    world.bookmark()
    world.show(write("log", 0, b"00000002"))  # the database has not heard of it yet
    before = deepcopy(world.storage.files)
    found = world.check_all()
    assert found[1] == (world.journal.durable.sequence, GOOD)
    assert world.checker.replays == 1
    assert world.storage.files == before


def test_a_bit_that_has_rotted_is_found_and_after_its_repair_the_point_is_good_again():
    world = World()
    marks = [world.bookmark() for _ in range(2)]
    repair = world.rot(marks[1] - 1)
    found = world.check_all()
    assert found[:2] == [(marks[1], BAD), (marks[0], GOOD)]
    result = world.verifier.checked.of(marks[1])
    assert world.journal.segments[0].name in result.detail
    assert JournalDamaged.hint_default in result.detail or "Hint" in result.detail
    repair()
    world.now_ns += RETRY
    again = world.check_one()
    assert (again.point.sequence, again.outcome, again.was_bad) == (marks[1], GOOD, True)
    assert world.verifier.checked.newest_good().sequence == marks[1]


def test_what_was_good_and_rots_is_good_no_more():
    world = World(draws=Draws(0, 1))
    marks = [world.bookmark() for _ in range(2)]
    world.check_all()
    world.verifier._draw = lambda limit: limit - 1  # the newest tagged point
    world.rot(marks[1] - 1)
    world.now_ns += INTERVAL
    assert world.check_one().outcome is BAD
    good = world.verifier.checked.newest_good(Consistency.APP)
    assert good is None or good.sequence == marks[0]


def test_an_overlay_that_is_too_small_says_nothing_of_the_point():
    class Writer:
        def check(self, image):
            yield image.write("log", 0, (b"x" * 100,))
            return Finding(is_good=True)

    world = World(checker=Writer(), settings=VerifierSettings(overlay_bytes_max=50))
    mark = world.bookmark()
    assert world.check_all()[0] == (mark, INCONCLUSIVE)
    assert world.verifier.checked.newest_good() is None
    world.now_ns += RETRY
    assert world.check_one().point.sequence == mark


def test_a_scratch_disk_that_fails_says_nothing_of_the_point():
    world = World()
    mark = world.bookmark()
    assert world.verifier.step(0)
    for action in world.verifier.action_failed("no space", 0):
        world.scratch.carry_out(action)
    (result,) = world.verifier.take_results()
    assert (result.point.sequence, result.outcome) == (mark, INCONCLUSIVE)
    assert not world.holds.held


def test_while_a_check_goes_on_compaction_must_hold():
    world = World()
    world.bookmark()
    world.verifier.step(0)
    assert world.holds.held == 1


def test_a_crash_at_any_step_leaves_no_more_than_a_scratch_file_that_is_taken_away():
    steps, crashes = 0, 0
    while True:
        world = World()
        mark = world.bookmark()
        before = deepcopy(world.storage.files)
        for _ in range(steps):
            for action in world.verifier.step(0):
                world.scratch.carry_out(action)
        ended = bool(world.verifier.take_results())
        successor = World()
        successor.scratch = world.scratch
        successor.verifier._scratch = world.scratch
        for action in successor.verifier.leftovers():
            world.scratch.carry_out(action)
        assert not world.scratch.files
        assert world.storage.files == before
        assert successor.bookmark() == mark
        assert successor.check_one().outcome is GOOD
        if ended:
            break
        steps, crashes = steps + 1, crashes + 1
    assert crashes >= 2


def test_reading_takes_bounded_steps_and_reads_all():
    world = World(checker=ReadingChecker(step_bytes=10))
    world.show(write("log", 0, bytes(range(95))))
    mark = world.bookmark()
    result = world.check_one()
    assert (result.point.sequence, result.outcome) == (mark, GOOD)
    assert result.detail == "103 bytes read"
    assert result.steps == 10 + 1 + 1


def test_without_bookmarks_any_points_are_drawn():
    world = World(checker=ReadingChecker(), draws=Draws(3))
    world.show(create("a"), write("a", 0, b"1"), write("a", 1, b"2"))
    assert world.check_all() == [(4, GOOD)]


def test_a_good_point_that_has_expired_is_forgotten():
    world = World()
    checked = world.verifier.checked
    world.bookmark()
    world.check_all()
    gone = RecoveryPoint(10_000, 5, Consistency.APP)
    checked.note(CheckResult(gone, GOOD, "", 0, 1))
    assert checked.newest_good() == gone
    world.verifier.forget_expired()
    assert checked.newest_good() == world.points.latest_app()


def test_memory_is_bounded_and_keeps_what_matters():
    checked = CheckedPoints()
    bad = RecoveryPoint(1, 1, Consistency.APP)
    newest = RecoveryPoint(1_000_000, 2, Consistency.APP)
    checked.note(CheckResult(bad, BAD, "", 0, 1))
    checked.note(CheckResult(newest, GOOD, "", 0, 1))
    for sequence in range(2, 2 * RESULTS_MAX):
        point = RecoveryPoint(sequence, 1, Consistency.WRITE)
        checked.note(CheckResult(point, GOOD, "", MINUTE, 1))
    assert len(checked.with_outcome(GOOD, BAD)) == RESULTS_MAX
    assert checked.of(1).outcome is BAD
    assert checked.newest_good() == newest
