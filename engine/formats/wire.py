"""Frames: how the two ends of a session talk over a byte stream.

    length u32 | type u8 | flags u8 | version u16 | payload_crc u32 | header_crc u32 | payload

The header has a crc of its own, so that a corrupted length is an error at once and never a wait
for bytes that will not come; and it is compared with the limit before anything is allocated.
"""

import struct
from enum import IntEnum
from typing import NamedTuple
from zlib import crc32

import zstandard

from engine.basics.cursor import Cursor
from engine.basics.errors import (
    CODE_OF_ERROR,
    ERROR_OF_CODE,
    EngineError,
    FrameDamaged,
    FrameTooLarge,
    FrameUnexpected,
    RemoteProtocolError,
    VersionUnsupported,
)

PROTOCOL_VERSION = 1
_HEADER = struct.Struct("<IBBHI")
_HEADER_CRC = struct.Struct("<I")
FRAME_HEADER_BYTES = _HEADER.size + _HEADER_CRC.size
_HELLO = struct.Struct("<IIQQQI")
_WELCOME = struct.Struct("<IIQQI")
_ACK = struct.Struct("<IQI")
_BATCH = struct.Struct("<QII")
_ERROR = struct.Struct("<H")
_FLAG_ZSTD = 1
_ERROR_TEXT_BYTES_MAX = 2000


class FrameType(IntEnum):
    """The frames; the numbers are part of the protocol."""

    HELLO = 1
    WELCOME = 2
    BATCH = 3
    ACK = 4
    HEARTBEAT = 5
    ERROR = 6


class Hello(NamedTuple):
    """Source to target, first: who I am and from where I can send.

    `oldest` is the oldest sequence still in the pool, `chain` the one just before it.
    """

    group: int
    epoch: int
    incarnation: int
    oldest: int
    newest: int
    chain: int


class Welcome(NamedTuple):
    """Target to source: my journal is durable up to this cursor; go on after it."""

    group: int
    incarnation: int
    cursor: Cursor


class Batch(NamedTuple):
    """Source to target: records from sequence `first` on, as they will lie in the journal."""

    first: int
    record_count: int
    records: bytes


class Ack(NamedTuple):
    """Target to source: everything up to the cursor is durable."""

    cursor: Cursor


class Heartbeat(NamedTuple):
    """Either way: I am here."""


class PeerError(NamedTuple):
    """Either way, last: why I close this connection."""

    error: EngineError


Frame = Hello | Welcome | Batch | Ack | Heartbeat | PeerError


def _encode(kind: FrameType, payload: bytes, flags: int = 0) -> bytes:
    header = _HEADER.pack(len(payload), kind, flags, PROTOCOL_VERSION, crc32(payload))
    return b"".join((header, _HEADER_CRC.pack(crc32(header)), payload))


def encode_hello(hello: Hello) -> bytes:
    """Return the frame's bytes."""
    return _encode(FrameType.HELLO, _HELLO.pack(*hello))


def encode_welcome(welcome: Welcome) -> bytes:
    """Return the frame's bytes."""
    epoch, sequence, chain = welcome.cursor
    fields = (welcome.group, epoch, welcome.incarnation, sequence, chain)
    return _encode(FrameType.WELCOME, _WELCOME.pack(*fields))


def encode_ack(cursor: Cursor) -> bytes:
    """Return the frame's bytes."""
    return _encode(FrameType.ACK, _ACK.pack(*cursor))


def encode_heartbeat() -> bytes:
    """Return the frame's bytes."""
    return _encode(FrameType.HEARTBEAT, b"")


def encode_error(error: EngineError) -> bytes:
    """Return the frame's bytes; the text is cut if it is very long."""
    code = next(CODE_OF_ERROR[kind] for kind in type(error).__mro__ if kind in CODE_OF_ERROR)
    text = error.message.encode()[:_ERROR_TEXT_BYTES_MAX]
    return _encode(FrameType.ERROR, _ERROR.pack(code) + text)


class BatchEncoder:
    """Encodes batches, with one compressor kept (None as level: never compress)."""

    def __init__(self, compression_level: int | None) -> None:
        self._compressor = (
            None
            if compression_level is None
            else zstandard.ZstdCompressor(level=compression_level, write_checksum=False)
        )

    def encode(self, first: int, records: list[bytes]) -> bytes:
        """Return the frame's bytes; the records go as they are where they would not shrink."""
        joined = b"".join(records)
        head = _BATCH.pack(first, len(records), len(joined))
        if self._compressor is not None:
            packed = self._compressor.compress(joined)
            if len(packed) < len(joined):
                return _encode(FrameType.BATCH, head + packed, _FLAG_ZSTD)
        return _encode(FrameType.BATCH, head + joined)


class FrameParser:
    """Cuts a byte stream into frames, incrementally.

    Give bytes with `receive`, take frames with `next_frame` until it returns None. Whole or byte
    by byte makes no difference. After an error the parser gives that error for ever.

    Args:
        frame_bytes_max: Limit for a frame's payload, and for a batch once decompressed.
    """

    def __init__(self, frame_bytes_max: int) -> None:
        self._frame_bytes_max = frame_bytes_max
        self._buffer = bytearray()
        self._position = 0
        self._consumed = 0  # bytes of the stream before the buffer
        self._error: RemoteProtocolError | None = None

    def receive(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        if self._position:
            # Moved once per call, not per frame: many small frames stay linear.
            del self._buffer[: self._position]
            self._consumed += self._position
            self._position = 0
        self._buffer += data

    def next_frame(self) -> Frame | None:
        """Return the next complete frame, or None when more bytes are needed.

        Raises:
            RemoteProtocolError: FrameDamaged, FrameTooLarge, FrameUnexpected (unknown type) or
                VersionUnsupported.
        """
        if self._error is not None:
            raise self._error
        try:
            return self._next_frame()
        except RemoteProtocolError as error:
            self._error = error
            raise

    def _next_frame(self) -> Frame | None:
        start = self._position
        if len(self._buffer) - start < FRAME_HEADER_BYTES:
            return None
        length, kind, flags, version, payload_crc = _HEADER.unpack_from(self._buffer, start)
        (header_crc,) = _HEADER_CRC.unpack_from(self._buffer, start + _HEADER.size)
        if header_crc != crc32(self._buffer[start : start + _HEADER.size]):
            raise self._damaged("A frame's header", start)
        if version != PROTOCOL_VERSION:
            raise VersionUnsupported(
                f"The peer speaks protocol version {version}, this end {PROTOCOL_VERSION}"
            )
        if length > self._frame_bytes_max:
            raise FrameTooLarge(f"A frame of {length} bytes, the limit is {self._frame_bytes_max}")
        body = start + FRAME_HEADER_BYTES
        if len(self._buffer) - body < length:
            return None
        payload = bytes(memoryview(self._buffer)[body : body + length])
        self._position = body + length
        if payload_crc != crc32(payload):
            raise self._damaged(f"A frame of {length} bytes", start)
        return self._decode(kind, flags, payload)

    def _damaged(self, what: str, start: int) -> FrameDamaged:
        place = f"at byte {self._consumed + start} of this connection"
        return FrameDamaged(f"{what} does not match its checksum, {place}")

    def _decode(self, kind: int, flags: int, payload: bytes) -> Frame:
        try:
            if kind == FrameType.HELLO:
                return Hello(*_HELLO.unpack(payload))
            if kind == FrameType.WELCOME:
                group, epoch, incarnation, sequence, chain = _WELCOME.unpack(payload)
                return Welcome(group, incarnation, Cursor(epoch, sequence, chain))
            if kind == FrameType.BATCH:
                return self._decode_batch(flags, payload)
            if kind == FrameType.ACK:
                return Ack(Cursor(*_ACK.unpack(payload)))
            if kind == FrameType.HEARTBEAT and not payload:
                return Heartbeat()
            if kind == FrameType.ERROR:
                return _decode_error(payload)
        except (struct.error, zstandard.ZstdError) as error:
            raise FrameDamaged(f"A frame of type {kind} is malformed ({error})") from error
        raise FrameUnexpected(f"A frame of unknown type {kind} and {len(payload)} bytes")

    def _decode_batch(self, flags: int, payload: bytes) -> Batch:
        first, count, length = _BATCH.unpack_from(payload)
        records = payload[_BATCH.size :]
        if length > self._frame_bytes_max:
            raise FrameTooLarge(f"A batch of {length} bytes, the limit is {self._frame_bytes_max}")
        if flags & _FLAG_ZSTD:
            # The stated size is checked first: a wrong one is an error, not an allocation.
            if zstandard.frame_content_size(records) != length:
                raise FrameDamaged(f"A batch from sequence {first} states another size")
            records = zstandard.ZstdDecompressor().decompress(records, max_output_size=length)
        if len(records) != length:
            raise FrameDamaged(f"A batch from sequence {first}: {len(records)} of {length} bytes")
        return Batch(first, count, records)


def _decode_error(payload: bytes) -> PeerError:
    (code,) = _ERROR.unpack_from(payload)
    text = payload[_ERROR.size :].decode(errors="replace")
    kind = ERROR_OF_CODE.get(code, RemoteProtocolError)
    return PeerError(kind(f"Reported by the peer: {text}"))
