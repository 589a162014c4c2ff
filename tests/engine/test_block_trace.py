"""Two hours of a real disk through capture, session, journal and layers: every moment is right.

At a thousand random sequences places of the image are compared with a reference of which write was
the last one of each sector; at some of them every byte of the image is.
"""

from itertools import pairwise
from random import Random
from time import perf_counter

import pytest
from engine_block_trace import (
    SECTOR_BYTES,
    TRACE,
    DiskReference,
    digest_of,
    payload_of,
    read_trace,
)
from engine_model import write
from engine_whole_path import FILE, WholePath

from engine import Image, JournalSettings, LayerKeeper, LayerSettings, errors
from engine.basics.payload import to_bytes
from engine.basics.settings import SECOND_NS

SAMPLES = 1_000
PLACES = 8

pytestmark = pytest.mark.skipif(
    not TRACE.exists(), reason="the block trace lies outside the repository"
)


class Replay:
    """A stretch of the trace, replayed as fast as it goes, with layers made beside it.

    `sequences[n]` is the sequence of write n + 1.
    """

    def __init__(self, path, seconds, segment_bytes_max):
        self.writes = read_trace(seconds)
        self.sequences = []
        self.whole = WholePath(path, JournalSettings(segment_bytes_max=segment_bytes_max))
        self.journal = self.whole.journal
        settings = LayerSettings(segments_per_delta=4, deltas_per_merge=4)
        self.keeper = LayerKeeper(self.journal, settings)
        for number, done in enumerate(self.writes, 1):
            while self.whole.now_ns < done.time_s * SECOND_NS:
                self.whole.pass_time(self.whole.now_ns + SECOND_NS)
                self.whole.work(self.keeper)
            admission = self.whole.write(
                write(FILE, done.sector * SECTOR_BYTES, payload_of(done, number))
            )
            self.sequences.append(admission.sequence)
        self.whole.pass_time()
        self.whole.work(self.keeper)
        assert self.journal.durable == self.whole.capture.newest
        assert self.whole.capture.acknowledged == self.whole.capture.newest

    @property
    def written_bytes(self):
        return sum(done.sectors for done in self.writes) * SECTOR_BYTES

    def check(self, sequences, random, whole_at=()):
        """Compare the images at some ascending sequences; return how many bytes were."""
        reference, compared = DiskReference(self.writes), 0
        for sequence in sequences:
            while (
                reference.count < len(self.writes) and self.sequences[reference.count] <= sequence
            ):
                reference.advance(reference.count + 1)
            image = Image(self.journal, sequence)
            assert image.size(FILE) == reference.size_bytes
            for _ in range(PLACES):
                compared += self.check_place(image, reference, random)
            if sequence in whole_at:
                pieces = ((at, to_bytes(data)) for at, data in image.pieces(FILE))
                assert digest_of(pieces) == reference.digest(), f"the image at {sequence}"
                compared += int((reference.writers > 0).sum()) * SECTOR_BYTES
        return compared

    def check_place(self, image, reference, random):
        """Compare the place of some write, and a little on both sides of it."""
        near = random.random() < 0.5  # what was just written, or anything of the whole trace
        last = max(min(reference.count, len(self.writes) - 1), 0)
        chosen = self.writes[max(last - random.randrange(50), 0) if near else -1]
        chosen = chosen if near else random.choice(self.writes)
        start = max(chosen.sector - random.randrange(16), 0)
        sectors = chosen.sectors + random.randrange(16)
        expected = reference.read(start, sectors)
        size = max(reference.size_bytes - start * SECTOR_BYTES, 0)
        got = image.read(FILE, start * SECTOR_BYTES, sectors * SECTOR_BYTES)
        assert got == expected[:size], f"sectors from {start} on at {image.sequence}"
        return len(got)


def is_offered(journal, sequence):
    try:
        Image(journal, sequence)
    except errors.PointRefused:
        return False
    return True


def check_a_replay(path, seconds, segment_bytes_max, wholes, figure):
    begun_s, random = perf_counter(), Random(7)
    replay = Replay(path, seconds, segment_bytes_max)
    journal, newest = replay.journal, replay.journal.durable.sequence
    replayed_s = perf_counter() - begun_s
    layers = len(journal.manifest.layers)
    assert layers
    some = sorted(random.sample(range(1, newest + 1), min(SAMPLES, newest)))
    whole_at = {*random.sample(some, wholes), some[-1]}
    compared = replay.check(some, random, whole_at)
    kept = [0, *sorted({*random.sample(some, 12), *whole_at})]
    for low, high in pairwise(kept):
        replay.keeper.compact(low, high)
    replay.whole.work(replay.keeper)
    compared += replay.check(kept[1:], random, whole_at)
    others = [n for n in some if n not in kept]
    offered = [n for n in others if is_offered(journal, n)]
    # Those of the segment in which the last kept point lies; they read as before.
    compared += replay.check(offered, random)
    assert len(offered) * 4 < len(others)
    replay.whole.directory.close()
    figure(
        f"{len(replay.writes)} writes, {replay.written_bytes / 1e6:.0f} MB, "
        f"{replay.whole.line_bytes / 1e6:.0f} MB on the line, {layers} layers, replayed in "
        f"{replayed_s:.1f} s; {len(some)} images, {len(whole_at)} of them whole, "
        f"{compared / 1e6:.0f} MB compared; after compaction {len(kept) - 1} images, "
        f"{len(others) - len(offered)} of the others refused"
    )


def test_ten_minutes_of_a_real_disk_are_right_at_a_thousand_moments(tmp_path, figure):
    check_a_replay(tmp_path, 600, 1 << 20, 3, figure)


@pytest.mark.nightly
def test_two_hours_of_a_real_disk_are_right_at_a_thousand_moments(tmp_path, figure):
    check_a_replay(tmp_path, 7_201, 64 << 20, 2, figure)
