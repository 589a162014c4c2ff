"""The rules that one page keeps by itself, read from its bytes (ese-format.md D, CPAGE rules).

This is a second reading of the layout, beside that of `formats.page`, so that one mistake cannot
hide in both.
"""

from collections.abc import Iterator
from itertools import pairwise
from struct import Struct
from typing import NamedTuple, TypeAlias

from emulators.ese.formats.page import (
    FLAG_INDEX,
    FLAG_LEAF,
    FLAG_LONG_VALUE,
    FLAG_NON_UNIQUE,
    FLAG_ROOT,
    NODE_COMPRESSED,
    PAGE_HEADER_BYTES,
    TAG_BYTES,
)
from emulators.ese.formats.space_header import SPACE_HEADER_BYTES
from emulators.ese.integrity.findings import Rule

Problem: TypeAlias = tuple[Rule, str]

_COUNTS = Struct("<HHHHI")
_COUNTS_OFFSET = 28
_TAG = Struct("<HH")
_FLAGS_SHIFT = 13
_OFFSET_MASK = (1 << _FLAGS_SHIFT) - 1
_SIZE_MASK = 0xFFFF
_LENGTH_BYTES = 2
_CHILD_BYTES = 4


class _Tag(NamedTuple):
    """Where a node lies behind the page header, how long it is, and its flags."""

    offset: int
    size: int
    flags: int


def page_problems(image: bytes, *, is_of_later_engine: bool = False) -> Iterator[Problem]:
    """Yield the rules that a page breaks; a page whose tags cannot be read yields one only.

    Later engines leave other bits above the size of a tag (seen); Exchange's are zero.
    """
    free, uncommitted, end, count, flags = _COUNTS.unpack_from(image, _COUNTS_OFFSET)
    room = len(image) - PAGE_HEADER_BYTES
    if count == 0 or end + TAG_BYTES * count > room:
        yield Rule.FREE_SPACE, f"{count} tags and {end} bytes of nodes do not fit"
        return
    mask = _OFFSET_MASK if is_of_later_engine else _SIZE_MASK
    tags = [_tag(image, number, mask) for number in range(count)]
    left = room - TAG_BYTES * count - sum(tag.size for tag in tags)
    if free != left:
        yield Rule.FREE_SPACE, f"cbFree is {free}, the tags leave {left}"
    if uncommitted > free:
        yield Rule.FREE_SPACE, f"cbUncommittedFree {uncommitted} is above cbFree {free}"
    if flags & FLAG_LONG_VALUE and flags & FLAG_INDEX:
        yield Rule.FLAGS, "of a long-value tree and of an index at once"
    problem = _tag_problem(tags, end, flags)
    if problem:
        yield Rule.TAGS, problem
        return
    nodes = [_node(image, tag, tags[0]) for tag in tags[1:]]
    broken = nodes.index(None) if None in nodes else -1
    if broken >= 0:
        yield Rule.TAGS, f"node {broken} has a damaged key or no data"
        return
    yield from _node_problems([node for node in nodes if node is not None], flags)


def _tag(image: bytes, number: int, size_mask: int) -> _Tag:
    size, place = _TAG.unpack_from(image, len(image) - TAG_BYTES * (number + 1))
    return _Tag(place & _OFFSET_MASK, size & size_mask, place >> _FLAGS_SHIFT)


def _tag_problem(tags: list[_Tag], end: int, flags: int) -> str:
    if flags & FLAG_ROOT and tags[0].size != SPACE_HEADER_BYTES:
        return f"tag 0 of a root has {tags[0].size} bytes"
    for number, tag in enumerate(tags):
        if number and not tag.size:
            return f"tag {number} is empty"
        if tag.offset + tag.size > end:
            return f"tag {number} ends at byte {tag.offset + tag.size} of {end}"
    taken = sorted((tag.offset, tag.size) for tag in tags if tag.size)
    if any(offset + size > following for (offset, size), (following, _) in pairwise(taken)):
        return "two nodes share bytes"
    return ""


def _node(image: bytes, tag: _Tag, prefix: _Tag) -> tuple[bytes, bytes] | None:
    """Return key and data of a node, None when its lengths do not fit."""
    start = PAGE_HEADER_BYTES + tag.offset
    end = start + tag.size
    key = b""
    if tag.flags & NODE_COMPRESSED:
        shared = int.from_bytes(image[start : start + _LENGTH_BYTES], "little")
        if shared > prefix.size:
            return None
        at = PAGE_HEADER_BYTES + prefix.offset
        key = image[at : at + shared]
        start += _LENGTH_BYTES
    suffix = int.from_bytes(image[start : start + _LENGTH_BYTES], "little")
    start += _LENGTH_BYTES
    if start + suffix >= end:
        return None
    return key + image[start : start + suffix], image[start + suffix : end]


def _node_problems(nodes: list[tuple[bytes, bytes]], flags: int) -> Iterator[Problem]:
    keys = [key for key, _ in nodes]
    is_leaf = bool(flags & FLAG_LEAF)
    if not is_leaf and any(len(data) != _CHILD_BYTES for _, data in nodes):
        yield Rule.BRANCH, "an entry does not hold a page number"
    bounded = keys if is_leaf or not keys or keys[-1] else keys[:-1]
    if not all(bounded):
        yield Rule.KEY_ORDER, "a node has an empty key"
    if flags & FLAG_NON_UNIQUE:
        ordered = nodes if is_leaf else [(key, b"") for key in bounded]
        is_ordered = all(a <= b for a, b in pairwise(ordered))
    else:
        is_ordered = all(a < b for a, b in pairwise(bounded))
    if not is_ordered:
        yield Rule.KEY_ORDER, "keys out of order"
