"""Histories under overload: random ones, with outages longer than pool and spool lasts, and races.

A race is one change, or a few, at one moment of the only read that fills a gap.
"""

from random import Random

from engine_harness import Pair
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    app_tag,
    create,
    delete,
    flush,
    rename,
    truncate,
    write,
)
from engine_points import check_live, check_points

from engine import Capture, CaptureSettings, JournalSettings, actions

NAMES = ("logs/a", "logs/b", "db/c", "db/d")
FATES = ("kept", "torn", "lost", "cut")


def random_change(random, pair):
    """Draw a change that fits the live files."""
    names = sorted(pair.volume.files)
    free = [name for name in NAMES if name not in names]
    if not names or (free and random.random() < 0.1):
        return create(random.choice(free))
    name = random.choice(names)
    if pair.vacated in free and random.random() < 0.6:
        # A name that changes hands while a read of it is under way is what must go wrong.
        new_name, pair.vacated = pair.vacated, None
        return rename(name, new_name)
    return change_of(random, pair, name, free)


def change_of(random, pair, name, free):
    """Draw a change of the file `name`; names in `free` belong to no file."""
    kind = random.random()
    if kind < 0.55:
        data = random.randbytes(random.choice((1, 50, 300, 5_000)))
        return write(name, random.randrange(30_000), data)
    if kind < 0.65:
        return truncate(name, random.choice((0, random.randrange(40_000))))
    if kind < 0.85 and free:
        pair.vacated = name
        return rename(name, random.choice(free))
    if kind < 0.9:
        return delete(name)
    return flush(name) if kind < 0.93 else app_tag(f"bookmark {random.randrange(99)}")


def random_settings(random, overflow="spill"):
    high = random.choice((2, 4, 65_536))
    return CaptureSettings(
        pool_bytes_max=random.choice((300, 2_000, 20_000)),
        overflow=overflow,
        spool_bytes_max=random.choice((0, 3_000, 30_000)),
        spool_file_bytes_max=random.choice((1, 2_000)),
        spool_buffer_bytes_max=random.choice((6_000, 60_000)),
        metadata_changes_max=high,
        metadata_changes_low=random.choice((1, 2, high)) if high < 9 else 16_384,
        drain_read_bytes_max=random.choice((500, 10_000)),
        drain_window_bytes_max=random.choice((10_000, 20_000)),
        time_interval_ns=random.choice((50_000, 10_000_000)),
    )


def pair_of(capture_settings, random, capture=None, **arguments):
    spool = MemoryStorage()
    capture = capture or Capture(
        group=GROUP,
        epoch=EPOCH,
        incarnation=INCARNATION,
        settings=capture_settings,
        storage=spool,
    )
    return Pair(
        capture,
        spool=spool,
        choose=random.randrange,
        journal_settings=JournalSettings(segment_bytes_max=random.choice((1_500, 100_000))),
        chunk_bytes_max=random.choice((1 << 30, 300)),
        **arguments,
    )


def step_some(pair, random, count, disturbances):
    for _ in range(random.randrange(count)):
        if not pair.step():
            if random.random() < 0.3:
                pair.advance()
            return
        if (pair.reads or pair.answers) and random.random() < 0.2:
            # What changes while it is being read is what a drain may get wrong.
            pair.show(random_change(random, pair))
        if random.random() < disturbances:
            disturb(random, pair)


def disturb(random, pair):
    """Break the line, the source's session, or the target with what its disk makes of it."""
    kind = random.randrange(3)
    if kind == 0:
        pair.disconnect()
    elif kind == 1:
        pair.crash_source()
    else:
        pair.crash_target(random.choice((None, lambda: random.choice(FATES))))


def live_through(seed, length, disturbances=0.0, overflow="spill"):
    """Show random changes, with outages of the link, until all is durable and no gap is open."""
    random = Random(seed)
    pair = pair_of(random_settings(random, overflow), random)
    patience = random.choice((6, 40, 150))
    for _ in range(length):
        if random.random() < 0.15:
            pair.is_cut = not pair.is_cut
            if pair.is_cut:
                pair.disconnect()
        for _ in range(random.choice((1, 1, 3))):
            pair.show(random_change(random, pair))
        # While the link is up there may be time enough to fill a gap, or not.
        step_some(pair, random, 6 if pair.is_cut else patience, disturbances)
    pair.is_cut = False
    pair.converge()
    return pair


def check_everything(pair):
    """Check every sequence and the live files; return how many points there are."""
    points, _ = check_points(pair)
    check_live(pair)
    assert all(not name.endswith(".spool") for name in pair.spool.files), "the spool is empty"
    assert pair.capture.figures(pair.now_ns).dirty_count == 0
    return points


RACES = {
    "a write inside": [write("db/a", 100, b"N" * 100)],
    "a write over the end": [write("db/a", 7_990, b"N" * 100)],
    "a truncate": [truncate("db/a", 500)],
    "a truncate, and the file grows again": [truncate("db/a", 500), write("db/a", 9_000, b"N")],
    "a rename": [rename("db/a", "db/z")],
    "a rename, and another file takes the name": [
        rename("db/a", "db/z"),
        create("db/a"),
        write("db/a", 0, b"N" * 9_000),
    ],
    "two files swap their names": [
        rename("db/a", "db/z"),
        rename("db/b", "db/a"),
        rename("db/z", "db/b"),
    ],
    "a delete": [delete("db/a")],
    "a delete, and a new file of the name": [delete("db/a"), create("db/a")],
    "a flush and a tag": [flush("db/a"), app_tag("refused")],
}
MOMENTS = ("while it is asked for", "before it is read", "before it is answered")


def run_race(race, moment):
    """Open a gap over two files, let the changes of a race happen in it, and close it."""
    spool = MemoryStorage()
    settings = CaptureSettings(
        pool_bytes_max=9_000, overflow="spill", spool_bytes_max=0, time_interval_ns=1 << 40
    )
    capture = Capture(
        group=GROUP, epoch=EPOCH, incarnation=INCARNATION, settings=settings, storage=spool
    )
    pair = Pair(capture, spool=spool)
    for change in (create("db/a"), create("db/b"), write("db/a", 0, b"A" * 5_000)):
        pair.show(change)
    pair.converge()
    pair.is_cut = True
    pair.disconnect()
    for change in (write("db/b", 0, b"B" * 8_000), write("db/a", 0, b"a" * 8_000)):
        pair.show(change)
    assert pair.capture.is_in_gap
    pair.is_cut = False
    pair.run(lambda pair: any(isinstance(a, actions.ReadSource) for a in pair.source_actions))
    if moment != MOMENTS[0]:
        pair.run(lambda pair: bool(pair.reads))
    if moment == MOMENTS[2]:
        pair.run(lambda pair: bool(pair.answers))
    for change in RACES[race]:
        pair.show(change)
    pair.converge()
    return pair
