"""A small resync to disturb at any of its steps, and what must hold after it."""

from random import Random

from engine_model import contents, create, rename, truncate, write
from engine_points import check_live, check_points
from engine_resync import first_copy, live_with_host_stops, stop_host

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
    """Check the live files and every sequence; return how many points there are."""
    check_live(pair)
    points, _ = check_points(pair)
    assert contents(Image(pair.journal, pair.good)) == FILES, "the last good point before it"
    return points


def live_and_check(seed, length=40):
    pair = live_with_host_stops(seed, length)
    check_live(pair)
    # Where writers waited for room, nobody has noted what the files were at their records.
    return (0, 0) if pair.tickets_ever else check_points(pair)
