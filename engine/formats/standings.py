"""What a history has come to at one cursor: all that is needed to go on from there.

    epoch u32 | chain u32 | sequence u64 | source_time_ns u64 | incarnation u64 | gap_opened u64 |
    id_newest u32 | flags u32 | file_count u64 | file ...

file: file u32 | name_length u32 | size u64 | name; files in order of their ids. flags: 1 an
incarnation is known, 2 the open gap is a resync. gap_opened is 0 where no gap is open.
"""

import struct
from typing import NamedTuple

from engine.basics.cursor import Cursor

_HEAD = struct.Struct("<IIQQQQIIQ")
_FILE = struct.Struct("<IIQ")
_HAS_INCARNATION = 1
_IS_RESYNC = 2


class FileEntry(NamedTuple):
    """A live file: its id, name, and size in bytes."""

    file: int
    name: str
    size: int


class Standing(NamedTuple):
    """The newest record, its time, the capture that wrote it, the open gap, the live files.

    `gap_opened` is the sequence where the open gap began, 0 where none is open; `id_newest` the
    highest file id ever given; `incarnation` None while no capture has written anything.
    """

    cursor: Cursor
    source_time_ns: int = 0
    incarnation: int | None = None
    gap_opened: int = 0
    is_resync: bool = False
    id_newest: int = 0
    files: tuple[FileEntry, ...] = ()


def encode_standing(standing: Standing) -> bytes:
    """Return the bytes of a standing."""
    epoch, sequence, chain = standing.cursor
    flags = _HAS_INCARNATION if standing.incarnation is not None else 0
    flags |= _IS_RESYNC if standing.is_resync else 0
    head = _HEAD.pack(
        epoch,
        chain,
        sequence,
        standing.source_time_ns,
        standing.incarnation or 0,
        standing.gap_opened,
        standing.id_newest,
        flags,
        len(standing.files),
    )
    parts = [head]
    for file, name, size in standing.files:
        text = name.encode()
        parts += (_FILE.pack(file, len(text), size), text)
    return b"".join(parts)


def decode_standing(data: bytes) -> Standing:
    """Return the standing that bytes, checked before by a crc, stand for.

    Raises:
        struct.error, ValueError: They are not a standing.
    """
    epoch, chain, sequence, time_ns, incarnation, gap, newest, flags, count = _HEAD.unpack_from(
        data
    )
    position, files = _HEAD.size, []
    for _ in range(count):
        file, length, size = _FILE.unpack_from(data, position)
        position += _FILE.size
        files.append(FileEntry(file, data[position : position + length].decode(), size))
        position += length
    if position != len(data):
        raise ValueError(f"a standing of {position} bytes in {len(data)}")
    return Standing(
        Cursor(epoch, sequence, chain),
        time_ns,
        incarnation if flags & _HAS_INCARNATION else None,
        gap,
        bool(flags & _IS_RESYNC),
        newest,
        tuple(files),
    )
