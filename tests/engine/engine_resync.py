"""A source host that stops without warning, and comes back beside the old target: resyncs in full.

What was captured and not yet durable at the target is lost with the host; its volumes are not.
"""

from random import Random

from engine_harness import Pair
from engine_model import EPOCH, GROUP, MemoryStorage, Reference
from engine_overload import disturb, random_change, random_settings

from engine import Capture, JournalSettings
from engine.basics.settings import ResyncSettings, SessionSettings

#: Extents and windows so small that a few kilobytes have many of them.
AUTOMATIC = ResyncSettings(
    policy="automatic",
    extent_bytes=16 << 10,
    ask_bytes_max=32 << 10,
    window_bytes_max=48 << 10,
    window_extents_max=4,
)


def session_settings(resync=AUTOMATIC):
    return SessionSettings(
        batch_bytes_max=20_000,
        window_bytes_max=60_000,
        batch_linger_ns=1_000,
        heartbeat_interval_ns=1_000_000,
        peer_timeout_ns=5_000_000,
        connect_timeout_ns=2_000_000,
        reconnect_delay_ns_min=10_000,
        reconnect_delay_ns_max=100_000,
        frame_bytes_max=1 << 20,
        resync=resync,
    )


def volume_of(files):
    volume = Reference()
    volume.files = {name: bytearray(data) for name, data in files.items()}
    return volume


def unbased(volume, incarnation, *, settings=None, spool=None, epoch=EPOCH):
    sizes = {name: len(data) for name, data in volume.files.items()}
    return Capture.unbased(
        group=GROUP,
        epoch=epoch,
        incarnation=incarnation,
        files=sizes,
        settings=settings,
        storage=spool,
    )


def first_copy(files, **arguments):
    """Return a pair whose source has files, and whose target has nothing."""
    volume = volume_of(files)
    arguments = {"settings": session_settings()} | arguments
    return Pair(unbased(volume, 1), volume=volume, **arguments)


def stop_host(pair, *, settings=None):
    """Stop the source's host without warning, and start it again with a new capture."""
    spool = MemoryStorage()
    settings = settings or pair.capture.settings
    incarnation = pair.capture.incarnation + 1
    pair.capture = unbased(pair.volume, incarnation, settings=settings, spool=spool)
    pair.spool = spool
    pair.spool_syncs.clear()
    pair.reads.clear()
    pair.answers.clear()
    pair.waiting.clear()
    pair.crash_source()
    return pair


def figures(pair):
    return pair.source.resync.comparison.figures


def random_files(random):
    """Draw files of a few blocks to a few extents, with holes in them."""
    files = {}
    for name in ("logs/a", "logs/b", "db/c"):
        size = random.choice((0, 700, 9_000, 40_000, 70_000))
        content = bytearray(random.randbytes(size))
        for _ in range(size // 10_000):
            start = random.randrange(size) // 4_096 * 4_096
            content[start : start + 8_192] = bytes(len(content[start : start + 8_192]))
        files[name] = bytes(content)
    return files


def change_unseen(random, pair):
    """Change the live files while no capture watches them."""
    for _ in range(random.choice((0, 1, 5))):
        change = random_change(random, pair)
        pair.volume.apply(change)


def live_with_host_stops(seed, length, *, stops=0.05, make_pair=None):
    """Show random changes; stop the host now and then; return the pair, joined again."""
    random = Random(seed)
    overflow = random.choice(("push_back", "spill", "break"))
    capture_settings = random_settings(random, overflow)
    volume, spool = volume_of(random_files(random)), MemoryStorage()
    pair = (make_pair or Pair)(
        unbased(volume, 1, settings=capture_settings, spool=spool),
        volume=volume,
        spool=spool,
        settings=session_settings(),
        choose=random.randrange,
        journal_settings=JournalSettings(segment_bytes_max=random.choice((1_500, 100_000))),
        chunk_bytes_max=random.choice((1 << 30, 300)),
    )
    patience = random.choice((10, 60, 200))
    for _ in range(length):
        if random.random() < 0.1:
            pair.is_cut = not pair.is_cut
            if pair.is_cut:
                pair.disconnect()
        if random.random() < stops:
            change_unseen(random, pair)
            stop_host(pair)
        for _ in range(random.choice((0, 1, 3))):
            pair.show(random_change(random, pair))
        step_and_disturb(pair, random, patience)
    pair.is_cut = False
    pair.converge()
    return pair


def step_and_disturb(pair, random, count):
    for _ in range(random.randrange(count)):
        if not pair.step():
            pair.advance()
            return
        if (pair.reads or pair.answers) and random.random() < 0.1:
            # What changes while it is being compared is what a comparison may get wrong.
            pair.show(random_change(random, pair))
        if random.random() < 0.01:
            disturb(random, pair)
