"""What a tree's root page says about its space (ese-format.md D, SPACE_HEADER)."""

from struct import Struct
from typing import NamedTuple

_SPACE_HEADER = Struct("<IIII")

SPACE_HEADER_BYTES = _SPACE_HEADER.size
SPACE_MULTIPLE_EXTENT = 1
SPACE_NON_UNIQUE = 2

SPACE_TREE_HEADER = bytes(SPACE_HEADER_BYTES)
"""The root page of a space tree carries zeros in place of a space header (seen)."""


class SpaceHeader(NamedTuple):
    """SPACE_HEADER: pages of the first extent, the tree that owns this one, flags, OE root.

    The available-extents root is always the page after `pgno_owned`.
    """

    primary_pages: int
    parent_fdp: int
    flags: int
    pgno_owned: int

    def pack(self) -> bytes:
        """Return the 16 bytes that a root page keeps in tag 0."""
        return _SPACE_HEADER.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> "SpaceHeader":
        """Read the 16 bytes of a root page's tag 0."""
        return cls(*_SPACE_HEADER.unpack(data))


def multiple_extent_header(
    fdp: int, primary_pages: int, parent_fdp: int, *, unique: bool = True
) -> bytes:
    """Return tag 0 of the root at page `fdp` whose space trees are on the next two pages."""
    flags = SPACE_MULTIPLE_EXTENT | (0 if unique else SPACE_NON_UNIQUE)
    header = SpaceHeader(primary_pages, parent_fdp, flags, fdp + 1)
    return header.pack()


def encode_extent(pgno_last: int, pages: int) -> tuple[bytes, bytes]:
    """Return key and data of the node of one extent in a space tree."""
    return pgno_last.to_bytes(4, "big"), pages.to_bytes(4, "little")
