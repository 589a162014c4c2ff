"""The retention policy against the plainest reading of its rules, and what must hold whatever."""

from bisect import bisect_right
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Consistency, RecoveryPoint
from engine.retention.policy import Plan, newest_app_of, plan_of, protected, relief_of
from engine.retention.settings import DAY_NS, HOUR_NS, RetentionPolicy, Stage

APP, CRASH, WRITE = Consistency.APP, Consistency.CRASH, Consistency.WRITE
RANKS = [APP, CRASH, WRITE]
#: Every write for 10, bookmarks till 30, one per 4 till 60, one per 12 till 120.
SMALL = RetentionPolicy(
    every_write_ns=10,
    stages=(Stage(30), Stage(60, 4), Stage(120, 12)),
    write_point_every_ns=4,
)


def point(sequence, time_ns, consistency=CRASH):
    return RecoveryPoint(sequence, time_ns, consistency)


@st.composite
def histories(draw, count_max=40):
    steps = st.tuples(st.integers(1, 5), st.integers(0, 9), st.sampled_from(RANKS))
    sequence = time_ns = 0
    points = []
    for gap, passed_ns, consistency in draw(st.lists(steps, min_size=1, max_size=count_max)):
        sequence, time_ns = sequence + gap, time_ns + passed_ns
        points.append(point(sequence, time_ns, consistency))
    return points


POLICIES = st.builds(
    lambda windows, write_every, factors, when_full: RetentionPolicy(
        every_write_ns=min(windows),
        stages=(
            Stage(sorted(windows)[1]),
            Stage(sorted(windows)[2], write_every * factors[0]),
            Stage(sorted(windows)[3], write_every * factors[0] * factors[1]),
        ),
        write_point_every_ns=write_every,
        when_full=when_full,
    ),
    st.lists(st.integers(0, 150), min_size=4, max_size=4),
    st.integers(1, 6),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["purge_oldest", "coarsen_first"]),
)


def by_the_rules(points, pinned, now_ns, policy, frontier=0):
    """The sequences to be kept, each point asked by itself."""
    newest = points[-1]
    clock_ns = min(now_ns, newest.source_time_ns)

    def is_best(one, every_ns):
        rivals = [
            p for p in points if p.source_time_ns // every_ns == one.source_time_ns // every_ns
        ]
        best_rank = min(RANKS.index(rival.consistency) for rival in rivals)
        best = min(r.sequence for r in rivals if RANKS.index(r.consistency) == best_rank)
        return one.sequence == best

    def stays(one):
        age_ns = clock_ns - one.source_time_ns
        if age_ns <= policy.every_write_ns:
            return True
        for stage in policy.stages:
            if age_ns <= stage.until_ns:
                if stage.every_ns == 0 and one.consistency is not WRITE:
                    return True
                return is_best(one, stage.every_ns or policy.write_point_every_ns)
        return False

    old = [
        p
        for p in points[:-1]
        if p.sequence <= frontier or clock_ns - p.source_time_ns > policy.every_write_ns
    ]
    kept = [p.sequence for p in old if stays(p)]
    if not kept:
        kept = [p.sequence for p in old if is_best(p, policy.write_point_every_ns)][-1:]
    apps = [p.sequence for p in points if p.consistency is APP]
    safe = {p.sequence for p in old if p.sequence in pinned or p.sequence in apps[-1:]}
    kept = safe | set(kept)
    if frontier and max(kept, default=0) < frontier:
        kept.add(frontier)
    return sorted(kept)


@settings(deadline=None, max_examples=300)
@given(histories(), POLICIES, st.data())
def test_the_plan_is_what_the_rules_say(points, policy, data):
    now_ns = data.draw(st.integers(0, 600))
    pinned = data.draw(st.sets(st.sampled_from([p.sequence for p in points]), max_size=4))
    plan = plan_of(points, pinned, now_ns, policy)
    assert [p.sequence for p in plan.kept] == by_the_rules(points, pinned, now_ns, policy)


def remaining(points, plan):
    """What there is after a plan was carried out: the kept ones, and all above the frontier."""
    return [*plan.kept, *points[bisect_right([p.sequence for p in points], plan.frontier) :]]


@settings(deadline=None, max_examples=200)
@given(histories(), POLICIES, st.data())
def test_nothing_given_up_comes_back_and_twice_is_once_whatever_the_clock_does(
    points, policy, data
):
    given_up, frontier, there = set(), 0, points[:1]
    pinned = set()
    for at in range(1, len(points)):
        there.append(points[at])
        if data.draw(st.booleans()):
            pinned.add(data.draw(st.sampled_from([p.sequence for p in there])))
        elif pinned and data.draw(st.booleans()):
            pinned.remove(data.draw(st.sampled_from(sorted(pinned))))
        if data.draw(st.integers(0, 3)) == 0:
            continue
        now_ns = data.draw(st.integers(0, 600))
        ask = relief_of if data.draw(st.integers(0, 5)) == 0 else plan_of
        plan = ask(there, pinned, now_ns, policy, frontier)
        if plan is None:
            continue
        if ask is plan_of:
            expected = by_the_rules(there, pinned, now_ns, policy, frontier)
            assert [p.sequence for p in plan.kept] == expected
        assert plan.frontier >= frontier
        before, there = there, remaining(there, plan)
        safe = protected(before, pinned)
        assert safe <= {p.sequence for p in there}
        given_up |= {p.sequence for p in before} - {p.sequence for p in there}
        assert not given_up & {p.sequence for p in there}
        frontier = plan.frontier
        if ask is plan_of:
            assert plan_of(there, pinned, now_ns, policy, frontier) == plan


@settings(deadline=None, max_examples=100)
@given(histories(), POLICIES, st.data())
def test_relief_always_gives_something_up_and_ends_with_what_may_not_leave(points, policy, data):
    pinned = data.draw(st.sets(st.sampled_from([p.sequence for p in points]), max_size=3))
    there, plan = list(points), plan_of(points, pinned, 1_000, policy)
    there, frontier, steps = remaining(there, plan), plan.frontier, 0
    while (plan := relief_of(there, pinned, 1_000, policy, frontier)) is not None:
        after = remaining(there, plan)
        assert len(after) < len(there) or plan.frontier > frontier
        there, frontier, steps = after, plan.frontier, steps + 1
        assert steps <= 2 * len(points)
    # What is relieved may have made another point the best of its time: age then goes on.
    there = remaining(there, plan_of(there, pinned, 1_000, policy, frontier))
    safe = protected(points, pinned)
    assert safe <= {p.sequence for p in there}
    # The frontier may be one more: the writes from it to the newest point need something below.
    assert len({p.sequence for p in there} - safe) <= 1


def test_a_day_of_bookmarks_becomes_coarser_with_age():
    policy = RetentionPolicy(
        every_write_ns=2 * HOUR_NS,
        stages=(Stage(6 * HOUR_NS), Stage(2 * DAY_NS, HOUR_NS), Stage(9 * DAY_NS, DAY_NS)),
    )
    quarter_ns = HOUR_NS // 4
    points = [point(n + 1, n * quarter_ns) for n in range(10 * 96 + 1)]
    newest = points[-1]
    ages_ns = [
        newest.source_time_ns - p.source_time_ns
        for p in remaining(points, plan_of(points, (), newest.source_time_ns, policy))
    ]
    assert sum(age <= 6 * HOUR_NS for age in ages_ns) == 6 * 4 + 1
    assert sum(6 * HOUR_NS < age <= 2 * DAY_NS for age in ages_ns) == 42
    assert sum(2 * DAY_NS < age <= 9 * DAY_NS for age in ages_ns) == 7
    assert max(ages_ns) <= 9 * DAY_NS


def test_an_application_consistent_point_stays_before_an_earlier_crash_consistent_one():
    points = [point(1, 0, WRITE), point(2, 1), point(3, 2, APP), point(4, 3, APP), point(9, 90)]
    kept = plan_of(points, (), 90, replace(SMALL, stages=(Stage(200, 4),))).kept
    assert [p.sequence for p in kept] == [3, 4]  # the second because it is the newest one


def test_where_no_bookmark_was_made_writes_stand_in_for_them():
    points = [point(n, n, WRITE) for n in range(1, 40)]
    kept = plan_of(points, (), 39, SMALL).kept
    assert [p.sequence for p in kept] == [1, 4, 8, 12, 16, 20, 24, 28]


@pytest.mark.parametrize("now_ns", [50, 10**6, 10**18])
def test_while_no_new_point_comes_as_in_an_open_gap_none_leaves_however_late_it_is(now_ns):
    points = [point(n, n * 5, RANKS[n % 3]) for n in range(1, 11)]
    assert plan_of(points, (), now_ns, SMALL) == plan_of(points, (), 50, SMALL)


def test_a_source_clock_that_jumps_ahead_expires_nothing():
    points = [point(n, n * 5) for n in range(1, 11)]
    jumped = [*points[:-1], point(10, 10**15)]
    assert plan_of(jumped, (), 50, SMALL) == plan_of(points, (), 50, SMALL)


def test_the_oldest_does_not_leave_before_a_newer_one_can_take_its_place():
    points = [point(1, 0), point(2, 500, WRITE)]
    assert plan_of(points, (), 500, SMALL) == Plan(tuple(points[:1]))
    assert plan_of(points, (), 500, SMALL, frontier=1) == Plan(tuple(points[:1]))


def test_without_stages_the_oldest_point_follows_the_window_of_every_write():
    policy = replace(SMALL, stages=())
    points = [point(n, n, WRITE) for n in range(1, 40)]
    assert [p.sequence for p in plan_of(points, {3}, 39, policy).kept] == [3, 28]
    points = [p for p in points if p.sequence in (3, 28) or p.sequence > 28]
    points += [point(n, n, WRITE) for n in range(40, 50)]
    assert [p.sequence for p in plan_of(points, {3}, 49, policy, 28).kept] == [3, 36]


def test_coarsening_halves_the_fine_windows_before_anything_old_leaves():
    policy = replace(SMALL, when_full="coarsen_first")
    points = [point(n, n * 3, WRITE if n % 2 else CRASH) for n in range(1, 41)]
    plan = plan_of(points, (), 120, policy)
    relief = relief_of(points, (), 120, policy)
    assert relief.kept[0] == plan.kept[0]
    assert relief.frontier > plan.frontier
    oldest = relief_of(points, (), 120, replace(policy, when_full="purge_oldest"))
    assert oldest.kept == plan.kept[1:]
    assert relief_of(points, (), 120, replace(policy, when_full="pause")) is None


def test_the_newest_application_consistent_point_outlives_every_window():
    points = [point(1, 0, APP), *[point(n, n * 10) for n in range(2, 80)]]
    assert newest_app_of(points).sequence == 1
    assert plan_of(points, (), 10_000, SMALL).kept[0].sequence == 1


def test_a_policy_whose_stages_do_not_follow_each_other_is_refused():
    with pytest.raises(AssertionError, match="follows the one before"):
        RetentionPolicy(every_write_ns=9, stages=(Stage(8),))
    with pytest.raises(AssertionError, match="multiple"):
        replace(SMALL, stages=(Stage(30, 4), Stage(60, 6)))
