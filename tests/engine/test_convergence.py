"""Random histories, through every part, under random cuts and crashes: the images stay true."""

from random import Random

import pytest
from engine_harness import SMALL, Pair
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    Reference,
    app_tag,
    check_images,
    crash_tag,
    create,
    delete,
    flush,
    rename,
    truncate,
    write,
)
from engine_sweep import assert_survived
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    Capture,
    CaptureSettings,
    JournalSettings,
    Refused,
    SessionSettings,
    Waiting,
)

NAMES = ("logs/E00.log", "logs/E00tmp.log", "db/MDB1.edb", "logs/E0000000001.log")
FATES = ("kept", "torn", "lost", "cut")


def random_change(random: Random, names: list[str]):
    """Draw a change that fits the files `names`."""
    free = [name for name in NAMES if name not in names]
    if not names or (free and random.random() < 0.15):
        return create(random.choice(free))
    name = random.choice(names)
    others = [
        lambda: truncate(name, random.randrange(3_000)),
        lambda: rename(name, random.choice(free)) if free else flush(name),
        lambda: delete(name),
        lambda: flush(name),
        lambda: app_tag(f"bookmark {random.randrange(1000)}"),
        crash_tag,
    ]
    if random.random() < 0.4:
        return random.choice(others)()
    return write(name, random.randrange(2_500), *random_payload(random))


def random_payload(random: Random):
    payload = []
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        length = random.choice((1, 7, 64, 300, 1_500))
        shape = random.randrange(3)
        payload.append(
            length
            if shape == 0
            else random.randbytes(length)
            if shape == 1
            else bytes([random.randrange(256)]) * length
        )
    return payload


def random_history(random: Random, length: int):
    reference, history = Reference(), []
    for _ in range(length):
        change = random_change(random, sorted(reference.files))
        reference.apply(change)
        history.append(change)
    return history


def random_pair(random: Random) -> Pair:
    window = random.choice((100, 1_000, 6_000))
    return Pair(
        Capture(
            group=GROUP,
            epoch=EPOCH,
            incarnation=INCARNATION,
            settings=CaptureSettings(
                pool_bytes_max=random.choice((100, 500, 3_000, 100_000)),
                time_interval_ns=random.choice((50_000, 10_000_000)),
            ),
        ),
        journal_settings=JournalSettings(segment_bytes_max=random.choice((1, 200, 1_500, 100_000))),
        settings=SessionSettings(
            batch_bytes_max=random.choice((1, 100, window)) if window > 100 else window,
            window_bytes_max=window,
            batch_linger_ns=random.choice((0, 1_000)),
            heartbeat_interval_ns=SMALL.heartbeat_interval_ns,
            peer_timeout_ns=SMALL.peer_timeout_ns,
            connect_timeout_ns=SMALL.connect_timeout_ns,
            reconnect_delay_ns_min=SMALL.reconnect_delay_ns_min,
            reconnect_delay_ns_max=SMALL.reconnect_delay_ns_max,
            batch_compression_level=random.choice((None, 1)),
        ),
        choose=random.randrange,
        chunk_bytes_max=random.choice((1 << 30, 200, 20)),
    )


def disturb(pair: Pair, random: Random) -> None:
    kind = random.randrange(3)
    if any(pair.storage.unsynced.values()) and random.random() < 0.7:
        kind = 2  # the rare moment when a crash tears something
    if kind == 0:
        pair.disconnect()
    elif kind == 1:
        pair.crash_source()
    else:
        pair.crash_target(random.choice((None, lambda: random.choice(FATES))))


def live_through(seed: int, length: int, disturbances: float) -> Pair:
    """Show a random history to a random pair, in a random world, until all is durable."""
    random = Random(seed)
    pair = random_pair(random)
    for change in random_history(random, length):
        while isinstance(pair.show(change), Refused):
            # Its freeze would be over by now: the tag's requester tries again later.
            pair.run(lambda pair: not pair.waiting)
            pair.converge()
        for _ in range(random.randrange(6)):
            if not pair.step():
                break
            is_rare = any(pair.storage.unsynced.values())
            if random.random() < disturbances * (4 if is_rare else 1):
                disturb(pair, random)
        if random.random() < 0.2:
            pair.now_ns += random.randrange(20_000)
    pair.converge()
    return pair


def assert_nothing_is_missing(pair: Pair) -> None:
    assert_survived(pair)
    pair.crash_target(lambda: "cut")
    pair.converge()
    check_images(pair.journal, pair.shown)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 1 << 32), st.integers(0, 40))
def test_every_image_equals_the_reference_when_nothing_goes_wrong(seed, length):
    assert_nothing_is_missing(live_through(seed, length, 0.0))


@settings(deadline=None, max_examples=500)
@given(st.integers(0, 1 << 32), st.integers(0, 30))
def test_every_image_equals_the_reference_after_any_cuts_and_crashes(seed, length):
    assert_nothing_is_missing(live_through(seed, length, 0.08))


@pytest.mark.nightly
@pytest.mark.parametrize("hundred", range(30))
def test_three_thousand_long_histories_survive(hundred):
    for seed in range(hundred * 100, hundred * 100 + 100):
        assert_nothing_is_missing(live_through(seed, 60, 0.05))


def test_the_random_world_reaches_what_it_is_meant_to_test():
    """Probes: waits, refusals, reconnects and torn tails do happen, or the test above is blind."""
    reached = {"waiting": 0, "tail_cuts": 0, "connections": 0, "segments": 0}
    for seed in range(40):
        pair = live_through(seed, 25, 0.08)
        reached["waiting"] += pair.tickets_ever > 0
        reached["tail_cuts"] += pair.tail_cuts
        reached["connections"] += pair.connections > 1
        reached["segments"] += len(pair.journal.segments) > 1
    assert min(reached.values()) >= 5, reached


def test_the_same_seed_gives_the_same_bytes():
    one, two = (live_through(99, 40, 0.05) for _ in range(2))
    assert one.storage.files == two.storage.files
    assert (one.steps, one.now_ns) == (two.steps, two.now_ns)


def test_a_writer_that_waits_is_let_go_in_order_once_there_is_room():
    pair = Pair(
        Capture(
            group=GROUP,
            epoch=EPOCH,
            incarnation=INCARNATION,
            settings=CaptureSettings(pool_bytes_max=400),
        )
    )
    pair.show(create("db/a"))
    answers = [pair.show(write("db/a", n, bytes([n]))) for n in range(20)]
    assert sum(isinstance(answer, Waiting) for answer in answers) == 15
    pair.converge()
    assert not pair.waiting
    check_images(pair.journal, pair.shown)
