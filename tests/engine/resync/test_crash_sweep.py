"""A crash after every single action of a resync, at either end, and the host that stops again."""

from random import Random

import pytest
from engine_model import contents, create, rename, truncate, write
from engine_points import check_live, check_points
from engine_resync import first_copy, live_with_host_stops, stop_host
from engine_sweep import DISTURBANCES

from engine import CaptureSettings, Image, JournalSettings

FILES = {"db/a": Random(3).randbytes(40_000), "logs/b": b"b" * 9_000 + bytes(30_000)}
HOST_STOPS = {"the source's host stops again": stop_host}
#: (pool, segment): everything in one piece; and a record per segment.
SHAPES = {"roomy": 1 << 20, "record per segment": 1}


def resync_of(shape, disturbances):
    """Run a first copy, then a resync, with disturbances at the steps of the second."""
    settings = CaptureSettings(time_interval_ns=1 << 40)
    pair = first_copy(FILES, journal_settings=JournalSettings(segment_bytes_max=SHAPES[shape]))
    pair.capture.settings = settings
    pair.converge()
    pair.good = pair.journal.durable.sequence
    for change in (
        write("db/a", 20_000, b"unseen" * 900),
        truncate("logs/b", 5_000),
        create("logs/c"),
        write("logs/c", 4_000, b"new"),
    ):
        pair.volume.apply(change)
    stop_host(pair)
    pair.steps, pair.shown_at = 0, {12: write("db/a", 0, b"seen"), 25: rename("logs/b", "logs/d")}

    def at_step(pair):
        if pair.steps in pair.shown_at:
            pair.show(pair.shown_at.pop(pair.steps))
        disturbances.get(pair.steps, lambda _: None)(pair)

    pair.at_step = at_step
    pair.converge()
    return pair


def assert_joined(pair):
    check_live(pair)
    check_points(pair)
    assert contents(Image(pair.journal, pair.good)) == FILES, "the last good point before it"


@pytest.mark.parametrize("disturbance", [*DISTURBANCES, *HOST_STOPS])
def test_after_any_action_of_a_resync_both_ends_meet_again_and_no_point_is_wrong(disturbance):
    disturb = (DISTURBANCES | HOST_STOPS)[disturbance]
    steps = resync_of("roomy", {}).steps
    assert steps > 30
    for step in range(1, steps + 1):
        assert_joined(resync_of("roomy", {step: disturb}))


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


def live_and_check(seed, length=40):
    pair = live_with_host_stops(seed, length)
    check_live(pair)
    # Where writers waited for room, nobody has noted what the files were at their records.
    return (0, 0) if pair.tickets_ever else check_points(pair)


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
