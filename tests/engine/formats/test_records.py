"""Records and their bodies: what is encoded comes back, and no damaged byte goes unseen."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal.isal_zlib import crc32

from engine.basics.errors import RecordDamaged
from engine.basics.payload import length_of, slice_of, to_bytes
from engine.formats.bodies import COMPRESS_BYTES_MIN, BodyEncoder, decode_body
from engine.formats.records import (
    CORE,
    FLAG_ZERO_RUNS,
    FLAG_ZSTD,
    HEADER_BYTES,
    PREFIX,
    RAW_BYTES_MAX,
    RECORD_MAGIC,
    RESERVED_TYPES,
    DamagedRecord,
    RecordHeader,
    RecordTorn,
    RecordType,
    ScannedRecord,
    encode_record,
    scan_record,
)

SEGMENT = st.one_of(
    st.binary(max_size=40),
    st.integers(0, 10_000),
    st.builds(lambda byte, n: byte * n, st.binary(min_size=1, max_size=3), st.integers(0, 4_000)),
)
PAYLOAD = st.lists(SEGMENT, max_size=6).map(tuple)


def header_of(body=b"", **fields):
    values = {
        "version": 1,
        "type": RecordType.WRITE,
        "flags": 0,
        "file": 5,
        "sequence": 9,
        "source_time_ns": 1_234,
        "offset": 4_096,
        "epoch": 3,
        "group": 7,
        "raw_length": len(body),
        "stored_length": len(body),
        "body_crc": 0,
        "chain": 0,
    } | fields
    return RecordHeader(**values)


def scan(data, position=0):
    return scan_record(memoryview(data), position)


def with_valid_crc(data: bytes) -> bytes:
    return PREFIX.pack(RECORD_MAGIC, crc32(data[8:HEADER_BYTES])) + data[8:]


def test_the_header_has_64_bytes_in_the_order_of_the_format():
    data, chain = encode_record(header_of(b"abc"), b"abc", 0x55)
    assert len(data) == HEADER_BYTES + 8
    assert data[:4] == b"RPC1"
    assert CORE.unpack_from(data, 8)[:11] == header_of(b"abc")[:11]
    assert int.from_bytes(data[60:64], "little") == chain == crc32(data[8:60], 0x55)


@given(st.binary(max_size=100), st.integers(0, (1 << 32) - 1))
def test_a_record_is_scanned_as_it_was_encoded(body, chain_before):
    header = header_of(body)
    data, chain = encode_record(header, body, chain_before)
    record = scan(b"12345678" + data, 8)
    assert isinstance(record, ScannedRecord)
    assert record.header[:11] == header[:11]
    assert record.header.chain == chain
    assert record.end == 8 + len(data)
    assert len(data) % 8 == 0


@given(st.binary(max_size=30))
def test_every_shorter_prefix_is_torn_and_says_how_much_would_decide(body):
    data, _ = encode_record(header_of(body), body, 0)
    for length in range(len(data)):
        record = scan(data[:length])
        assert isinstance(record, RecordTorn)
        assert record.needed == (HEADER_BYTES if length < HEADER_BYTES else len(data))


def test_every_flipped_bit_is_seen_padding_included():
    data, _ = encode_record(header_of(b"hello"), b"hello", 1)
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert isinstance(scan(damaged), DamagedRecord), f"bit {bit}"


@pytest.mark.parametrize(
    ("offset", "value", "field"),
    [
        (8, 2, "version"),
        (9, 0, "type"),
        (9, 200, "type"),
        *[(9, number, "type") for number in RESERVED_TYPES],
        (10, 0x80, "flags"),
        (51, 0x40, "raw_length"),
        (55, 0x40, "stored_length"),
    ],
)
def test_a_field_this_version_does_not_allow_is_named_before_it_is_used(offset, value, field):
    data = bytearray(encode_record(header_of(), b"", 0)[0])
    data[offset] = value
    assert scan(with_valid_crc(bytes(data))) == DamagedRecord(field, 0)


def test_a_payload_longer_than_a_record_is_a_programmer_error():
    with pytest.raises(AssertionError):
        encode_record(header_of(raw_length=RAW_BYTES_MAX + 1), b"", 0)


@settings(deadline=None)
@given(PAYLOAD, st.sampled_from([None, 1, 3]))
def test_a_body_decodes_to_the_bytes_it_stands_for(payload, level):
    stored, flags = BodyEncoder(level).encode(payload)
    header = header_of(stored, raw_length=length_of(payload), flags=flags)
    assert to_bytes(decode_body(header, stored)) == to_bytes(payload)


def test_zero_runs_cost_nothing_and_come_back_as_runs():
    payload = (b"head", 1 << 20, b"tail")
    stored, flags = BodyEncoder(1).encode(payload)
    assert flags == FLAG_ZERO_RUNS
    assert len(stored) < 40
    header = header_of(stored, raw_length=length_of(payload), flags=flags)
    assert decode_body(header, stored) == payload


def test_zero_runs_that_would_cost_more_than_they_spare_are_written_out():
    stored, flags = BodyEncoder(1).encode((b"a", 1, b"b", 1))
    assert (stored, flags) == (b"a\0b\0", 0)


def test_a_body_is_compressed_from_4_kib_up_and_only_where_it_shrinks_to_seven_eighths():
    encoder = BodyEncoder(1)
    assert encoder.encode((b"x" * (COMPRESS_BYTES_MIN - 1),))[1] == 0
    assert encoder.encode((b"x" * COMPRESS_BYTES_MIN,))[1] == FLAG_ZSTD
    noise = Random(0).randbytes(8_192)
    assert encoder.encode((noise,)) == (noise, 0)
    stored, flags = encoder.encode((b"x" * COMPRESS_BYTES_MIN, 9_000))
    assert flags == FLAG_ZSTD | FLAG_ZERO_RUNS
    assert len(stored) < 60


@pytest.mark.parametrize(
    ("stored", "flags", "raw_length"),
    [
        (b"abc", 0, 4),
        (b"not zstd at all", FLAG_ZSTD, 100),
        (BodyEncoder(1).encode((b"x" * 5_000,))[0], FLAG_ZSTD, 5_001),
        (BodyEncoder(1).encode((b"x" * 5_000,))[0][:-3], FLAG_ZSTD, 5_000),
        (b"", FLAG_ZERO_RUNS, 4),
        (b"\xff\xff\xff\xff", FLAG_ZERO_RUNS, 4),
        (b"\x01\0\0\0\x05\0\0\0abc", FLAG_ZERO_RUNS, 5),
        (b"\x01\0\0\0\x05\0\0\0abcdefgh", FLAG_ZERO_RUNS, 5),
        (b"\x01\0\0\0\x05\0\0\0abcde", FLAG_ZERO_RUNS, 4),
        (b"\x01\0\0\0\x05\0\0\x80", FLAG_ZERO_RUNS, 6),
    ],
)
def test_a_stored_body_that_contradicts_its_header_is_refused(stored, flags, raw_length):
    with pytest.raises(RecordDamaged, match="record 9"):
        decode_body(header_of(stored, flags=flags, raw_length=raw_length), stored)


@given(PAYLOAD, st.data())
def test_a_slice_of_segments_is_the_slice_of_their_bytes(payload, data):
    length = length_of(payload)
    start = data.draw(st.integers(0, length))
    stop = data.draw(st.integers(start, length))
    assert to_bytes(slice_of(payload, start, stop)) == to_bytes(payload)[start:stop]
