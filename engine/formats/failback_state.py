"""How far a failback has come: one small file, replaced as a whole.

    magic u32 | crc u32 | version u16 | is_level u16 | epoch u32 | chain u32 | reserved u32 |
    sequence u64 | level_at u64

epoch, chain and sequence are the cursor at which the two histories parted. While `is_level` is 0
the files are of no point. The crc covers everything after itself.
"""

import struct
from typing import NamedTuple

from engine.basics.cursor import Cursor
from engine.formats.segments import FORMAT_VERSION, PREFIX, checked, sealed_by_crc

FAILBACK_FILE = "failback"
FAILBACK_MAGIC = 0x31424652  # "RFB1"
_FIELDS = struct.Struct("<HHIIIQQ")


class FailbackRecord(NamedTuple):
    """The files are those of sequence `level_at` of the new branch; None: of no point."""

    ancestor: Cursor
    level_at: int | None


def encode_failback(record: FailbackRecord) -> bytes:
    """Return the file's bytes."""
    (epoch, sequence, chain), level_at = record
    is_level = int(level_at is not None)
    fields = (FORMAT_VERSION, is_level, epoch, chain, 0, sequence, level_at or 0)
    return sealed_by_crc(FAILBACK_MAGIC, _FIELDS.pack(*fields))


def decode_failback(data: bytes) -> FailbackRecord | None:
    """Return the record, None where the bytes are no undamaged one of this version."""
    length = PREFIX.size + _FIELDS.size
    if len(data) != length or (rest := checked(data, FAILBACK_MAGIC, length)) is None:
        return None
    version, is_level, epoch, chain, _, sequence, level_at = _FIELDS.unpack(rest)
    if version != FORMAT_VERSION:
        return None
    return FailbackRecord(Cursor(epoch, sequence, chain), level_at if is_level else None)
