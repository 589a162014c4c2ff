"""Layer files: what an interval of the history left of each file, sorted, for reading in place.

    header (64) | data | page | data | page ... | table | directory | footer (128)

A layer covers the records of (low, high]. Extents, sorted by (file, start), say what the files hold
at `high` where the interval changed it; each refers to its own data, stored as a record's body is
(`engine.formats.bodies`). Their rows stand in pages of up to 256, each behind the data it speaks
of, so that a layer is written from front to back in little memory; the directory finds the page of
an extent. The table holds the files that live at `high`: what no extent covers is as it was at
`low`, but only in front of `cut`; from there on it reads as zeros. In an image layer every cut is
0: it needs nothing below it. What is read is checked: each section has its crc where it is referred
to, and the footer a blake2b digest over all before it, which the manifest repeats.

header:    magic u32 | crc u32 | version u16 | kind u16 | level u32 | group u32 | reserved u32 |
           low u64, its epoch u32 | chain u32 | high u64, its epoch u32 | chain u32 | reserved 8
extent:    file u32 | flags u32 | start u64 | length u64 | position u64 | stored_length u32 |
           crc u32; flags: those of a body, and 65536 for a run of zeros without data
table row: file u32 | name_length u32 | size u64 | cut u64 | digest 16 | name;
           cut 2**64-1: nothing is cut; the digest is `engine.layers.certificates`'
directory: file u32 | rows u32 | start u64 | position u64 | crc u32 | reserved u32, per page
footer:    magic u32 | crc u32 | version u16 | is_certified u16 | table_crc u32 |
           table_position u64 | table_rows u64 | directory_position u64 | directory_crc u32 |
           reserved u32 | extents u64 | raw_bytes u64 | certificate 16 | digest 16 | reserved 32
"""

import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from isal.isal_zlib import crc32

from engine.basics.cursor import Cursor
from engine.formats.segments import FORMAT_VERSION, PREFIX, checked, sealed_by_crc

LAYER_SUFFIX = ".layer"
LAYER_MAGIC = 0x31594C52  # "RLY1"
LAYER_FOOTER_MAGIC = 0x31464C52  # "RLF1"
LAYER_HEADER_BYTES = 64
LAYER_FOOTER_BYTES = 128
PAGE_ROWS_MAX = 256
#: Beside the flags of a body: a run of zeros, without data.
FLAG_ZEROS = 1 << 16
DIGEST_ZERO = bytes(16)

_HEADER = struct.Struct("<HHIIIQIIQII8s")
_EXTENT = struct.Struct("<IIQQQII")
_TABLE_ROW = struct.Struct("<IIQQ16s")
_DIRECTORY_ROW = struct.Struct("<IIQQII")
_FOOTER = struct.Struct("<HHIQQQIIQQ16s16s32s")
_NO_CUT = (1 << 64) - 1
assert PREFIX.size + _HEADER.size == LAYER_HEADER_BYTES, "the layer header is 64 bytes"
assert PREFIX.size + _FOOTER.size == LAYER_FOOTER_BYTES, "the layer footer is 128 bytes"


class LayerKind(IntEnum):
    """What a layer is for; the numbers are part of the format."""

    #: Speeds reading up; the records that it flattens are kept.
    DELTA = 1
    #: Needs nothing below it.
    IMAGE = 2
    #: Stands in place of all records between two kept points.
    COMPACTED = 3


class LayerEntry(NamedTuple):
    """A layer of the records of (low, high]; `level` counts how often its data was merged."""

    name: str
    kind: int
    level: int
    low: int
    high: int
    length: int
    digest: bytes


class LayerHeader(NamedTuple):
    """Whose layer this is, and between which cursors; `level` counts how often it was merged."""

    kind: int
    level: int
    group: int
    before: Cursor
    last: Cursor


class ExtentRow(NamedTuple):
    """Bytes start..start+length of a file, and where they are stored in the layer."""

    file: int
    flags: int
    start: int
    length: int
    position: int
    stored_length: int
    crc: int

    @property
    def stop(self) -> int:
        """Return the offset in the file after the last byte."""
        return self.start + self.length


class TableRow(NamedTuple):
    """A file at `high`; nothing from before `low` shows from `cut` on (None: all of it does)."""

    file: int
    name: str
    size: int
    cut: int | None
    digest: bytes


class PageReference(NamedTuple):
    """The (file, start) of a page's first extent, its number of rows, and where it lies."""

    file: int
    start: int
    rows: int
    position: int
    crc: int

    @property
    def length(self) -> int:
        """Return the page's length in bytes."""
        return self.rows * _EXTENT.size


class LayerFooter(NamedTuple):
    """Where the sections lie; `certificate` is None where none was computed."""

    table_position: int
    table_rows: int
    table_crc: int
    directory_position: int
    directory_crc: int
    extents: int
    raw_bytes: int
    certificate: bytes | None
    digest: bytes


def layer_name(low: int, high: int, generation: int) -> str:
    """Return the file name; a layer built anew has another generation: no name is used twice."""
    return f"{high:020d}-{low:020d}-{generation:08d}{LAYER_SUFFIX}"


def generation_of_name(name: str) -> int | None:
    """Return the generation in a layer's name, or None for any other file."""
    parts = name.removesuffix(LAYER_SUFFIX).split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    high, low, generation = map(int, parts)
    return generation if layer_name(low, high, generation) == name else None


def encode_layer_header(header: LayerHeader) -> bytes:
    """Return the 64 bytes at the beginning of a layer file."""
    before, last = header.before, header.last
    rest = _HEADER.pack(
        FORMAT_VERSION,
        header.kind,
        header.level,
        header.group,
        0,
        before.sequence,
        before.epoch,
        before.chain,
        last.sequence,
        last.epoch,
        last.chain,
        b"",
    )
    return sealed_by_crc(LAYER_MAGIC, rest)


def decode_layer_header(data: bytes) -> LayerHeader | None:
    """Return the header, or None where the 64 bytes are not an undamaged one."""
    rest = checked(data, LAYER_MAGIC, LAYER_HEADER_BYTES)
    if rest is None:
        return None
    version, kind, level, group, _, *ends, _ = _HEADER.unpack(rest)
    if version != FORMAT_VERSION:
        return None
    low, low_epoch, low_chain, high, high_epoch, high_chain = ends
    return LayerHeader(
        kind, level, group, Cursor(low_epoch, low, low_chain), Cursor(high_epoch, high, high_chain)
    )


def encode_page(rows: Sequence[ExtentRow]) -> bytes:
    """Return a page of extents."""
    return b"".join([_EXTENT.pack(*row) for row in rows])


def decode_page(data: bytes, reference: PageReference) -> list[ExtentRow] | None:
    """Return a page's extents, or None where the bytes are not those referred to."""
    if len(data) != reference.length or crc32(data) != reference.crc:
        return None
    return list(map(ExtentRow._make, _EXTENT.iter_unpack(data)))


def encode_table(rows: Iterable[TableRow]) -> bytes:
    """Return the table of files; the rows come in order of their ids."""
    parts: list[bytes] = []
    for file, name, size, cut, digest in rows:
        text = name.encode()
        parts += (
            _TABLE_ROW.pack(file, len(text), size, _NO_CUT if cut is None else cut, digest),
            text,
        )
    return b"".join(parts)


def decode_table(data: bytes, footer: LayerFooter) -> list[TableRow] | None:
    """Return the table's rows, or None where the bytes are not those the footer refers to."""
    if crc32(data) != footer.table_crc:
        return None
    rows: list[TableRow] = []
    position = 0
    for _ in range(footer.table_rows):
        file, name_length, size, cut, digest = _TABLE_ROW.unpack_from(data, position)
        position += _TABLE_ROW.size
        name = data[position : position + name_length].decode()
        rows.append(TableRow(file, name, size, None if cut == _NO_CUT else cut, digest))
        position += name_length
    return rows


def encode_directory(pages: Sequence[PageReference]) -> bytes:
    """Return the directory of pages."""
    return b"".join(
        [
            _DIRECTORY_ROW.pack(file, rows, start, position, crc, 0)
            for file, start, rows, position, crc in pages
        ]
    )


def decode_directory(data: bytes, footer: LayerFooter) -> list[PageReference] | None:
    """Return the directory, or None where the bytes are not those the footer refers to."""
    if len(data) % _DIRECTORY_ROW.size or crc32(data) != footer.directory_crc:
        return None
    return [
        PageReference(file, start, rows, position, crc)
        for file, rows, start, position, crc, _ in _DIRECTORY_ROW.iter_unpack(data)
    ]


def encode_layer_footer(footer: LayerFooter) -> bytes:
    """Return the 128 bytes at the end of a layer file."""
    rest = _FOOTER.pack(
        FORMAT_VERSION,
        footer.certificate is not None,
        footer.table_crc,
        footer.table_position,
        footer.table_rows,
        footer.directory_position,
        footer.directory_crc,
        0,
        footer.extents,
        footer.raw_bytes,
        footer.certificate or DIGEST_ZERO,
        footer.digest,
        b"",
    )
    return sealed_by_crc(LAYER_FOOTER_MAGIC, rest)


def decode_layer_footer(data: bytes) -> LayerFooter | None:
    """Return the footer, or None where the 128 bytes are not an undamaged one."""
    rest = checked(data, LAYER_FOOTER_MAGIC, LAYER_FOOTER_BYTES)
    if rest is None:
        return None
    (
        version,
        is_certified,
        table_crc,
        table_position,
        table_rows,
        directory_position,
        directory_crc,
        _,
        extents,
        raw_bytes,
        certificate,
        digest,
        _,
    ) = _FOOTER.unpack(rest)
    if version != FORMAT_VERSION:
        return None
    return LayerFooter(
        table_position,
        table_rows,
        table_crc,
        directory_position,
        directory_crc,
        extents,
        raw_bytes,
        certificate if is_certified else None,
        digest,
    )
