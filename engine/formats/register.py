"""The register of epochs as bytes: what a compare-and-swap compares, and swaps, as a whole.

    magic u32 | crc u32 | version u16 | reserved u16 | group u32 | count u32 | grant ...

A grant is epoch u32 | holder u64 | request u64. The crc covers everything after itself. b"" is the
register of a group in which no epoch was ever given.
"""

import struct
from itertools import pairwise

from engine.basics.register import Grant, Register
from engine.formats.segments import FORMAT_VERSION, PREFIX, checked, sealed_by_crc

REGISTER_MAGIC = 0x31475252  # "RRG1"

_HEAD = struct.Struct("<HHII")
_GRANT = struct.Struct("<IQQ")


def encode_register(register: Register) -> bytes:
    """Return the register's bytes; the same register gives the same bytes."""
    if not register.grants:
        return b""
    head = _HEAD.pack(FORMAT_VERSION, 0, register.group, len(register.grants))
    return sealed_by_crc(REGISTER_MAGIC, head + b"".join(_GRANT.pack(*g) for g in register.grants))


def decode_register(data: bytes, group: int) -> Register | None:
    """Return the register of a group, None where the bytes are no undamaged one of this group."""
    if not data:
        return Register(group)
    head_end = PREFIX.size + _HEAD.size
    if len(data) <= head_end or (len(data) - head_end) % _GRANT.size:
        return None
    if (rest := checked(data, REGISTER_MAGIC, len(data))) is None:
        return None
    version, _, found, count = _HEAD.unpack_from(rest)
    grants = tuple(Grant(*fields) for fields in _GRANT.iter_unpack(rest[_HEAD.size :]))
    is_rising = all(one.epoch < other.epoch for one, other in pairwise(grants))
    is_right = (version, found, count) == (FORMAT_VERSION, group, len(grants)) and is_rising
    return Register(group, grants) if is_right else None
