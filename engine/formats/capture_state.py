"""The saved state of a capture that was stopped cleanly: one file, all of it or nothing.

    magic u32 | version u16 | reserved u16 | fields_length u32 | records_length u64 | digest 16 |
    fields | records

The fields are JSON (names, tables, positions; written once per stop, read by people in need); the
records are those of the pool and of the spool's memory, as they go over the wire. The digest
(blake2b) covers everything after itself. What is not checked: that the state is the newest one;
whoever starts the capture deletes the file before the first change.
"""

import json
import struct
from hashlib import blake2b
from typing import Any, NamedTuple

STATE_MAGIC = 0x31534352  # "RCS1"
STATE_VERSION = 2
_DIGEST_BYTES = 16
_HEADER = struct.Struct(f"<IHHIQ{_DIGEST_BYTES}s")


class CaptureState(NamedTuple):
    """What a saved capture is: plain values by name, and records one after the other."""

    fields: dict[str, Any]
    records: bytes


def encode_capture_state(state: CaptureState) -> bytes:
    """Return the file's bytes; the same state gives the same bytes."""
    fields = json.dumps(state.fields, sort_keys=True, separators=(",", ":")).encode()
    body = fields + state.records
    digest = blake2b(body, digest_size=_DIGEST_BYTES).digest()
    lengths = (len(fields), len(state.records))
    return _HEADER.pack(STATE_MAGIC, STATE_VERSION, 0, *lengths, digest) + body


def decode_capture_state(data: bytes) -> CaptureState | None:
    """Return the state, or None where the bytes are not an undamaged one of this version."""
    if len(data) < _HEADER.size:
        return None
    magic, version, _, fields_length, records_length, digest = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    is_whole = len(body) == fields_length + records_length
    if (magic, version) != (STATE_MAGIC, STATE_VERSION) or not is_whole:
        return None
    if blake2b(body, digest_size=_DIGEST_BYTES).digest() != digest:
        return None
    return CaptureState(json.loads(body[:fields_length]), body[fields_length:])
