"""Index files: what a sealed segment's records say, so that nobody has to read the segment.

    magic u32 | crc u32 | version u16 | sections u16 | group u32 | first_sequence u64 |
    last_sequence u64 | incarnation u64 | epoch u32 | chain u32 | places | sections ...

One place (kind u32, crc u32, offset u64, length u64) per section, in order of the kinds. The crc of
this head covers all of it after itself; each section has its own, so that only what is wanted is
read and checked. The digest of the head, which the manifest repeats, vouches for the whole file. An
index file holds nothing that its segment does not, and is written from it always in the same way:
one that is lost is built again, byte for byte.

STANDING  before the first record (`engine.formats.standings`)
PLACES    columns: position u64, chain u32
TIMES     column: source_time_ns u64
SHAPES    columns: kind u8, file u32, offset u64, raw_length u32
EVENTS    every record but WRITE, TRUNCATE, FLUSH and TIME: sequence u64 | source_time_ns u64 |
          offset u64 | file u32 | kind u16 | flags u16 | text_length u32 | text
FILES     per file that was changed and lives at the end: file u32 | extents u32 | crc u32 |
          reserved u32 | cut u64 | size u64 | offset u64; the crc is of its extents
EXTENTS   what the files hold at the end, per file the columns start u64, length u32, skip u32,
          row u32 (sequence - first_sequence)
"""

import struct
import sys
from array import array
from collections.abc import Iterable, Mapping
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

from isal.isal_zlib import crc32

from engine.formats.segments import (
    DIGEST_BYTES,
    FORMAT_VERSION,
    PREFIX,
    checked,
    sealed_by_crc,
)

INDEX_SUFFIX = ".index"
INDEX_MAGIC = 0x31584952  # "RIX1"
NO_CUT = (1 << 64) - 1


class Section(IntEnum):
    """The sections of an index file, in order."""

    STANDING = 1
    PLACES = 2
    TIMES = 3
    SHAPES = 4
    EVENTS = 5
    FILES = 6
    EXTENTS = 7


PLACES = "QI"
TIMES = "Q"
SHAPES = "BIQI"
EXTENTS = "QIII"

_HEAD = struct.Struct("<HHIQQQII")
_PLACE = struct.Struct("<IIQQ")
_EVENT = struct.Struct("<QQQIHHI")
_FILE = struct.Struct("<IIIIQQQ")
INDEX_HEAD_BYTES = PREFIX.size + _HEAD.size + len(Section) * _PLACE.size


class SectionPlace(NamedTuple):
    """Where a section lies, and the crc of its bytes."""

    crc: int
    offset: int
    length: int


class IndexHead(NamedTuple):
    """Of which segment an index file is; `chain` is that of its last record."""

    group: int
    first_sequence: int
    last_sequence: int
    incarnation: int
    epoch: int
    chain: int
    places: tuple[SectionPlace, ...] = ()

    def place(self, section: Section) -> SectionPlace:
        """Return where a section lies."""
        return self.places[section - 1]


class Event(NamedTuple):
    """A record of the rarer kinds, with the name or label in its body, '' without one."""

    sequence: int
    source_time_ns: int
    offset: int
    file: int
    kind: int
    flags: int
    text: str


class FileRow(NamedTuple):
    """What a segment did to a file: `extents` of them at `offset` of their section.

    `cut` is None where everything from before shows that no extent covers.
    """

    file: int
    extents: int
    crc: int
    cut: int | None
    size: int
    offset: int


def index_name(first_sequence: int) -> str:
    """Return the name of the index file of the segment that begins with this sequence."""
    return f"{first_sequence:020d}{INDEX_SUFFIX}"


def encode_index(head: IndexHead, sections: Mapping[Section, bytes]) -> bytes:
    """Return the bytes of an index file; the head's places are computed."""
    offset, places = INDEX_HEAD_BYTES, []
    for kind in Section:
        data = sections[kind]
        places.append(_PLACE.pack(kind, crc32(data), offset, len(data)))
        offset += len(data)
    rest = _HEAD.pack(FORMAT_VERSION, len(Section), *head[:6]) + b"".join(places)
    return b"".join((sealed_by_crc(INDEX_MAGIC, rest), *(sections[kind] for kind in Section)))


def decode_index_head(data: bytes) -> IndexHead | None:
    """Return the head that the bytes begin with, or None where there is no undamaged one."""
    rest = checked(data, INDEX_MAGIC, INDEX_HEAD_BYTES)
    if rest is None:
        return None
    version, count, *fields = _HEAD.unpack_from(rest)
    if version != FORMAT_VERSION or count != len(Section):
        return None
    places = tuple(SectionPlace(*fields[1:]) for fields in _PLACE.iter_unpack(rest[_HEAD.size :]))
    return IndexHead._make((*fields, places))


def index_digest(data: bytes) -> bytes:
    """Return the digest of the index file that begins with these bytes."""
    return blake2b(data[:INDEX_HEAD_BYTES], digest_size=DIGEST_BYTES).digest()


def pack_columns(*columns: "array[int]") -> bytes:
    """Return columns of equal length, one after the other, little-endian."""
    return b"".join([_little_endian(column).tobytes() for column in columns])


def unpack_columns(data: bytes, codes: str) -> "list[array[int]]":
    """Return the columns that `pack_columns` packed; `codes` are their array type codes."""
    columns = [array(code) for code in codes]
    count = len(data) // sum(column.itemsize for column in columns)
    position = 0
    for column in columns:
        stop = position + count * column.itemsize
        column.frombytes(data[position:stop])
        position = stop
    return [_little_endian(column) for column in columns]


def pack_events(events: Iterable[Event]) -> bytes:
    """Return the bytes of the section EVENTS."""
    parts: list[bytes] = []
    for event in events:
        text = event.text.encode()
        parts += (_EVENT.pack(*event[:6], len(text)), text)
    return b"".join(parts)


def unpack_events(data: bytes) -> list[Event]:
    """Return the events of the section EVENTS."""
    position, events = 0, []
    while position < len(data):
        fields = _EVENT.unpack_from(data, position)
        position += _EVENT.size
        stop = position + fields[-1]
        events.append(Event._make((*fields[:-1], data[position:stop].decode())))
        position = stop
    return events


def pack_files(rows: Iterable[FileRow]) -> bytes:
    """Return the bytes of the section FILES."""
    return b"".join(
        _FILE.pack(file, extents, crc, 0, NO_CUT if cut is None else cut, size, offset)
        for file, extents, crc, cut, size, offset in rows
    )


def unpack_files(data: bytes) -> list[FileRow]:
    """Return the rows of the section FILES, in order of the file ids."""
    return [
        FileRow(file, extents, crc, None if cut == NO_CUT else cut, size, offset)
        for file, extents, crc, _, cut, size, offset in _FILE.iter_unpack(data)
    ]


def _little_endian(column: "array[int]") -> "array[int]":
    if sys.byteorder == "little":
        return column
    swapped = array(column.typecode, column)
    swapped.byteswap()
    return swapped
