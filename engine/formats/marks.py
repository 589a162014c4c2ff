"""Synced marks: what a segment file itself says about how much of it was durable, and when.

    magic u32 | crc u32 | version u16 | reserved u16 | group u32 | incarnation u64 | position u64 |
    synced_bytes u64 | sequence u64 | epoch u32 | chain u32

A mark of 56 bytes follows the records of an append, when a sync has completed since the mark
before it: it costs no write and no sync of its own. It says that the first `synced_bytes` of this
file, up to and including record `sequence`, were durable before the mark was written. So damage
below `synced_bytes` is no torn write, whatever the damage has done to the records there
(protection.md 3.1, tail rule).

A mark is no record: it has no sequence of its own, is not in the chain, the index or the digest.
The crc covers everything after itself; `position` is where in the file the mark lies and
`incarnation` a number drawn for each capture, so that a copy of a mark inside a record's body is
not taken for one. What a mark cannot tell: what was synced after the newest mark was written, and
whether bytes are missing where the file was cut below its newest mark.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from engine.basics.cursor import Cursor
from engine.formats.records import ALIGNMENT
from engine.formats.segments import FORMAT_VERSION, PREFIX, checked, sealed_by_crc

MARK_MAGIC = 0x314D5352  # "RSM1"
MARK_BYTES = 56

_MARK = struct.Struct("<HHIQQQQII")
_MAGIC_BYTES = struct.pack("<I", MARK_MAGIC)
assert PREFIX.size + _MARK.size == MARK_BYTES, "a mark is 56 bytes"
assert MARK_BYTES % ALIGNMENT == 0, "records after a mark stay aligned"


class SyncedMark(NamedTuple):
    """The first `synced_bytes` of this file, up to the cursor's record, were durable."""

    group: int
    incarnation: int
    position: int
    synced_bytes: int
    cursor: Cursor


def encode_mark(mark: SyncedMark) -> bytes:
    """Return the mark's bytes."""
    group, incarnation, position, synced_bytes, (epoch, sequence, chain) = mark
    return sealed_by_crc(
        MARK_MAGIC,
        _MARK.pack(
            FORMAT_VERSION, 0, group, incarnation, position, synced_bytes, sequence, epoch, chain
        ),
    )


def decode_mark(data: bytes) -> SyncedMark | None:
    """Return the mark that the bytes begin with, or None where there is no undamaged one."""
    rest = checked(data, MARK_MAGIC, MARK_BYTES)
    if rest is None:
        return None
    version, _, group, incarnation, position, synced, sequence, epoch, chain = _MARK.unpack(rest)
    if version != FORMAT_VERSION:
        return None
    return SyncedMark(group, incarnation, position, synced, Cursor(epoch, sequence, chain))


def newest_mark(
    data: bytes, position: int, *, group: int, incarnation: int | None
) -> SyncedMark | None:
    """Return the mark from `position` on that vouches for most, found without any framing.

    Args:
        data: The whole file.
        position: Where the framing was lost.
        group: Marks of other groups do not count.
        incarnation: Nor do those of other captures, unless it is None: not known.
    """
    marks = [
        mark
        for mark in _marks_from(data, position)
        if mark.group == group and incarnation in (None, mark.incarnation)
    ]
    return max(marks, key=lambda mark: mark.synced_bytes, default=None)


def _marks_from(data: bytes, position: int) -> Iterator[SyncedMark]:
    """Yield the marks that lie where they say they do."""
    at = data.find(_MAGIC_BYTES, position)
    while at >= 0:
        mark = decode_mark(data[at : at + MARK_BYTES])
        if mark is not None and mark.position == at:
            yield mark
        at = data.find(_MAGIC_BYTES, at + 1)
