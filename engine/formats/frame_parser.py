"""Cutting a byte stream into frames, however the bytes arrive, and believing none unchecked."""

import struct
from collections.abc import Callable

import zstandard
from isal.isal_zlib import crc32

from engine.basics.cursor import Cursor
from engine.basics.errors import (
    FrameDamaged,
    FrameTooLarge,
    FrameUnexpected,
    RemoteProtocolError,
    VersionUnsupported,
)
from engine.formats.error_codes import ERROR_OF_CODE
from engine.formats.standings import decode_standing
from engine.formats.wire import (
    ACK,
    ANY_VERSION,
    BATCH,
    ERROR,
    FLAG_BATCH_ZSTD,
    FRAME_HEADER_BYTES,
    HEADER,
    HEADER_CRC,
    HEARTBEAT,
    HELLO,
    RESYNC_ASK,
    RESYNC_HASHES,
    STAMP,
    TIMELESS,
    VERSION_NEWEST,
    VERSION_OLDEST,
    WELCOME,
    Ack,
    Batch,
    Frame,
    FrameType,
    HashAsk,
    Heartbeat,
    Hello,
    PeerError,
    ResyncAsk,
    ResyncHashes,
    ResyncStanding,
    Stamp,
    Welcome,
)


class FrameParser:
    """Cuts a byte stream into frames, incrementally.

    Give bytes with `receive`, take frames with `next_frame` until it returns None. Whole or byte
    by byte makes no difference. After an error the parser gives that error for ever.

    Args:
        frame_bytes_max: Limit for a frame's payload, and for a batch once decompressed.
    """

    def __init__(self, frame_bytes_max: int) -> None:
        #: The version that was chosen, None before: then any that this release speaks.
        self.version: int | None = None
        self._frame_bytes_max = frame_bytes_max
        self._buffer: bytearray | bytes = b""
        self._position = 0
        self._consumed = 0  # bytes of the stream before the buffer
        self._error: RemoteProtocolError | None = None

    def receive(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._consumed += self._position
        if self._position == len(self._buffer):
            # What comes is read where it lies: most often it is whole frames.
            self._buffer, self._position = data, 0
            return
        if isinstance(self._buffer, bytes):
            self._buffer = bytearray(memoryview(self._buffer)[self._position :])
        elif self._position:
            # Moved once per call, not per frame: many small frames stay linear.
            del self._buffer[: self._position]
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
        length, kind, flags, version, payload_crc = HEADER.unpack_from(self._buffer, start)
        (header_crc,) = HEADER_CRC.unpack_from(self._buffer, start + HEADER.size)
        if header_crc != crc32(self._buffer[start : start + HEADER.size]):
            raise self._damaged("A frame's header", start)
        self._check_version(kind, version)
        if length > self._frame_bytes_max:
            raise FrameTooLarge(f"A frame of {length} bytes, the limit is {self._frame_bytes_max}")
        body = start + FRAME_HEADER_BYTES
        if len(self._buffer) - body < length:
            return None
        self._position = body + length
        payload = self._cut(body, body + length)
        if payload_crc != crc32(_covered(kind, flags, payload)):
            raise self._damaged(f"A frame of {length} bytes", start)
        return self._decode(kind, flags, payload)

    def _cut(self, start: int, stop: int) -> memoryview:
        """Return bytes of the buffer: what came in one piece is read where it lies."""
        if isinstance(self._buffer, bytes):
            return memoryview(self._buffer)[start:stop]
        with memoryview(self._buffer) as view:
            return memoryview(bytes(view[start:stop]))

    def _check_version(self, kind: int, version: int) -> None:
        if kind in TIMELESS:
            if version != ANY_VERSION:
                raise VersionUnsupported(
                    f"The peer speaks protocol version {version} only, this end "
                    f"{VERSION_OLDEST} to {VERSION_NEWEST}"
                )
        elif self.version is None:
            if not VERSION_OLDEST <= version <= VERSION_NEWEST:
                raise VersionUnsupported(
                    f"A frame of protocol version {version}, this end speaks "
                    f"{VERSION_OLDEST} to {VERSION_NEWEST}"
                )
        elif version != self.version:
            raise VersionUnsupported(
                f"A frame of protocol version {version}, {self.version} was agreed on"
            )

    def _damaged(self, what: str, start: int) -> FrameDamaged:
        place = f"at byte {self._consumed + start} of this connection"
        return FrameDamaged(f"{what} does not match its checksum, {place}")

    def _decode(self, kind: int, flags: int, payload: memoryview) -> Frame:
        try:
            if kind == FrameType.BATCH:
                return self._decode_batch(flags, payload)
            if (decode := _DECODERS.get(kind)) is not None:
                return decode(bytes(payload))
        except (struct.error, zstandard.ZstdError, ValueError) as error:
            raise FrameDamaged(f"A frame of type {kind} is malformed ({error})") from error
        raise FrameUnexpected(f"A frame of unknown type {kind} and {len(payload)} bytes")

    def _decode_batch(self, flags: int, payload: memoryview) -> Batch:
        sent, wall, origin, received, first, count, length = BATCH.unpack_from(payload)
        is_compressed = bool(flags & FLAG_BATCH_ZSTD)
        records: bytes | memoryview = payload[BATCH.size :]
        if length > self._frame_bytes_max:
            raise FrameTooLarge(f"A batch of {length} bytes, the limit is {self._frame_bytes_max}")
        if is_compressed:
            # The stated size is checked first: a wrong one is an error, not an allocation.
            if zstandard.frame_content_size(records) != length:
                raise FrameDamaged(f"A batch from sequence {first} states another size")
            records = zstandard.ZstdDecompressor().decompress(records, max_output_size=length)
        if len(records) != length:
            raise FrameDamaged(f"A batch from sequence {first}: {len(records)} of {length} bytes")
        return Batch(Stamp(sent, wall, origin, received), first, count, is_compressed, records)


def _covered(kind: int, flags: int, payload: memoryview) -> memoryview:
    """Return what the payload's crc covers: not the records that are there as they were made."""
    has_records = kind == FrameType.BATCH and not flags & FLAG_BATCH_ZSTD
    return payload[: BATCH.size] if has_records else payload


def _decode_hello(payload: bytes) -> Hello:
    fields = HELLO.unpack_from(payload)
    return Hello(Stamp(*fields[:4]), *fields[4:])


def _decode_welcome(payload: bytes) -> Welcome:
    fields = WELCOME.unpack_from(payload)
    version, _, capabilities, flags, group, epoch, incarnation, sequence, chain = fields[4:]
    cursor = Cursor(epoch, sequence, chain)
    return Welcome(Stamp(*fields[:4]), version, capabilities, flags, group, incarnation, cursor)


def _decode_ack(payload: bytes) -> Ack:
    fields = ACK.unpack(payload)
    return Ack(Stamp(*fields[:4]), Cursor(*fields[4:7]), Cursor(*fields[7:]))


def _decode_heartbeat(payload: bytes) -> Heartbeat:
    *stamp, sequence = HEARTBEAT.unpack(payload)
    return Heartbeat(Stamp(*stamp), sequence)


def _decode_error(payload: bytes) -> PeerError:
    (code,) = ERROR.unpack_from(payload)
    text = payload[ERROR.size :].decode(errors="replace")
    kind = ERROR_OF_CODE.get(code, RemoteProtocolError)
    return PeerError(kind(f"Reported by the peer: {text}"))


def _decode_resync_standing(payload: bytes) -> ResyncStanding:
    stamp = Stamp(*STAMP.unpack_from(payload))
    return ResyncStanding(stamp, decode_standing(payload[STAMP.size :]))


def _decode_resync_ask(payload: bytes) -> ResyncAsk:
    fields = RESYNC_ASK.unpack(payload)
    file, block_bytes, extent_bytes, is_detailed, *place = fields[4:]
    stamp = Stamp(*fields[:4])
    ask = HashAsk(file, block_bytes, extent_bytes, bool(is_detailed), *place)
    return ResyncAsk(stamp, ask)


def _decode_resync_hashes(payload: bytes) -> ResyncHashes:
    fields = RESYNC_HASHES.unpack_from(payload)
    file, is_detailed, offset, sequence = fields[4:]
    hashes = payload[RESYNC_HASHES.size :]
    return ResyncHashes(Stamp(*fields[:4]), file, bool(is_detailed), offset, sequence, hashes)


_DECODERS: dict[int, Callable[[bytes], Frame]] = {
    FrameType.HELLO: _decode_hello,
    FrameType.WELCOME: _decode_welcome,
    FrameType.ACK: _decode_ack,
    FrameType.HEARTBEAT: _decode_heartbeat,
    FrameType.ERROR: _decode_error,
    FrameType.RESYNC_STANDING: _decode_resync_standing,
    FrameType.RESYNC_ASK: _decode_resync_ask,
    FrameType.RESYNC_HASHES: _decode_resync_hashes,
}
