"""Small workloads, and everything that may happen after any one of their actions.

Nearly all known crash bugs need three or fewer operations and a crash right after a sync
(simulation.md, finding 12): so short workloads, exhaustively.
"""

from engine_harness import Pair
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    app_tag,
    check_images,
    create,
    delete,
    flush,
    rename,
    truncate,
    write,
)

from engine import Capture, CaptureSettings, JournalSettings, RecordType, Refused

WORKLOADS = {
    "one log file in place": [
        create("logs/E00.log"),
        write("logs/E00.log", 0, b"header" * 100),
        write("logs/E00.log", 512, b"record" * 30, 400),
    ],
    "a log generation change": [
        create("logs/E00tmp.log"),
        write("logs/E00tmp.log", 0, 1_024),
        rename("logs/E00tmp.log", "logs/E00.log"),
        write("logs/E00.log", 0, b"x" * 600),
        flush("logs/E00.log"),
        rename("logs/E00.log", "logs/E0000000001.log"),
        delete("logs/E0000000001.log"),
    ],
    "a bookmark between dependent writes": [
        create("logs/E00.log"),
        create("db/MDB1.edb"),
        write("logs/E00.log", 0, b"A" * 300),
        app_tag("bookmark 1"),
        write("db/MDB1.edb", 4_096, b"B" * 300),
        truncate("db/MDB1.edb", 4_200),
    ],
}
#: (pool, segment) sizes: everything in one piece; a record per segment; a pool that pushes back;
#: and everything in one piece again, but each change durable before the next one is shown.
SHAPES = {
    "roomy": (100_000, 100_000),
    "record per segment": (100_000, 1),
    "tight": (800, 900),
    "one by one": (100_000, 100_000),
}
FATES = ("kept", "torn", "lost", "cut")


def alternating_fates():
    turn = [0]

    def fate():
        turn[0] += 1
        return ("lost", "kept")[turn[0] % 2]

    return fate


DISTURBANCES = {
    "source crash": lambda pair: pair.crash_source(),
    "disconnect": lambda pair: pair.disconnect(),
    "target process crash": lambda pair: pair.crash_target(),
    **{
        f"target crash, unsynced writes {fate}": lambda pair, fate=fate: pair.crash_target(
            lambda: fate
        )
        for fate in FATES
    },
    "target crash, a hole before kept writes": lambda pair: pair.crash_target(alternating_fates()),
}


def run(workload, shape, disturbances) -> Pair:
    """Run a workload to convergence; `disturbances` maps a step's number to what happens there."""
    pool_bytes, segment_bytes = SHAPES[shape]
    pair = Pair(
        Capture(
            group=GROUP,
            epoch=EPOCH,
            incarnation=INCARNATION,
            settings=CaptureSettings(pool_bytes_max=pool_bytes, time_interval_ns=30_000),
        ),
        journal_settings=JournalSettings(segment_bytes_max=segment_bytes),
        at_step=lambda pair: disturbances.get(pair.steps, lambda _: None)(pair),
    )
    for change in WORKLOADS[workload]:
        while isinstance(pair.show(change), Refused):
            pair.converge()
        if shape == "one by one":
            pair.converge()
        for _ in range(4):
            pair.step()
    pair.converge()
    return pair


def assert_survived(pair: Pair) -> int:
    """Check every record and every image; return how many points were checked."""
    journal = pair.journal
    kinds = [journal.index.row(n).kind for n in range(1, journal.durable.sequence + 1)]
    assert [kind for kind in kinds if kind != RecordType.TIME] == [c.kind for c in pair.shown]
    check_images(journal, pair.shown)
    return journal.durable.sequence
