"""The stream of a log file: what was flushed is read back, whatever a power cut left of it."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.log_checksum import SHORT_OFF, SHORT_ON, RangeXor, Verdict, prove
from emulators.ese.formats.log_file import fill_pattern
from emulators.ese.formats.log_scan import LogScan, LogState, scan_log
from emulators.ese.formats.log_stream import STREAM_OFFSET, LogFrame, blank_log
from emulators.ese.formats.log_types import RecordType

GENERATION = 0x2A
FILE_BYTES = 16 * 1024
SECTOR = 512


def record_of(size: int, fill: int) -> bytes:
    """A valid record of exactly `size` bytes (3 or more): a trace, or a ForceWriteLog."""
    if size < 5:
        return bytes((RecordType.FORCE_WRITE_LOG, fill & 0xFF, 0))
    body = random.Random(fill).randbytes(size - 5)
    return bytes((RecordType.FORCE_LOG_ROLLOVER, 1, 0)) + len(body).to_bytes(2, "little") + body


class Disk:
    """The bytes of one log file, formatted with or without an empty stream, then written to."""

    def __init__(self, frame: LogFrame, *, blank: bool = False) -> None:
        self.bytes = bytearray(fill_pattern(frame.file_bytes))
        if blank:
            parts = blank_log(bytes(4096), frame.generation, frame.file_bytes)
            self.bytes = bytearray(b"".join(parts))
        self.bytes[4:8] = frame.generation.to_bytes(4, "little")
        self.before = bytes(self.bytes)
        self.last = (0, b"")

    def write(self, offset: int, data: bytes) -> None:
        assert offset % SECTOR == 0 == len(data) % SECTOR
        assert offset + len(data) <= len(self.bytes)
        self.before = bytes(self.bytes)
        self.last = (offset, data)
        self.bytes[offset : offset + len(data)] = data

    def with_sectors(self, kept: set[int]) -> bytes:
        """What is on disk when only some sectors of the last write arrived."""
        offset, data = self.last
        image = bytearray(self.before)
        for index in kept:
            at = offset + index * SECTOR
            image[at : at + SECTOR] = data[index * SECTOR : (index + 1) * SECTOR]
        return bytes(image)


def records_in(image: bytes) -> list[bytes]:
    return records_of(scan_log(image, GENERATION))


def records_of(scan: LogScan) -> list[bytes]:
    records = []
    for lgpos, offset in scan.records():
        assert (lgpos.generation, lgpos.sector * SECTOR + lgpos.byte) == (GENERATION, offset)
        _, end = log_records.decode(scan.buffer, offset)
        records.append(scan.buffer[offset:end])
    return records


sizes = st.one_of(st.integers(3, 60), st.integers(3, 1500), st.sampled_from([467, 468, 489, 490]))
batches = st.lists(st.lists(sizes, max_size=6), min_size=1, max_size=8)


@settings(deadline=None, max_examples=300)
@given(batches=batches)
def test_every_flush_makes_exactly_the_appended_records_readable(batches):
    frame = LogFrame(GENERATION, FILE_BYTES)
    disk = Disk(frame)
    appended: list[bytes] = []
    for batch in batches:
        for size in batch:
            record = record_of(size, len(appended))
            if not frame.room(len(record)):
                continue
            assert frame.append(record) == frame.position - len(record)
            appended.append(record)
        disk.write(*frame.flush())
        scan = scan_log(bytes(disk.bytes), GENERATION)
        assert scan.state is LogState.CLEAN
        assert not scan.repaired
        assert records_in(bytes(disk.bytes)) == appended


@settings(deadline=None, max_examples=200)
@given(batches=batches, blank=st.booleans(), choice=st.randoms(use_true_random=False))
def test_a_last_flush_with_any_sectors_missing_is_whole_or_cut_to_the_flush_before(
    batches, blank, choice
):
    frame = LogFrame(GENERATION, FILE_BYTES)
    disk = Disk(frame, blank=blank)
    appended: list[bytes] = []
    for batch in batches:
        synced = len(appended)
        for size in batch:
            record = record_of(size, len(appended))
            if frame.room(len(record)):
                frame.append(record)
                appended.append(record)
        disk.write(*frame.flush())
        sectors = len(disk.last[1]) // SECTOR
        subsets = list(itertools.product((False, True), repeat=min(sectors, 4)))
        for subset in subsets:
            kept = {index for index, keep in enumerate(subset) if keep}
            kept |= {index for index in range(4, sectors) if choice.random() < 0.5}
            image = disk.with_sectors(kept)
            scan = scan_log(image, GENERATION)
            found = records_of(scan)
            assert scan.state is not LogState.CORRUPT
            assert synced <= len(found) <= len(appended)
            assert found == appended[: len(found)]
            if len(kept) == sectors:
                assert scan.state is LogState.CLEAN


@settings(deadline=None, max_examples=200)
@given(batches=batches, more=batches, blank=st.booleans(), choice=st.randoms(use_true_random=False))
def test_a_torn_log_is_resumed_and_the_torn_tail_never_comes_back(batches, more, blank, choice):
    frame = LogFrame(GENERATION, FILE_BYTES)
    disk = Disk(frame, blank=blank)
    appended: list[bytes] = []
    for batch in (*batches, *more):
        synced = len(appended)
        for size in batch:
            record = record_of(size, choice.getrandbits(8))
            if frame.room(len(record)):
                frame.append(record)
                appended.append(record)
        disk.write(*frame.flush())
        if choice.random() < 0.5:
            continue
        sectors = len(disk.last[1]) // SECTOR
        image = disk.with_sectors({i for i in range(sectors) if choice.random() < 0.5})
        survivors = records_in(image)
        assert len(survivors) >= synced
        appended = survivors
        frame = LogFrame.resume(image)
        disk.bytes[:] = image
        disk.write(*frame.flush())
        assert scan_log(bytes(disk.bytes), GENERATION).state is LogState.CLEAN
        assert records_in(bytes(disk.bytes)) == appended


def filled(flushes: int = 12) -> tuple[bytes, list[int], LogFrame]:
    """A log of several flushes: its bytes, and the stream position after each flush."""
    frame = LogFrame(GENERATION, FILE_BYTES)
    disk = Disk(frame)
    ends = []
    for number in range(flushes):
        for size in (37, 210, 640 if number % 3 == 0 else 20):
            frame.append(record_of(size, number))
        ends.append(frame.position)
        disk.write(*frame.flush())
    return bytes(disk.bytes), ends, frame


def test_a_flipped_bit_anywhere_in_the_stream_is_noticed():
    image, _, frame = filled()
    whole = records_in(image)
    shadow_end = -(-frame.position // SECTOR) * SECTOR + SECTOR
    for offset in range(STREAM_OFFSET, shadow_end):
        damaged = bytearray(image)
        damaged[offset] ^= 1 << offset % 8
        scan = scan_log(bytes(damaged), GENERATION)
        noticed = scan.state is not LogState.CLEAN or scan.repaired
        assert noticed, f"offset {offset}"
        found = records_of(scan)
        assert found == whole[: len(found)]


def test_damage_before_later_flushes_is_corruption_and_names_the_offset():
    image, ends, _ = filled()
    damaged = bytearray(image)
    damaged[ends[2]] ^= 0x40
    scan = scan_log(bytes(damaged), GENERATION)
    assert scan.state is LogState.CORRUPT
    assert scan.damage_offset is not None
    assert scan.damage_offset <= ends[2] < scan.damage_offset + 4 * SECTOR
    with pytest.raises(EseError, match=r"-501 .*generation 42, offset"):
        LogFrame.resume(bytes(damaged[:4]) + GENERATION.to_bytes(4, "little") + damaged[8:])


def test_a_file_cut_anywhere_gives_a_prefix_of_its_records():
    image, ends, _ = filled()
    whole = records_in(image)
    for length in range(STREAM_OFFSET, ends[-1] + 2 * SECTOR, 97):
        found = records_in(image[:length])
        assert found == whole[: len(found)]


def test_a_file_cut_behind_its_last_record_lacks_nothing():
    image, _, frame = filled()
    whole = records_in(image)
    for length in range(frame.position, -(-frame.position // SECTOR) * SECTOR + 1):
        scan = scan_log(image[:length], GENERATION)
        assert scan.state is LogState.CLEAN, length
        assert records_of(scan) == whole


def test_a_log_of_another_generation_is_not_read():
    image, _, _ = filled()
    scan = scan_log(image, GENERATION + 1)
    assert scan.offsets == ()
    assert scan.end == STREAM_OFFSET


def test_the_damaged_last_sector_is_restored_from_its_shadow():
    frame = LogFrame(GENERATION, FILE_BYTES)
    disk = Disk(frame)
    frame.append(record_of(100, 1))
    disk.write(*frame.flush())
    disk.bytes[STREAM_OFFSET + 40] ^= 0xFF
    scan = scan_log(bytes(disk.bytes), GENERATION)
    assert (scan.state, scan.repaired) == (LogState.TORN, True)
    assert records_in(bytes(disk.bytes)) == [record_of(100, 1)]


def test_the_first_record_lies_at_byte_0x16_of_sector_8():
    frame = LogFrame(GENERATION, FILE_BYTES)
    disk = Disk(frame)
    frame.append(record_of(100, 1))
    disk.write(*frame.flush())
    ((lgpos, offset),) = scan_log(bytes(disk.bytes), GENERATION).records()
    assert str(lgpos) == "(0x2A,8,16)"
    assert offset == frame.first_position


def test_a_range_within_a_sector_has_no_short_checksum_and_a_longer_one_ends_on_a_boundary():
    image, _, _ = filled()
    at = STREAM_OFFSET
    switches = set()
    while True:
        proof = prove(image, at, GENERATION, RangeXor(image))
        assert proof.verdict is Verdict.WHOLE
        record = proof.record
        switches.add(record.switch)
        assert record.backwards == at % SECTOR
        covered = record.backwards + 22 + record.forwards
        assert (record.switch == SHORT_ON) == (covered > SECTOR)
        if record.switch == SHORT_ON:
            assert covered % SECTOR == 0
        else:
            assert record.short_checksum == 0
        if record.next == 0:
            break
        at += 22 + record.next
    assert switches == {SHORT_ON, SHORT_OFF}


def test_a_full_log_still_has_room_for_its_last_checksum_and_shadow():
    for size in (3, 22, 100, 489, 490, 491, 700):
        frame = LogFrame(GENERATION, FILE_BYTES)
        disk = Disk(frame)
        count = 0
        while frame.room(size):
            frame.append(record_of(size, count))
            count += 1
            if count % 7 == 0:
                disk.write(*frame.flush())
        disk.write(*frame.flush())
        assert frame.position > FILE_BYTES - 3 * SECTOR - size
        assert len(records_in(bytes(disk.bytes))) == count


def test_a_blank_log_is_clean_and_holds_no_record():
    parts = blank_log(bytes(4096), GENERATION, FILE_BYTES)
    image = b"".join(parts)
    assert len(image) == FILE_BYTES
    scan = scan_log(image, GENERATION)
    assert (scan.state, scan.offsets, scan.last_lgpos.byte) == (LogState.CLEAN, (), 0)
    frame = LogFrame.resume(image[:4] + GENERATION.to_bytes(4, "little") + image[8:])
    assert (frame.position, frame.pending) == (frame.first_position, False)
