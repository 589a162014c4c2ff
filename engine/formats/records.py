"""The record: one captured change, encoded once at the source.

The same bytes travel on the wire and lie in the journal (protection.md 3.1). A record is a 64-byte
little-endian header and a body, padded with zeros to a multiple of 8:

    magic u32 | header_crc u32 | version u8 | type u8 | flags u16 | file u32 | sequence u64 |
    source_time_ns u64 | offset u64 | epoch u32 | group u32 | raw_length u32 | stored_length u32 |
    body_crc u32 | chain u32

* header_crc covers everything after itself, so a header is trusted before its lengths are used.
* body_crc covers the stored body and its padding.
* chain is the crc of bytes 8..60 of this header, started with the previous record's chain: a
  missing, repeated or reordered record is seen at once.

Order lost is said inside the stream. From GAP_OPEN (its body says why) or RESYNC_BEGIN (its body
is the new capture's incarnation) up to GAP_CLOSE or RESYNC_END, the records describe states that
no moment had; with the closing record the image equals the source again. EPOCH (its body is the
cursor in the parent branch) begins a branch after a promotion. See `engine.history.gaps`.

What is checked: every byte of a record is under a crc. What is not: a crc is no signature; someone
who can write to the journal can forge one.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from isal.isal_zlib import crc32

RECORD_MAGIC = 0x31435052  # "RPC1"
RECORD_VERSION = 1
HEADER_BYTES = 64
ALIGNMENT = 8
#: InMage's driver asks for a resync beyond this in metadata mode (protection.md 1.2).
RAW_BYTES_MAX = 64 << 20
#: The zero-run form adds a table; a body longer than this cannot be honest.
STORED_BYTES_MAX = RAW_BYTES_MAX + (1 << 20)

PREFIX = struct.Struct("<II")
CORE = struct.Struct("<BBHIQQQIIIII")
CHAIN = struct.Struct("<I")
CHAIN_OFFSET = PREFIX.size + CORE.size
assert CHAIN_OFFSET + CHAIN.size == HEADER_BYTES, "the header is 64 bytes"

FLAG_ZSTD = 1
FLAG_ZERO_RUNS = 2
#: On a tag: it is a point only once a later TAG_COMMIT names it (protection.md 1.3).
FLAG_PENDING = 4
_FLAGS_KNOWN = FLAG_ZSTD | FLAG_ZERO_RUNS | FLAG_PENDING
_PADDING = tuple(bytes(n) for n in range(ALIGNMENT))


class RecordType(IntEnum):
    """What a record says; the numbers are part of the format.

    A tag with FLAG_PENDING is the first half of a two-phase bookmark. The second half is the first
    record that names it, by its sequence in `offset`: after a TAG_COMMIT it is a point, after a
    TAG_REVOKE it never will be. A tag without the flag is a point at once.
    """

    WRITE = 1
    TRUNCATE = 2
    RENAME = 3
    CREATE = 4
    DELETE = 5
    FLUSH = 6
    TAG_CRASH = 7
    TAG_APP = 8
    TIME = 9
    GAP_OPEN = 12
    GAP_CLOSE = 13
    RESYNC_BEGIN = 14
    RESYNC_END = 15
    EPOCH = 16
    TAG_COMMIT = 18
    TAG_REVOKE = 19


#: Numbers kept free for the other types of protection.md 3.1; this version refuses them.
RESERVED_TYPES = {
    10: "DISCARD",
    11: "MODE",
    17: "SEAL",
}
_TYPES_KNOWN = frozenset(int(kind) for kind in RecordType)


class RecordHeader(NamedTuple):
    """The header's fields in the order of the format; lengths in bytes, times in ns."""

    version: int
    type: int
    flags: int
    file: int
    sequence: int
    source_time_ns: int
    offset: int
    epoch: int
    group: int
    raw_length: int
    stored_length: int
    body_crc: int
    chain: int


class ScannedRecord(NamedTuple):
    """A complete, undamaged record at `position`; its successor begins at `end`."""

    header: RecordHeader
    position: int
    end: int


class RecordTorn(NamedTuple):
    """The buffer ends inside a record; `needed` bytes from its beginning would decide."""

    position: int
    needed: int


class DamagedRecord(NamedTuple):
    """A complete record whose `field` contradicts its bytes, at `position` of the buffer."""

    field: str
    position: int


def encode_record(header: RecordHeader, body: bytes, chain_before: int) -> tuple[bytes, int]:
    """Return the record's bytes and its chain; arguments as of `parts_of_record`."""
    parts, chain = parts_of_record(header, body, chain_before)
    return b"".join(parts), chain


def parts_of_record(
    header: RecordHeader, body: bytes, chain_before: int
) -> tuple[tuple[bytes, ...], int]:
    """Return the record's bytes and its chain; the body is one of the parts as it is.

    `body_crc` and `chain` of the header are computed.

    Args:
        header: All fields; `stored_length` must be the body's length.
        body: The stored form of the payload (see `engine.formats.bodies`).
        chain_before: The previous record's chain.
    """
    assert header.stored_length == len(body), "the header states the body's length"
    assert header.raw_length <= RAW_BYTES_MAX, "the capture refuses longer payloads"
    padding = _PADDING[-len(body) % ALIGNMENT]
    body_crc = crc32(body)
    if padding:
        body_crc = crc32(padding, body_crc)
    core = CORE.pack(*header[:11], body_crc)
    chain = crc32(core, chain_before)
    tail = CHAIN.pack(chain)
    prefix = PREFIX.pack(RECORD_MAGIC, crc32(tail, crc32(core)))
    head = b"".join((prefix, core, tail))
    return ((head, body, padding) if padding else (head, body) if body else (head,)), chain


def chain_after(view: memoryview, position: int, chain_before: int) -> int:
    """Return what the chain of the record at `position` must be after `chain_before`."""
    return crc32(view[position + PREFIX.size : position + CHAIN_OFFSET], chain_before)


def scan_record(view: memoryview, position: int) -> ScannedRecord | RecordTorn | DamagedRecord:
    """Read the record that begins at `position`: complete, torn, or damaged in a named field.

    Nothing is believed before its crc: a length is used only after the header's crc matched.
    """
    if len(view) - position < HEADER_BYTES:
        return RecordTorn(position, HEADER_BYTES)
    if damage := _prefix_damage(view, position):
        return DamagedRecord(damage, position)
    core = CORE.unpack_from(view, position + PREFIX.size)
    header = RecordHeader._make(core + CHAIN.unpack_from(view, position + CHAIN_OFFSET))
    if damage := _field_damage(header):
        return DamagedRecord(damage, position)
    body_position = position + HEADER_BYTES
    end = body_position + header.stored_length + -header.stored_length % ALIGNMENT
    if end > len(view):
        return RecordTorn(position, end - position)
    if header.body_crc != crc32(view[body_position:end]):
        return DamagedRecord("body_crc", position)
    return ScannedRecord(header, position, end)


def _prefix_damage(view: memoryview, position: int) -> str:
    magic, header_crc = PREFIX.unpack_from(view, position)
    if magic != RECORD_MAGIC:
        return "magic"
    is_intact = header_crc == crc32(view[position + PREFIX.size : position + HEADER_BYTES])
    return "" if is_intact else "header_crc"


def _field_damage(header: RecordHeader) -> str:
    """Return the name of the first field whose value this version does not allow, or ''."""
    if header.version != RECORD_VERSION:
        return "version"
    if header.type not in _TYPES_KNOWN:
        return "type"
    if header.flags & ~_FLAGS_KNOWN:
        return "flags"
    if header.raw_length > RAW_BYTES_MAX:
        return "raw_length"
    return "stored_length" if header.stored_length > STORED_BYTES_MAX else ""
