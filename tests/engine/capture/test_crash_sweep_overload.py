"""A crash after every single action of a way into overload and back: the capture survives it."""

import pytest
from engine_harness import Pair
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    app_tag,
    create,
    delete,
    rename,
    truncate,
    write,
)
from engine_overload import check_everything

from engine import Admitted, Capture, CaptureMode, CaptureSettings, Refused

BEFORE = [create("logs/a"), create("db/b"), write("logs/a", 0, b"1" * 200), app_tag("before")]
#: The way into spool, metadata and bitmap; names change hands, and a file is cut and grows again.
DURING = [
    write("db/b", 0, b"2" * 600),
    app_tag("in the spool"),
    write("logs/a", 200, b"3" * 600),
    write("db/b", 9_000, b"4" * 100),
    rename("logs/a", "logs/old"),
    create("logs/a"),
    write("logs/a", 5_000, b"5" * 100),
    truncate("db/b", 100),
    write("db/b", 13_000, b"6" * 100),
    write("db/b", 21_000, b"7" * 100),
    app_tag("refused"),
]
AFTER = [write("db/b", 50, b"8" * 100), delete("logs/old"), write("logs/a", 0, b"9" * 50)]
DISTURBANCES = {
    "source crash": lambda pair: pair.crash_source(),
    "disconnect": lambda pair: pair.disconnect(),
    "target crash, unsynced writes lost": lambda pair: pair.crash_target(lambda: "lost"),
}


def run(disturbances) -> Pair:
    """Go into overload and back; `disturbances` maps a step's number to what happens there."""
    spool = MemoryStorage()
    settings = CaptureSettings(
        pool_bytes_max=700,
        overflow="spill",
        spool_bytes_max=1_600,
        spool_file_bytes_max=500,
        metadata_changes_max=2,
        metadata_changes_low=2,
        drain_read_bytes_max=4_096,
        drain_window_bytes_max=8_192,
        time_interval_ns=200_000,
    )
    pair = Pair(
        Capture(
            group=GROUP, epoch=EPOCH, incarnation=INCARNATION, settings=settings, storage=spool
        ),
        spool=spool,
        at_step=lambda pair: disturbances.get(pair.steps, lambda _: None)(pair),
    )
    for change in BEFORE:
        show_until_taken(pair, change)
    pair.converge()
    pair.is_cut = True
    pair.disconnect()
    for change in DURING:
        pair.show(change)
        pair.step()
    pair.is_cut = False
    for change in AFTER:
        for _ in range(12):
            pair.step()
        pair.show(change)
    pair.converge()
    assert isinstance(pair.show(app_tag("after")), Admitted)
    pair.converge()
    return pair


def show_until_taken(pair, change):
    while isinstance(pair.show(change), Refused):
        pair.converge()


def test_the_sweep_goes_through_every_mode_and_its_tags_are_taken_or_refused_as_they_should():
    pair = run({})
    figures = pair.capture.figures(pair.now_ns)
    assert set(figures.mode_ns) == set(CaptureMode) - {CaptureMode.UNTRACKED}
    assert figures.gap_count == 1
    assert figures.tags_refused == 1
    labels = [tag.label for tag in pair.journal.index.tags]
    assert labels == ["before", "in the spool", "after"]
    check_everything(pair)


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_after_any_action_the_gap_still_closes_on_the_live_files(disturbance, crashes):
    steps = run({}).steps
    points = sum(
        check_everything(run({step: DISTURBANCES[disturbance]})) for step in range(1, steps + 1)
    )
    crashes("capture", steps, points)


@pytest.mark.nightly
@pytest.mark.parametrize("second", DISTURBANCES)
@pytest.mark.parametrize("first", DISTURBANCES)
def test_any_two_disturbances_on_the_way_change_nothing(first, second):
    steps = run({}).steps
    for step in range(1, steps + 1):
        for later in range(step + 1, step + 25, 3):
            check_everything(run({step: DISTURBANCES[first], later: DISTURBANCES[second]}))
