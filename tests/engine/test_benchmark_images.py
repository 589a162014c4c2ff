"""Reading an image from front to back, out of records and out of layers, beside a plain file.

Two floors: the plain file, and the plain file with each read checked by a crc32, which no image
goes without. Run with `pytest --benchmark-only tests/engine`.
"""

import os

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, create, write
from isal.isal_zlib import crc32

from engine import Capture, CaptureSettings, Image, open_journal
from engine.basics.payload import to_bytes
from engine.basics.settings import LayerSettings
from engine.layers.keeper import LayerKeeper
from engine.layers.plan import LayerMap
from engine.live import JournalDirectory

MIB = 1 << 20
FILE_BYTES = 64 * MIB
READ_BYTES = MIB
WRITE_BYTES = 64 << 10
EVERY_BYTE = LayerSettings(segments_per_delta=1, deltas_per_image=1, compression_level=None)


@pytest.fixture(scope="module")
def content():
    return os.urandom(FILE_BYTES)


@pytest.fixture(scope="module")
def made(tmp_path_factory, content):
    """A journal of a file written twice over, in layers up to its last segment's beginning."""
    directory = JournalDirectory(tmp_path_factory.mktemp("journal"))
    journal = open_journal(directory, group=GROUP).journal
    journal.adopt(EPOCH, INCARNATION)
    capture = Capture(
        group=GROUP,
        epoch=EPOCH,
        incarnation=INCARNATION,
        settings=CaptureSettings(pool_bytes_max=1 << 40, compression_level=None),
    )
    capture.admit(create("a"), 0)
    for turn in range(2):
        for start in range(0, FILE_BYTES, WRITE_BYTES):
            data = content[start : start + WRITE_BYTES]
            capture.admit(write("a", start, data if turn else data[::-1]), 0)
    for sequence in range(1, capture.newest.sequence + 1):
        carry_out(directory, journal.ingest(capture.entry(sequence).record), journal.sync_done)
    return directory, journal


def carry_out(directory, actions, sync_done):
    queue = list(actions)
    while queue:
        events = directory.carry_out(queue)
        queue = [action for event in events for action in sync_done(event.token)]


def read_all(read):
    total = 0
    for offset in range(0, FILE_BYTES, READ_BYTES):
        total += len(read(offset))
    assert total == FILE_BYTES


@pytest.mark.benchmark(group=f"sequential read of {FILE_BYTES // MIB} MiB")
class TestSequentialRead:
    def test_floor_a_plain_file(self, benchmark, tmp_path, content):
        (tmp_path / "plain").write_bytes(content)
        with (tmp_path / "plain").open("rb", buffering=0) as plain:
            benchmark(read_all, lambda offset: os.pread(plain.fileno(), READ_BYTES, offset))

    def test_floor_a_plain_file_with_checksums(self, benchmark, tmp_path, content):
        (tmp_path / "plain").write_bytes(content)
        with (tmp_path / "plain").open("rb", buffering=0) as plain:

            def read(offset):
                data = os.pread(plain.fileno(), READ_BYTES, offset)
                assert crc32(data) >= 0
                return data

            benchmark(read_all, read)

    def test_image_out_of_records(self, benchmark, made, content):
        _, journal = made
        image = Image(journal, journal.durable.sequence)
        assert image.read("a", 12_345, 100_000) == content[12_345:112_345]
        benchmark(read_all, lambda offset: image.read("a", offset, READ_BYTES))

    def test_image_out_of_layers(self, benchmark, made, content):
        directory, journal = made
        keeper = LayerKeeper(journal, EVERY_BYTE)
        while not keeper.is_idle:
            carry_out(directory, keeper.step(), keeper.sync_done)
        assert keeper.failure is None
        view = LayerMap(journal).view(journal.durable.sequence)
        (file,) = view.names
        benchmark(read_all, lambda offset: to_bytes(view.read(file, offset, READ_BYTES)))
