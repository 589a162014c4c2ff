"""A crash after every single action of a resync, at either end, and the host that stops again."""

import pytest
from engine_resync_sweep import HOST_STOPS, assert_joined, live_and_check, resync_of
from engine_sweep import DISTURBANCES


@pytest.mark.parametrize("disturbance", [*DISTURBANCES, *HOST_STOPS])
def test_after_any_action_of_a_resync_both_ends_meet_again_and_no_point_is_wrong(
    disturbance, crashes
):
    disturb = (DISTURBANCES | HOST_STOPS)[disturbance]
    steps = resync_of("roomy", {}).steps
    assert steps > 30
    points = sum(assert_joined(resync_of("roomy", {step: disturb})) for step in range(1, steps + 1))
    crashes("resync", steps, points)


@pytest.mark.nightly
@pytest.mark.parametrize("second", [*DISTURBANCES, *HOST_STOPS])
@pytest.mark.parametrize("first", [*DISTURBANCES, *HOST_STOPS])
def test_after_any_two_crashes_of_a_resync_both_ends_meet_again(first, second):
    known = DISTURBANCES | HOST_STOPS
    steps = resync_of("record per segment", {}).steps
    for step in range(1, steps + 1, 3):
        for later in range(step + 1, step + 20, 4):
            both = {step: known[first], later: known[second]}
            assert_joined(resync_of("record per segment", both))


SEEDS = range(60)


def test_any_history_of_writes_outages_and_host_crashes_ends_with_equal_files(figure):
    counts = [live_and_check(seed) for seed in SEEDS]
    points, inside = map(sum, zip(*counts, strict=True))
    assert points > 100
    figure(f"{len(SEEDS)} histories: {points} points equal, {inside} sequences in gaps refused")


@pytest.mark.nightly
def test_any_of_many_long_histories_with_host_crashes_ends_with_equal_files(figure):
    counts = [live_and_check(seed, 120) for seed in range(1_000, 4_000)]
    points, inside = map(sum, zip(*counts, strict=True))
    figure(f"{len(counts)} histories: {points} points equal, {inside} sequences in gaps refused")
