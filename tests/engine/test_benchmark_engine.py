"""Speeds of the engine's hot paths, each beside the floor that no engine can beat.

The text is generated prose-like text, so that the compressor has honest work to do.
Run with `pytest --benchmark-only tests/engine`.
"""

import os
from functools import cache
from itertools import count
from random import Random

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, write
from engine_whole_path import WholePath, capture_of
from isal.isal_zlib import crc32

from engine import (
    Image,
    open_journal,
)
from engine.live import JournalDirectory

KIB = 1 << 10
PAGES = 64


def text_of(length):
    random = Random(7)
    words = [
        "".join(random.choices("etaoinshrdlu", k=random.randrange(2, 9))) for _ in range(3_000)
    ]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    return " ".join(random.choices(words, weights, k=length // 4)).encode()[:length]


TEXT = text_of(16 << 20)


def slices_of(length):
    """Yield different stretches of the text for ever."""
    for number in count():
        start = number * 4_099 % (len(TEXT) - length)
        yield TEXT[start : start + length]


def records_of(length, number):
    capture, pages = capture_of(), slices_of(length)
    for n in range(number):
        capture.admit(write("db/a", n * length, next(pages)), n)
    return [capture.entry(n).record for n in range(1, number + 2)]


@cache
def batches_of(number):
    """Return that many batches of PAGES records each, encoded once for all rounds."""
    records = records_of(8 * KIB, number * PAGES - 1)
    return [b"".join(records[n : n + PAGES]) for n in range(0, len(records), PAGES)]


@pytest.mark.parametrize("length", [8 * KIB, 64 * KIB])
class TestCapture:
    @pytest.fixture(autouse=True)
    def group(self, benchmark, length):
        benchmark.group = f"capture of {PAGES} writes of {length // KIB} KiB"

    def test_capture(self, benchmark, length):
        capture, pages = capture_of(), slices_of(length)

        def capture_pages():
            for n in range(PAGES):
                capture.admit(write("db/a", n * length, next(pages)), n)
            capture.acknowledge(capture.newest, 0)

        benchmark(capture_pages)
        assert capture.pool_bytes == 0
        assert capture.newest.sequence > PAGES

    def test_floor_a_copy_of_the_same_bytes(self, benchmark, length):
        pages, pool = slices_of(length), []

        def copy_pages():
            pool.clear()
            pool.extend(bytes(64) + next(pages) for _ in range(PAGES))

        benchmark(copy_pages)
        assert len(pool[0]) == 64 + length


class TestJournalAppend:
    """Eight MiB in batches of 64 writes, each batch synced."""

    BATCHES = 16

    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "append 8 MiB to a directory, one sync per half MiB"

    @pytest.fixture
    def batches(self):
        return batches_of(self.BATCHES)

    def test_journal(self, benchmark, batches, tmp_path):
        numbers = count()

        def setup():
            path = tmp_path / str(next(numbers))
            path.mkdir()
            directory = JournalDirectory(path)
            journal = open_journal(directory, group=GROUP).journal
            journal.adopt(EPOCH, INCARNATION)
            return (directory, journal), {}

        def append(directory, journal):
            for batch in batches:
                (done,) = directory.carry_out(journal.ingest(batch))
                journal.sync_done(done.token)
            directory.close()
            assert journal.durable.sequence == self.BATCHES * PAGES

        benchmark.pedantic(append, setup=setup, rounds=10)

    def test_floor_a_plain_file_of_the_same_bytes(self, benchmark, batches, tmp_path):
        numbers = count()

        def append():
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            descriptor = os.open(tmp_path / str(next(numbers)), flags)
            for batch in batches:
                os.write(descriptor, batch)
                os.fsync(descriptor)
            os.close(descriptor)

        benchmark.pedantic(append, rounds=10)
        assert (tmp_path / "0").stat().st_size == sum(map(len, batches))


class TestImageRead:
    """One file of 8 MiB, written page by page, read page by page."""

    PAGE_COUNT = 1_024

    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "read 8 MiB of an image page by page"

    @pytest.fixture
    def journal(self, tmp_path):
        directory = JournalDirectory(tmp_path)
        journal = open_journal(directory, group=GROUP).journal
        journal.adopt(EPOCH, INCARNATION)
        records = records_of(8 * KIB, self.PAGE_COUNT)
        (done,) = directory.carry_out(journal.ingest(b"".join(records)))
        journal.sync_done(done.token)
        yield journal
        directory.close()

    def test_image_planned_and_read(self, benchmark, journal):
        def read():
            image = Image(journal, journal.durable.sequence)
            return sum(
                len(image.read("db/a", n * 8 * KIB, 8 * KIB)) for n in range(self.PAGE_COUNT)
            )

        assert benchmark(read) == self.PAGE_COUNT * 8 * KIB

    def test_floor_reads_of_a_plain_file(self, benchmark, tmp_path):
        path = tmp_path / "plain"
        path.write_bytes(TEXT[: self.PAGE_COUNT * 8 * KIB])
        descriptor = os.open(path, os.O_RDONLY)

        def read():
            return sum(
                len(os.pread(descriptor, 8 * KIB, n * 8 * KIB)) for n in range(self.PAGE_COUNT)
            )

        assert benchmark(read) == self.PAGE_COUNT * 8 * KIB
        os.close(descriptor)


class TestWholePath:
    """Capture to acknowledged, in memory: what a simulated day costs per write."""

    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = f"{PAGES} writes of 8 KiB from capture to acknowledgement"

    @pytest.mark.parametrize("payload", ["full", "sparse"])
    def test_capture_to_acknowledged(self, benchmark, payload, tmp_path):
        pages, whole = slices_of(8 * KIB), WholePath(tmp_path)

        def write_pages():
            for n in range(PAGES):
                body = (next(pages),) if payload == "full" else (b"header", 8 * KIB - 6)
                whole.write(write("db/a", n * 8 * KIB, *body))
            whole.pass_time()

        benchmark.pedantic(write_pages, rounds=50)
        assert whole.capture.acknowledged == whole.capture.newest
        assert whole.capture.newest.sequence > 50 * PAGES
        whole.directory.close()

    def test_floor_a_checksum_of_the_same_bytes(self, benchmark):
        pages = slices_of(8 * KIB)

        def checksum():
            for _ in range(PAGES):
                crc32(next(pages))

        benchmark(checksum)
