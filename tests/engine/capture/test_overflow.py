"""Overload: whatever overflows, every point equals the reference, and no other is offered."""

import pytest
from engine_overload import MOMENTS, RACES, check_everything, live_through, run_race
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import CaptureMode


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 1 << 32), st.integers(1, 60))
@example(432_323, 8)  # a rename that had room but for its name
def test_every_point_equals_the_reference_through_any_outages(seed, length):
    check_everything(live_through(seed, length))


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 1 << 32), st.integers(1, 60))
def test_every_point_equals_the_reference_through_outages_and_crashes(seed, length):
    check_everything(live_through(seed, length, 0.05))


@pytest.mark.nightly
@pytest.mark.parametrize("hundred", range(100))
def test_ten_thousand_long_histories_of_overload_survive(hundred):
    for seed in range(hundred * 100, hundred * 100 + 100):
        check_everything(live_through(seed, 90, 0.03))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("race", RACES)
def test_what_changes_while_it_is_read_is_not_taken_from_the_answer(race, moment):
    check_everything(run_race(race, moment))


def test_the_random_world_reaches_every_mode_and_every_kind_of_gap():
    """Probes: what the tests above are about does happen in them, often."""
    reached = dict.fromkeys(("spool", "metadata", "bitmap", "gaps", "refused", "reads", "back"), 0)
    for seed in range(80):
        pair = live_through(seed, 60, 0.03)
        figures = pair.capture.figures(pair.now_ns)
        for mode in (CaptureMode.SPOOL, CaptureMode.METADATA, CaptureMode.BITMAP):
            reached[mode.value] += mode in figures.mode_ns
        reached["gaps"] += figures.gap_count > 1
        reached["refused"] += figures.tags_refused > 0
        reached["reads"] += figures.drained_bytes > 0
        reached["back"] += figures.mode is CaptureMode.DATA and figures.gap_count > 0
    assert min(reached.values()) >= 5, reached


def test_the_same_seed_gives_the_same_bytes_through_overload():
    one, two = (live_through(7, 80, 0.03) for _ in range(2))
    assert one.storage.files == two.storage.files
    assert one.capture.figures(one.now_ns) == two.capture.figures(two.now_ns)
