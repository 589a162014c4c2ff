"""The bodies of the records that speak of the history itself, not of files.

    RESYNC_BEGIN: incarnation u64                         the capture that goes on from here
    EPOCH:        epoch u32 | chain u32 | sequence u64    the cursor in the parent branch

The body of GAP_OPEN is a text that says why order was lost; GAP_CLOSE and RESYNC_END have none.
"""

import struct

from engine.basics.cursor import Cursor
from engine.basics.errors import RecordDamaged

_INCARNATION = struct.Struct("<Q")
_PARENT = struct.Struct("<IIQ")


def encode_incarnation(incarnation: int) -> bytes:
    """Return the body of RESYNC_BEGIN."""
    return _INCARNATION.pack(incarnation)


def decode_incarnation(body: bytes) -> int:
    """Return the incarnation of the capture that a RESYNC_BEGIN names.

    Raises:
        RecordDamaged: The body has another length.
    """
    (incarnation,) = _unpack(_INCARNATION, body, "RESYNC_BEGIN")
    return incarnation


def encode_parent(parent: Cursor) -> bytes:
    """Return the body of EPOCH."""
    return _PARENT.pack(parent.epoch, parent.chain, parent.sequence)


def decode_parent(body: bytes) -> Cursor:
    """Return the cursor in the parent branch that an EPOCH names.

    Raises:
        RecordDamaged: The body has another length.
    """
    epoch, chain, sequence = _unpack(_PARENT, body, "EPOCH")
    return Cursor(epoch, sequence, chain)


def _unpack(form: struct.Struct, body: bytes, kind: str) -> tuple[int, ...]:
    if len(body) != form.size:
        raise RecordDamaged(f"The body of {kind} has {len(body)} bytes, it must have {form.size}")
    return form.unpack(body)
