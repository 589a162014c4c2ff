"""Frames: whole or byte by byte the same; damaged, oversized or unknown ones are named."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal.isal_zlib import crc32

from engine.basics.cursor import Cursor
from engine.basics.errors import (
    FrameDamaged,
    FrameTooLarge,
    FrameUnexpected,
    JournalRegressed,
    RemoteProtocolError,
    SegmentMissing,
    SequenceGap,
    VersionUnsupported,
)
from engine.formats.error_codes import CODE_OF_ERROR, ERROR_OF_CODE
from engine.formats.frame_parser import FrameParser
from engine.formats.records import (
    DamagedRecord,
    RecordHeader,
    RecordType,
    encode_record,
    scan_record,
)
from engine.formats.wire import (
    FRAME_HEADER_BYTES,
    Ack,
    Batch,
    BatchEncoder,
    Heartbeat,
    Hello,
    PeerError,
    Stamp,
    Welcome,
    encode_ack,
    encode_error,
    encode_heartbeat,
    encode_hello,
    encode_welcome,
)

LIMIT = 100_000
ZSTD = BatchEncoder(2, 1)
RECORDS = [b"r" * 2_000, bytes(range(256)), b""]
STAMP = Stamp(5, -9, 3, 4)
HELLO = Hello(STAMP, 1, 9, 5, 1, 7, 3, 0xC0FFEE, 10, 12, 0xABCD)
WELCOME = Welcome(STAMP, 2, 1, 0, 7, 0xC0FFEE, Cursor(3, 10, 99))
ACK = Ack(STAMP, Cursor(3, 15, 1), Cursor(3, 12, 8))
STREAM = b"".join(
    [
        encode_hello(HELLO),
        encode_welcome(WELCOME),
        ZSTD.encode(STAMP, 10, len(RECORDS), RECORDS),
        encode_heartbeat(Heartbeat(STAMP, 12)),
        BatchEncoder(2, None).encode(STAMP, 13, len(RECORDS), RECORDS),
        encode_ack(ACK, 2),
        encode_error(SequenceGap("Record 5 follows 3")),
    ]
)


def frames_of(parser):
    frames = []
    while (frame := parser.next_frame()) is not None:
        frames.append(frame)
    return frames


def comparable(frames):
    return [(type(f.error), f.error.message) if isinstance(f, PeerError) else f for f in frames]


def whole():
    parser = FrameParser(LIMIT)
    parser.receive(STREAM)
    return comparable(frames_of(parser))


def frame(kind, payload=b"", *, version=0, flags=0, payload_crc=None, length=None, covered=None):
    header = struct.pack(
        "<IBBHI",
        len(payload) if length is None else length,
        kind,
        flags,
        version,
        crc32(payload[:covered]) if payload_crc is None else payload_crc,
    )
    return header + struct.pack("<I", crc32(header)) + payload


def test_each_frame_comes_back_as_it_was_sent():
    joined = b"".join(RECORDS)
    assert whole() == [
        HELLO,
        WELCOME,
        Batch(STAMP, 10, 3, True, joined),
        Heartbeat(STAMP, 12),
        Batch(STAMP, 13, 3, False, joined),
        ACK,
        (SequenceGap, "Reported by the peer: Record 5 follows 3"),
    ]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_the_stream_may_be_cut_anywhere(cuts):
    parser, frames, position = FrameParser(LIMIT), [], 0
    for cut in [*sorted(cuts), len(STREAM)]:
        parser.receive(STREAM[position:cut])
        frames += frames_of(parser)
        position = cut
    assert comparable(frames) == whole()


def test_byte_by_byte_gives_the_same_frames():
    parser, frames = FrameParser(LIMIT), []
    for byte in STREAM:
        parser.receive(bytes([byte]))
        frames += frames_of(parser)
    assert comparable(frames) == whole()


def test_every_flipped_bit_of_a_frame_is_an_error_and_stays_one():
    data = encode_welcome(WELCOME)
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        parser = FrameParser(LIMIT)
        parser.receive(bytes(damaged))
        with pytest.raises(FrameDamaged):
            parser.next_frame()
        parser.receive(data)
        with pytest.raises(FrameDamaged):
            parser.next_frame()


def test_in_a_batch_every_bit_is_under_a_crc_of_the_frame_or_of_its_records():
    header = RecordHeader(1, RecordType.WRITE, 0, 5, 9, 1_234, 4_096, 3, 7, 4, 4, 0, 0)
    record, _ = encode_record(header, b"body", 0)
    data = BatchEncoder(2, None).encode(STAMP, 1, 1, [record])
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        parser = FrameParser(LIMIT)
        parser.receive(bytes(damaged))
        try:
            batch = parser.next_frame()
        except FrameDamaged:
            continue
        assert isinstance(scan_record(memoryview(batch.records), 0), DamagedRecord)


def test_frames_before_a_damaged_one_are_still_given():
    parser = FrameParser(LIMIT)
    parser.receive(encode_hello(HELLO) + b"\xff" * FRAME_HEADER_BYTES)
    assert parser.next_frame() == HELLO
    with pytest.raises(FrameDamaged):
        parser.next_frame()


def test_a_batch_is_compressed_only_where_it_shrinks():
    plain = BatchEncoder(2, None)
    assert len(ZSTD.encode(STAMP, 1, 1, [b"mail " * 1_000])) < 200
    short = [b"\x01\x9f"]
    assert ZSTD.encode(STAMP, 1, 1, short) == plain.encode(STAMP, 1, 1, short)


def batch(length, records, flags=0):
    head = struct.pack("<QqQQQII", *STAMP, 1, 1, length)
    return frame(3, head + records, version=2, flags=flags, covered=None if flags else len(head))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (frame(5, length=LIMIT + 1), FrameTooLarge),
        (frame(5, version=2), VersionUnsupported),
        (frame(99, version=2), FrameUnexpected),
        (frame(5, b"x"), FrameDamaged),
        (frame(1, b"short"), FrameDamaged),
        (frame(3, b"short", version=2), FrameDamaged),
        (frame(3, version=3), VersionUnsupported),
        (frame(4, version=0), VersionUnsupported),
        (frame(6, b""), FrameDamaged),
        (frame(5, b"", payload_crc=1), FrameDamaged),
        (batch(LIMIT + 1, b""), FrameTooLarge),
        (batch(5, b"abcd"), FrameDamaged),
        (batch(5, b"not zstd", flags=1), FrameDamaged),
        (
            batch(5, BatchEncoder(2, 1).encode(STAMP, 1, 1, [b"x" * 500])[64:], flags=1),
            FrameDamaged,
        ),
    ],
)
def test_a_wrong_frame_gives_its_named_error_with_a_hint(data, error):
    parser = FrameParser(LIMIT)
    parser.receive(data)
    with pytest.raises(error) as caught:
        parser.next_frame()
    assert type(caught.value) is error
    assert caught.value.hint


def test_an_oversized_frame_is_refused_before_its_bytes_arrive():
    parser = FrameParser(LIMIT)
    parser.receive(frame(3, version=2, length=LIMIT + 1)[:FRAME_HEADER_BYTES])
    with pytest.raises(FrameTooLarge):
        parser.next_frame()


def test_every_error_code_names_one_error_and_travels():
    assert len(CODE_OF_ERROR) == len(ERROR_OF_CODE)
    for kind in CODE_OF_ERROR:
        parser = FrameParser(LIMIT)
        parser.receive(encode_error(kind("what happened")))
        error = parser.next_frame().error
        assert type(error) is kind
        assert "what happened" in error.message


def test_an_error_without_a_code_travels_as_its_nearest_kin():
    class Special(JournalRegressed):
        """A later version's error."""

    parser = FrameParser(LIMIT)
    parser.receive(encode_error(Special("x")) + frame(6, struct.pack("<H", 60_000)))
    assert type(parser.next_frame().error) is JournalRegressed
    assert type(parser.next_frame().error) is RemoteProtocolError
    assert SegmentMissing not in CODE_OF_ERROR
