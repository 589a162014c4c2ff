"""Segment files: the journal's records, in order, in files named by their first sequence.

    header (64 bytes) | record | record | mark | ... | footer (64 bytes), once it is sealed

header: magic u32 | crc u32 | version u16 | reserved u16 | group u32 | epoch u32 |
        chain_before u32 | incarnation u64 | first_sequence u64 | reserved 24
footer: magic u32 | crc u32 | version u16 | reserved u16 | group u32 | last_sequence u64 |
        record_count u64 | record_bytes u64 | chain u32 | reserved u32 | digest 16

Each crc covers everything after itself. The digest (blake2b) runs over all record headers in
order; a header holds its body's crc, so the digest vouches for the bodies too. Marks (see
`engine.formats.marks`) are left out of digest, `record_count` and `record_bytes`: each vouches for
itself.
"""

import struct
from hashlib import blake2b
from typing import NamedTuple

from isal.isal_zlib import crc32

SEGMENT_SUFFIX = ".segment"
SEGMENT_MAGIC = 0x31475352  # "RSG1"
FOOTER_MAGIC = 0x31464352  # "RCF1"
FORMAT_VERSION = 1
SEGMENT_HEADER_BYTES = 64
FOOTER_BYTES = 64
DIGEST_BYTES = 16

PREFIX = struct.Struct("<II")
_HEADER = struct.Struct("<HHIIIQQ24s")
_FOOTER = struct.Struct("<HHIQQQII16s")
assert PREFIX.size + _HEADER.size == SEGMENT_HEADER_BYTES, "the segment header is 64 bytes"
assert PREFIX.size + _FOOTER.size == FOOTER_BYTES, "the footer is 64 bytes"


class SegmentHeader(NamedTuple):
    """Whose segment this is and where it begins; `chain_before` is the previous record's chain."""

    group: int
    epoch: int
    incarnation: int
    first_sequence: int
    chain_before: int


class SegmentFooter(NamedTuple):
    """What a sealed segment holds; `record_bytes` counts the records only."""

    group: int
    last_sequence: int
    record_count: int
    record_bytes: int
    chain: int
    digest: bytes


def segment_name(first_sequence: int) -> str:
    """Return the file name; names sort as their sequences do."""
    return f"{first_sequence:020d}{SEGMENT_SUFFIX}"


def sequence_of_name(name: str) -> int | None:
    """Return the first sequence that a segment's name states, or None for any other file."""
    stem = name.removesuffix(SEGMENT_SUFFIX)
    if not stem.isascii() or not stem.isdigit() or segment_name(int(stem)) != name:
        return None
    return int(stem)


def encode_segment_header(header: SegmentHeader) -> bytes:
    """Return the 64 bytes at the beginning of a segment file."""
    rest = _HEADER.pack(
        FORMAT_VERSION,
        0,
        header.group,
        header.epoch,
        header.chain_before,
        header.incarnation,
        header.first_sequence,
        b"",
    )
    return sealed_by_crc(SEGMENT_MAGIC, rest)


def decode_segment_header(data: bytes) -> SegmentHeader | None:
    """Return the header, or None where the 64 bytes are not an undamaged one."""
    rest = checked(data, SEGMENT_MAGIC, SEGMENT_HEADER_BYTES)
    if rest is None:
        return None
    version, _, group, epoch, chain, incarnation, first, _ = _HEADER.unpack(rest)
    if version != FORMAT_VERSION:
        return None
    return SegmentHeader(group, epoch, incarnation, first, chain)


def encode_footer(footer: SegmentFooter) -> bytes:
    """Return the 64 bytes at the end of a sealed segment file."""
    rest = _FOOTER.pack(
        FORMAT_VERSION,
        0,
        footer.group,
        footer.last_sequence,
        footer.record_count,
        footer.record_bytes,
        footer.chain,
        0,
        footer.digest,
    )
    return sealed_by_crc(FOOTER_MAGIC, rest)


def decode_footer(data: bytes) -> SegmentFooter | None:
    """Return the footer, or None where the 64 bytes are not an undamaged one."""
    rest = checked(data, FOOTER_MAGIC, FOOTER_BYTES)
    if rest is None:
        return None
    version, _, group, last, count, length, chain, _, digest = _FOOTER.unpack(rest)
    if version != FORMAT_VERSION:
        return None
    return SegmentFooter(group, last, count, length, chain, digest)


def sealed_by_crc(magic: int, rest: bytes) -> bytes:
    """Return a frame of the segment format: magic, crc, and the fields the crc is of."""
    return PREFIX.pack(magic, crc32(rest)) + rest


def checked(data: bytes, magic: int, length: int) -> bytes | None:
    """Return what follows the crc of such a frame, or None where it is damaged or another."""
    if len(data) < length:
        return None
    found, crc = PREFIX.unpack_from(data)
    rest = bytes(data[PREFIX.size : length])
    return rest if found == magic and crc == crc32(rest) else None


class SegmentDigest:
    """The running digest over the record headers of one segment."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=DIGEST_BYTES)

    def add(self, header: memoryview) -> None:
        """Add the 64 header bytes of the next record."""
        self._hash.update(header)

    def value(self) -> bytes:
        """Return the digest so far."""
        return self._hash.digest()
