"""What a journal costs as it grows: memory per record, and opening it and its images.

Run with `pytest --benchmark-only tests/engine/test_benchmark_journal.py`; the largest sizes are
for the nightly environment (`-m nightly`).
"""

import subprocess
import sys
from pathlib import Path

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, create, write

from engine import Capture, CaptureSettings, Image, JournalSettings, open_journal
from engine.live import JournalDirectory

MIB = 1 << 20
BATCH_RECORDS = 4_096


def filled(path, record_count, payload, segment_bytes_max=64 * MIB):
    """Fill a journal in a directory with random-looking overwrites of one file; return it."""
    directory = JournalDirectory(path)
    settings = JournalSettings(segment_bytes_max=segment_bytes_max)
    journal = open_journal(directory, group=GROUP, settings=settings).journal
    journal.adopt(EPOCH, INCARNATION)
    capture = Capture(
        group=GROUP,
        epoch=EPOCH,
        incarnation=INCARNATION,
        settings=CaptureSettings(pool_bytes_max=1 << 40, compression_level=None),
    )
    capture.admit(create("db/a"), 0)
    for first in range(1, record_count, BATCH_RECORDS):
        last = min(first + BATCH_RECORDS, record_count)
        for number in range(first, last):
            page = number * 40_503 % 65_536
            capture.admit(write("db/a", page * len(payload), payload), number)
        start = capture.oldest_sequence
        batch = [capture.entry(n).record for n in range(start, capture.newest.sequence + 1)]
        told = directory.carry_out(journal.ingest(b"".join(batch)))
        while told:
            told += directory.carry_out(journal.sync_done(told.pop(0).token))
        capture.acknowledge(journal.durable, 0)
    assert journal.durable.sequence == record_count
    return directory, journal


def resident_bytes(field):
    """Return VmRSS, the resident size of this process, or VmHWM, the largest it ever had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith(field)]
    return int(line.split()[1]) * 1024


def grown_by(path, record_count):
    """Fill a journal in this process, read all over it, and print by what its memory grew."""
    filled(path, 2, b"x")  # whatever any journal needs
    (path / "full").mkdir()
    before = resident_bytes("VmRSS")
    _, journal = filled(path / "full", record_count, b"x" * 32)
    for part in range(1, 17):
        sequence = record_count * part // 16
        image = Image(journal, sequence)
        assert image.read("db/a", 0, 64)
        assert journal.index.row(sequence).sequence == sequence
    largest = resident_bytes("VmHWM")
    return largest, largest - before


def in_a_child(path, record_count):
    """Return what `grown_by` returns, measured in a process of its own."""
    here = Path(__file__).parent
    program = (
        f"import sys; sys.path[:0] = [{str(here)!r}, {str(here.parents[1])!r}]\n"
        "from pathlib import Path\n"
        "from test_benchmark_journal import grown_by\n"
        f"print(*grown_by(Path({str(path)!r}), {record_count}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return tuple(int(number) for number in done.stdout.split())


def test_half_a_million_records_take_no_memory_of_their_own(tmp_path, figure):
    """Rows of the open segment, the index cache, and one segment being sealed."""
    resident, grown = in_a_child(tmp_path, 500_000)
    figure(f"500,000 records: {resident / MIB:.0f} MiB resident, {grown / 500_000:.0f} B a record")
    assert resident < 200 * MIB


@pytest.mark.nightly
def test_ten_million_records_stay_under_200_mb(tmp_path, figure):
    resident, grown = in_a_child(tmp_path, 10_000_000)
    figure(
        f"10,000,000 records: {resident / MIB:.0f} MiB resident, {grown / 10_000_000:.1f} B each"
    )
    assert resident < 200_000_000


#: In MiB; each journal ends in the middle of a segment.
SIZES = [12, 100, 1_004, pytest.param(10_236, marks=pytest.mark.nightly)]
SEGMENT_BYTES = 8 * MIB


@pytest.fixture(scope="module")
def journals(tmp_path_factory):
    """Journals by their size in MiB, each filled once, with pages of 64 KiB."""
    made = {}

    def of(size):
        if size not in made:
            path = tmp_path_factory.mktemp(f"journal{size}")
            directory, _ = filled(path, size * 16, b"page" * 16_384, SEGMENT_BYTES)
            directory.close()
            made[size] = path
        return made[size]

    return of


@pytest.mark.parametrize("size", SIZES)
class TestOpening:
    """Flat: what is opened does not depend on how much history there is."""

    def test_open_the_newest_image_and_read_a_page(self, benchmark, journals, size):
        benchmark.group = "open an image of a journal of so many MiB and read one page"
        directory = JournalDirectory(journals(size))
        journal = open_journal(directory, group=GROUP).journal
        journal.sync_done(1)
        page = 40_503 * (size * 16 - 1) % 65_536

        def first_page():
            return Image(journal, journal.durable.sequence).read("db/a", page * 65_536, 4_096)

        assert benchmark(first_page) == b"page" * 1_024
        directory.close()

    def test_open_the_journal(self, benchmark, journals, size):
        benchmark.group = "open a journal of so many MiB"
        path = journals(size)

        def reopen():
            directory = JournalDirectory(path)
            journal = open_journal(directory, group=GROUP).journal
            directory.close()
            return journal.received.sequence

        assert benchmark(reopen) == size * 16
