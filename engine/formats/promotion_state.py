"""What a promotion must not forget in a crash: one small file, replaced as a whole.

    magic u32 | crc u32 | version u16 | state u16 | group u32 | epoch u32 | base_epoch u32 |
    base_chain u32 | flags u32 | base_sequence u64 | request u64 | holder_before u64 |
    commit_by_ns u64

The crc covers everything after itself. flags: 1 commit_by_ns is a time limit. No file: standby.
"""

import struct
from typing import NamedTuple

from engine.basics.cursor import Cursor
from engine.formats.segments import FORMAT_VERSION, PREFIX, checked, sealed_by_crc

PROMOTION_FILE = "promotion"
PROMOTION_MAGIC = 0x31505052  # "RPP1"
#: The code of the one state in which the epoch is asked for, but not granted yet.
STATE_ASKING = 1
_HAS_LIMIT = 1
_FIELDS = struct.Struct("<HHIIIIIQQQQ")


class PromotionRecord(NamedTuple):
    """A promotion that has asked for its epoch, or got it; `state` is a code of the state's.

    `holder_before` is the copy to which a rollback gives the group back.
    """

    group: int
    state: int
    epoch: int
    base: Cursor
    request: int
    holder_before: int
    commit_by_ns: int | None


def encode_promotion(record: PromotionRecord) -> bytes:
    """Return the file's bytes."""
    base, limit = record.base, record.commit_by_ns
    fields = _FIELDS.pack(
        FORMAT_VERSION,
        record.state,
        record.group,
        record.epoch,
        base.epoch,
        base.chain,
        0 if limit is None else _HAS_LIMIT,
        base.sequence,
        record.request,
        record.holder_before,
        limit or 0,
    )
    return sealed_by_crc(PROMOTION_MAGIC, fields)


def decode_promotion(data: bytes) -> PromotionRecord | None:
    """Return the record, None where the bytes are no undamaged one of this version."""
    length = PREFIX.size + _FIELDS.size
    if len(data) != length or (rest := checked(data, PROMOTION_MAGIC, length)) is None:
        return None
    version, state, group, epoch, base_epoch, chain, flags, sequence, *others = _FIELDS.unpack(rest)
    if version != FORMAT_VERSION:
        return None
    request, holder_before, limit = others
    base = Cursor(base_epoch, sequence, chain)
    commit_by_ns = limit if flags & _HAS_LIMIT else None
    return PromotionRecord(group, state, epoch, base, request, holder_before, commit_by_ns)
