"""What the formats cost, each beside the floor of moving the same bytes."""

import os
import zlib

import pytest

from emulators.ese.formats.checksum import page_checksum
from emulators.ese.formats.log_encoders import encode_insert
from emulators.ese.formats.log_scan import LogState, scan_log
from emulators.ese.formats.log_stream import LogFrame, blank_log
from emulators.ese.formats.page import FLAG_LEAF, Page
from emulators.ese.formats.page_verification import verify_pages
from emulators.ese.formats.record import RecordCodec

PAGE_BYTES = 8192
LOG_BYTES = 1 << 20
BATCH_PAGES = 256
RECORDS = 800


def leaf() -> Page:
    page = Page(7, 9, FLAG_LEAF)
    number = 0
    while page.room_for(b"12345", bytes(500)):
        page.insert(number, number.to_bytes(5, "big"), os.urandom(500))
        number += 1
    return page


@pytest.mark.benchmark(group="page of 0.5 KB records to bytes")
def test_page_to_bytes(benchmark):
    page = leaf()
    assert len(benchmark(page.to_bytes)) == PAGE_BYTES


@pytest.mark.benchmark(group="page of 0.5 KB records to bytes")
def test_floor_join_of_the_same_bytes(benchmark):
    page = leaf()
    parts = [part for pair in zip(page.keys, page.datas, strict=True) for part in pair]
    assert benchmark(b"".join, parts)


@pytest.mark.benchmark(group="page from bytes")
def test_page_from_bytes(benchmark):
    image = leaf().to_bytes()
    assert len(benchmark(Page.from_bytes, image, 7)) == 15


@pytest.mark.benchmark(group="page from bytes")
def test_floor_copy_of_a_page(benchmark):
    image = leaf().to_bytes()
    assert benchmark(bytearray, image) == image


@pytest.mark.benchmark(group="checksum of one page")
def test_checksum_of_one_page(benchmark):
    image = leaf().to_bytes()
    assert benchmark(page_checksum, image, 7)


@pytest.mark.benchmark(group="checksum of one page")
def test_floor_crc32_of_one_page(benchmark):
    assert benchmark(zlib.crc32, leaf().to_bytes())


@pytest.mark.benchmark(group="checksum of 256 pages")
def test_checksum_of_a_batch(benchmark):
    page = leaf()
    batch = b"".join(page.to_bytes(number) for number in range(1, BATCH_PAGES + 1))
    check = benchmark(verify_pages, batch, 1, PAGE_BYTES)
    assert len(check.bad) == 0


@pytest.mark.benchmark(group="checksum of 256 pages")
def test_floor_crc32_of_a_batch(benchmark):
    assert benchmark(zlib.crc32, os.urandom(BATCH_PAGES * PAGE_BYTES))


def inserts() -> list[bytes]:
    data = os.urandom(1000)
    return [
        encode_insert(1, 1, 9, n, n - 1, n, 1, 3, 1, n, 33, 6, n.to_bytes(5, "big"), data)
        for n in range(1, RECORDS + 1)
    ]


def append_and_flush(records: list[bytes], records_per_flush: int) -> int:
    frame = LogFrame(1, LOG_BYTES)
    written = 0
    for number, record in enumerate(records, 1):
        frame.append(record)
        if number % records_per_flush == 0:
            written += len(frame.flush()[1])
    return written


@pytest.mark.parametrize("records_per_flush", [1, 8])
@pytest.mark.benchmark(group="800 records of 1 KB into a log")
def test_log_append_and_flush(benchmark, records_per_flush):
    assert benchmark(append_and_flush, inserts(), records_per_flush) > RECORDS * 1000


@pytest.mark.benchmark(group="800 records of 1 KB into a log")
def test_floor_join_of_the_same_records(benchmark):
    assert benchmark(b"".join, inserts())


@pytest.mark.benchmark(group="800 records of 1 KB encoded")
def test_encode_insert(benchmark):
    assert len(benchmark(inserts)) == RECORDS


@pytest.mark.benchmark(group="800 records of 1 KB encoded")
def test_floor_concatenation(benchmark):
    head, data = os.urandom(55), os.urandom(1000)
    assert benchmark(lambda: [head + data for _ in range(RECORDS)])


@pytest.mark.benchmark(group="1 MB log read")
def test_scan_log(benchmark):
    image = bytearray(b"".join(blank_log(bytes(4096), 1, LOG_BYTES)))
    frame = LogFrame(1, LOG_BYTES)
    for record in inserts():
        frame.append(record)
        offset, data = frame.flush()
        image[offset : offset + len(data)] = data
    scan = benchmark(scan_log, bytes(image), 1)
    assert (len(scan.offsets), scan.state) == (RECORDS, LogState.CLEAN)


@pytest.mark.benchmark(group="1 MB log read")
def test_floor_crc32_of_a_log(benchmark):
    assert benchmark(zlib.crc32, os.urandom(LOG_BYTES))


@pytest.mark.benchmark(group="10-column record")
def test_encode_a_record(benchmark, small_database):
    codec = RecordCodec(small_database.definition)
    assert benchmark(codec.encode, small_database.rows[0])


@pytest.mark.benchmark(group="10-column record")
def test_decode_a_record(benchmark, small_database):
    codec = RecordCodec(small_database.definition)
    record = codec.encode(small_database.rows[0])
    assert benchmark(codec.decode, record) == small_database.rows[0]


@pytest.mark.benchmark(group="10-column record")
def test_floor_copy_of_a_record(benchmark, small_database):
    record = RecordCodec(small_database.definition).encode(small_database.rows[0])
    assert benchmark(bytearray, record) == record
