"""Frames: how the two ends of a session talk over a byte stream.

    length u32 | type u8 | flags u8 | version u16 | payload_crc u32 | header_crc u32 | payload

The header has a crc of its own, so that a corrupted length is an error at once and never a wait
for bytes that will not come; and it is compared with the limit before anything is allocated. The
payload's crc covers all of it but the records of a BATCH that is not compressed: every byte of a
record is under the crcs that it got when it was captured, and the target checks those anyway.

HELLO, WELCOME, HEARTBEAT and ERROR are the same in every version of the protocol and carry version
0: two ends that agree on nothing else can still refuse each other by name. Fields are only ever
added at the end of HELLO and WELCOME; who does not know them passes them over. The other frames
carry the version that the WELCOME chose.

All but ERROR begin with a stamp, the four times of an NTP exchange spread over two frames:

    sent u64 | wall_offset i64 | origin u64 | received u64
"""

import struct
from collections.abc import Sequence
from enum import IntEnum, IntFlag
from typing import NamedTuple

import zstandard
from isal.isal_zlib import crc32

from engine.basics.cursor import Cursor
from engine.basics.errors import EngineError
from engine.formats.error_codes import CODE_OF_ERROR
from engine.formats.sampling import is_compressible
from engine.formats.standings import Standing, encode_standing

#: The versions of the protocol that this release speaks. 1 had no clocks and no negotiation.
VERSION_OLDEST = 2
VERSION_NEWEST = 2
ANY_VERSION = 0
HEADER = struct.Struct("<IBBHI")
HEADER_CRC = struct.Struct("<I")
FRAME_HEADER_BYTES = HEADER.size + HEADER_CRC.size
STAMP = struct.Struct("<QqQQ")
HEARTBEAT = struct.Struct("<QqQQQ")
HELLO = struct.Struct("<QqQQHHIIIIQQQI")
WELCOME = struct.Struct("<QqQQHHIIIIQQI")
ACK = struct.Struct("<QqQQIQIIQI")
BATCH = struct.Struct("<QqQQQII")
ERROR = struct.Struct("<H")
RESYNC_ASK = struct.Struct("<QqQQIIIIQQQ")
RESYNC_HASHES = struct.Struct("<QqQQIIQQ")
FLAG_BATCH_ZSTD = 1
_ERROR_TEXT_BYTES_MAX = 2000


class FrameType(IntEnum):
    """The frames; the numbers are part of the protocol."""

    HELLO = 1
    WELCOME = 2
    BATCH = 3
    ACK = 4
    HEARTBEAT = 5
    ERROR = 6
    RESYNC_STANDING = 7
    RESYNC_ASK = 8
    RESYNC_HASHES = 9


#: The frames that every version writes alike.
TIMELESS = frozenset({FrameType.HELLO, FrameType.WELCOME, FrameType.HEARTBEAT, FrameType.ERROR})


class Capability(IntFlag):
    """What an end can do beyond its version; used only where both ends can."""

    #: Batches are compressed as a whole (the bodies of records are so in any case).
    ZSTD = 1
    #: Both ends can be compared (`engine.resync`).
    RESYNC = 2


class HelloFlag(IntFlag):
    """What kind of source greets."""

    #: A fenced source brings what it had not shipped: it goes to the orphan tail of its branch.
    ORPHAN = 1
    #: It knows nothing of what this target has, and asks for it.
    UNBASED = 2
    #: Another capture's history goes on with this one's RESYNC_BEGIN, its oldest record.
    RESYNCING = 4


class Stamp(NamedTuple):
    """When a frame was sent, and which frame of the other end was heard last.

    `sent_ns`, `origin_ns` and `received_ns` are of steady clocks: the sender's, then the time that
    the newest frame heard had in its `sent_ns`, and when the sender heard it. `wall_offset_ns` is
    the sender's wall clock minus its steady one. `origin_ns` 0 is: nothing was heard yet.
    """

    sent_ns: int = 0
    wall_offset_ns: int = 0
    origin_ns: int = 0
    received_ns: int = 0


class Hello(NamedTuple):
    """Source to target, first: who I am, what I speak, and from where I can send.

    `oldest` is the oldest sequence still in the pool, `chain` the one just before it.
    """

    stamp: Stamp
    version_oldest: int
    version_newest: int
    capabilities: int
    flags: int
    group: int
    epoch: int
    incarnation: int
    oldest: int
    newest: int
    chain: int


class Welcome(NamedTuple):
    """Target to source: what we speak, and my journal is durable up to this cursor; go on."""

    stamp: Stamp
    version: int
    capabilities: int
    flags: int
    group: int
    incarnation: int
    cursor: Cursor


class Batch(NamedTuple):
    """Source to target: records from sequence `first` on, as they will lie in the journal."""

    stamp: Stamp
    first: int
    record_count: int
    is_compressed: bool
    records: bytes | memoryview


class Ack(NamedTuple):
    """Target to source: everything up to `durable` is durable, up to `applied` ready to use."""

    stamp: Stamp
    durable: Cursor
    applied: Cursor


class Heartbeat(NamedTuple):
    """Either way: I am here.

    `sequence` is the newest one that a source has sent on this connection, 0 for none: so a record
    that was lost on the way is missed though no other follows. (A streaming target says that it is
    here by an ACK, which tells its cursors again.)
    """

    stamp: Stamp
    sequence: int = 0


class ResyncStanding(NamedTuple):
    """Target to an unbased source, after WELCOME: what my history has come to."""

    stamp: Stamp
    standing: Standing


class HashAsk(NamedTuple):
    """What is wanted: the hashes of these bytes of a file, at `sequence` or later.

    One hash per extent; `is_detailed` asks for those of the blocks, of one extent.
    """

    file: int
    block_bytes: int
    extent_bytes: int
    is_detailed: bool
    offset: int
    length: int
    sequence: int


class ResyncAsk(NamedTuple):
    """Source to target: a wish for hashes of the target's newest image."""

    stamp: Stamp
    ask: HashAsk


class ResyncHashes(NamedTuple):
    """Target to source: what was asked for from `offset` on, as it is at `sequence`.

    Fewer hashes than were asked for where the file ends, none where it is not there.
    """

    stamp: Stamp
    file: int
    is_detailed: bool
    offset: int
    sequence: int
    hashes: bytes


class PeerError(NamedTuple):
    """Either way, last: why I close this connection."""

    error: EngineError


ResyncFrame = ResyncStanding | ResyncAsk | ResyncHashes
Frame = Hello | Welcome | Batch | Ack | Heartbeat | PeerError | ResyncFrame

FRAME_TYPES: dict[type, FrameType] = {
    Hello: FrameType.HELLO,
    Welcome: FrameType.WELCOME,
    Batch: FrameType.BATCH,
    Ack: FrameType.ACK,
    Heartbeat: FrameType.HEARTBEAT,
    PeerError: FrameType.ERROR,
    ResyncStanding: FrameType.RESYNC_STANDING,
    ResyncAsk: FrameType.RESYNC_ASK,
    ResyncHashes: FrameType.RESYNC_HASHES,
}


def encode_frame(
    kind: FrameType, version: int, *payload: bytes, flags: int = 0, records: Sequence[bytes] = ()
) -> bytes:
    """Return a frame's bytes; the parts of its payload are copied once, into it.

    `records` follow the payload; they have crcs of their own.
    """
    length, payload_crc = sum(map(len, records)), 0
    for part in payload:
        length += len(part)
        payload_crc = crc32(part, payload_crc)
    header = HEADER.pack(length, kind, flags, version, payload_crc)
    return b"".join((header, HEADER_CRC.pack(crc32(header)), *payload, *records))


def encode_hello(hello: Hello) -> bytes:
    """Return the frame's bytes."""
    return encode_frame(FrameType.HELLO, ANY_VERSION, HELLO.pack(*hello.stamp, *hello[1:]))


def encode_welcome(welcome: Welcome) -> bytes:
    """Return the frame's bytes."""
    epoch, sequence, chain = welcome.cursor
    stamp, version, capabilities, flags, group, incarnation, _ = welcome
    fields = (version, 0, capabilities, flags, group, epoch, incarnation, sequence, chain)
    return encode_frame(FrameType.WELCOME, ANY_VERSION, WELCOME.pack(*stamp, *fields))


def encode_ack(ack: Ack, version: int) -> bytes:
    """Return the frame's bytes."""
    return encode_frame(FrameType.ACK, version, ACK.pack(*ack.stamp, *ack.durable, *ack.applied))


def encode_heartbeat(heartbeat: Heartbeat) -> bytes:
    """Return the frame's bytes."""
    payload = HEARTBEAT.pack(*heartbeat.stamp, heartbeat.sequence)
    return encode_frame(FrameType.HEARTBEAT, ANY_VERSION, payload)


def encode_error(error: EngineError) -> bytes:
    """Return the frame's bytes; the text is cut if it is very long."""
    code = next(CODE_OF_ERROR[kind] for kind in type(error).__mro__ if kind in CODE_OF_ERROR)
    text = error.message.encode()[:_ERROR_TEXT_BYTES_MAX]
    return encode_frame(FrameType.ERROR, ANY_VERSION, ERROR.pack(code) + text)


def encode_resync_standing(frame: ResyncStanding, version: int) -> bytes:
    """Return the frame's bytes."""
    payload = STAMP.pack(*frame.stamp) + encode_standing(frame.standing)
    return encode_frame(FrameType.RESYNC_STANDING, version, payload)


def encode_resync_ask(frame: ResyncAsk, version: int) -> bytes:
    """Return the frame's bytes."""
    payload = RESYNC_ASK.pack(*frame.stamp, *frame.ask)
    return encode_frame(FrameType.RESYNC_ASK, version, payload)


def encode_resync_hashes(frame: ResyncHashes, version: int) -> bytes:
    """Return the frame's bytes."""
    payload = RESYNC_HASHES.pack(*frame.stamp, *frame[1:-1]) + frame.hashes
    return encode_frame(FrameType.RESYNC_HASHES, version, payload)


class BatchEncoder:
    """Encodes batches in one version, with one compressor kept.

    Args:
        version: The version that was chosen.
        compression_level: zstd level, None: never compress.
    """

    def __init__(self, version: int, compression_level: int | None) -> None:
        self._version = version
        self._compressor = (
            None
            if compression_level is None
            else zstandard.ZstdCompressor(level=compression_level, write_checksum=False)
        )

    def encode(self, stamp: Stamp, first: int, count: int, parts: Sequence[bytes]) -> bytes:
        """Return the frame's bytes; the records go as they are where they would not shrink.

        Args:
            stamp: The frame's.
            first: The sequence of the first record.
            count: How many records there are.
            parts: Their bytes.
        """
        raw_bytes = sum(map(len, parts))
        head = BATCH.pack(*stamp, first, count, raw_bytes)
        if (packed := self._packed(parts, raw_bytes)) is not None:
            flags = FLAG_BATCH_ZSTD
            return encode_frame(FrameType.BATCH, self._version, head, packed, flags=flags)
        return encode_frame(FrameType.BATCH, self._version, head, records=parts)

    def _packed(self, parts: Sequence[bytes], raw_bytes: int) -> bytes | None:
        """Return the records compressed, None where that is not worth its time."""
        if self._compressor is None:
            return None
        if not is_compressible(self._compressor, parts, raw_bytes):
            return None  # most bodies are compressed already
        packed = self._compressor.compress(b"".join(parts))
        return packed if len(packed) < raw_bytes else None
