"""A database page: a list of nodes in memory, bytes only when it is written (ese-format.md D).

Fault model: a page that is read may be anything. It is taken only when its checksum is right for
its page number and its structure keeps the rules of the annex; what does not is an `EseError`
(-1018 checksum, -1019 never written, -1206 structure). Not checked: whether the page is of the
tree that is expected, and whether its keys lie between its neighbours'; readers of trees do that.

Keys are held in full. Pages that this module writes have no prefix compression; compressed pages
of other writers can be read, and may then hold more than fits into a page without compression:
such a page has negative `free_bytes` and cannot be written.
"""

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise, repeat
from operator import add, lshift, or_
from struct import Struct

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.checksum import (
    CHECKSUM_BYTES,
    FLAG_NEW_CHECKSUM,
    page_checksum,
    stored_checksum,
)
from emulators.ese.formats.space_header import SPACE_HEADER_BYTES

PAGE_HEADER_BYTES = 40
TAG_BYTES = 4
NODE_OVERHEAD_BYTES = TAG_BYTES + 2
PAGE_SIZES = (4096, 8192)
HEADER_PAGES = 2
"""The database header and its shadow lie before page 1."""

FLAG_ROOT = 0x1
FLAG_LEAF = 0x2
FLAG_PARENT_OF_LEAF = 0x4
FLAG_EMPTY = 0x8
FLAG_SPACE = 0x20
FLAG_INDEX = 0x40
FLAG_LONG_VALUE = 0x80
FLAG_NON_UNIQUE = 0x400
FLAG_NEW_RECORD = 0x800

NODE_VERSION = 1
NODE_DELETED = 2
NODE_COMPRESSED = 4

HINT_DAMAGED = "restore the database from a copy or a backup; eseutil /p would lose the page"

_HEADER = Struct("<IIqIIIHHHHI")
_CHECKSUM = Struct("<II")
_FLAGS_SHIFT = 13
_OFFSET_MASK = (1 << _FLAGS_SHIFT) - 1
"""Of a tag's offset, and of its size, whose upper bits may hold anything (seen from Windows)."""

_U16 = [length.to_bytes(2, "little") for length in range(max(PAGE_SIZES))]
_TAGS = [Struct(f"<{2 * count}H") for count in range(max(PAGE_SIZES) // NODE_OVERHEAD_BYTES)]


def page_offset(pgno: int, page_bytes: int) -> int:
    """Return where logical page `pgno` lies in the file (ese-format.md B)."""
    return (pgno + 1) * page_bytes


def node_bytes_max(page_bytes: int) -> int:
    """Return the most that key and data of a node may take: a leaf page with nothing else."""
    return page_bytes - PAGE_HEADER_BYTES - TAG_BYTES - NODE_OVERHEAD_BYTES


class Page:
    """One page of a tree as parallel lists of keys, data and node flags.

    Args:
        pgno: its page number.
        objid_fdp: object id of the tree it belongs to.
        flags: page flags; that of the new record format is always added, that of the checksum
            follows `has_ecc`.
        external: bytes of tag 0: the space header on a root page, empty on others.
        page_bytes: 8192 or 4096.
        has_ecc: whether it has the new checksum (`Format.has_ecc`).

    `free_bytes` is kept up to date with every change (cbFree of the annex); the lists are changed
    only through the methods.
    """

    __slots__ = (
        "datas",
        "dbtime",
        "external",
        "flags",
        "free_bytes",
        "keys",
        "next",
        "node_flags",
        "objid_fdp",
        "page_bytes",
        "pgno",
        "prev",
        "uncommitted_free_bytes",
    )

    def __init__(
        self,
        pgno: int,
        objid_fdp: int,
        flags: int,
        *,
        external: bytes = b"",
        dbtime: int = 0,
        page_bytes: int = 8192,
        has_ecc: bool = True,
    ) -> None:
        assert page_bytes in PAGE_SIZES, f"no page has {page_bytes} bytes"
        self.pgno = pgno
        self.dbtime = dbtime
        self.prev = 0
        self.next = 0
        self.objid_fdp = objid_fdp
        self.flags = flags & ~FLAG_NEW_CHECKSUM | FLAG_NEW_RECORD
        if has_ecc:
            self.flags |= FLAG_NEW_CHECKSUM
        self.external = external
        self.page_bytes = page_bytes
        self.keys: list[bytes] = []
        self.datas: list[bytes] = []
        self.node_flags: list[int] = []
        self.free_bytes = page_bytes - PAGE_HEADER_BYTES - TAG_BYTES - len(external)
        self.uncommitted_free_bytes = 0

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        return f"Page({self.pgno}, objid {self.objid_fdp}, {self.flags:#x}, {len(self)} nodes)"

    def sibling(self, pgno: int, flags: int) -> "Page":
        """Return an empty page of the same tree, size and checksum."""
        return Page(
            pgno,
            self.objid_fdp,
            flags,
            page_bytes=self.page_bytes,
            has_ecc=bool(self.flags & FLAG_NEW_CHECKSUM),
        )

    @property
    def used(self) -> int:
        """Bytes that nodes, their tags and tag 0 take."""
        return self.page_bytes - PAGE_HEADER_BYTES - self.free_bytes

    def room_for(self, key: bytes, data: bytes) -> bool:
        """Return whether a node of this key and data still fits."""
        return NODE_OVERHEAD_BYTES + len(key) + len(data) <= self.free_bytes

    def insert(self, index: int, key: bytes, data: bytes, flags: int = 0) -> None:
        """Put a node before node `index`; the caller keeps the order and checks the room."""
        self.free_bytes -= NODE_OVERHEAD_BYTES + len(key) + len(data)
        assert self.free_bytes >= 0, f"page {self.pgno} overflows by {-self.free_bytes} bytes"
        self.keys.insert(index, key)
        self.datas.insert(index, data)
        self.node_flags.insert(index, flags)

    def replace(self, index: int, data: bytes) -> None:
        """Give node `index` other data."""
        self.free_bytes += len(self.datas[index]) - len(data)
        assert self.free_bytes >= 0, f"page {self.pgno} overflows by {-self.free_bytes} bytes"
        self.datas[index] = data

    def delete(self, index: int) -> None:
        """Remove node `index` for good."""
        data = self.datas.pop(index)
        key = self.keys.pop(index)
        del self.node_flags[index]
        self.free_bytes += NODE_OVERHEAD_BYTES + len(key) + len(data)

    def insert_of(self, index: int, other: "Page", start: int) -> None:
        """Put the nodes of another page, from its node `start` on, before node `index`."""
        keys, datas = other.keys[start:], other.datas[start:]
        self.free_bytes -= _bytes_of(keys, datas)
        assert self.free_bytes >= 0, f"page {self.pgno} overflows by {-self.free_bytes} bytes"
        self.keys[index:index] = keys
        self.datas[index:index] = datas
        self.node_flags[index:index] = other.node_flags[start:]

    def delete_from(self, index: int) -> None:
        """Remove node `index` and all after it for good."""
        self.free_bytes += _bytes_of(self.keys[index:], self.datas[index:])
        del self.keys[index:], self.datas[index:], self.node_flags[index:]

    def flag(self, index: int, flags: int) -> None:
        """Give node `index` other node flags."""
        self.node_flags[index] = flags

    def flag_deleted(self, index: int) -> None:
        """Mark node `index` as deleted."""
        self.node_flags[index] |= NODE_DELETED

    def set_external(self, external: bytes) -> None:
        """Replace the bytes of tag 0."""
        self.free_bytes += len(self.external) - len(external)
        assert self.free_bytes >= 0, f"page {self.pgno} overflows by {-self.free_bytes} bytes"
        self.external = external

    def find(self, key: bytes) -> tuple[int, bool]:
        """Return the index of the first node not below `key`, and whether it is that key's."""
        index = bisect_left(self.keys, key)
        return index, index < len(self.keys) and self.keys[index] == key

    def find_pair(self, key: bytes, data: bytes) -> tuple[int, bool]:
        """Return the index of the first node not below (`key`, `data`), and whether it is that."""
        low = bisect_left(self.keys, key)
        high = bisect_right(self.keys, key, low)
        index = bisect_left(self.datas, data, low, high)
        return index, index < high and self.datas[index] == data

    def child_index(self, key: bytes) -> int:
        """Return the index of the entry of this branch page whose child may hold `key`."""
        return bisect_right(self.keys, key, 0, len(self.keys) - 1)

    def child(self, index: int) -> int:
        """Return the page that entry `index` of this branch page points to."""
        return int.from_bytes(self.datas[index], "little")

    def to_bytes(self, pgno: int | None = None) -> bytes:
        """Return the page as it is written to disk, checksum included."""
        image = self._image()
        checksum = page_checksum(image, self.pgno if pgno is None else pgno)
        return _CHECKSUM.pack(*checksum) + image[CHECKSUM_BYTES:]

    def _image(self) -> bytes:
        """Return the page with zeros in place of the checksum."""
        assert self.free_bytes >= 0, f"page {self.pgno} overflows by {-self.free_bytes} bytes"
        keys, datas = self.keys, self.datas
        count = len(keys)
        key_bytes = list(map(len, keys))
        nodes = [b""] * (3 * count)
        nodes[0::3] = [_U16[length] for length in key_bytes]
        nodes[1::3] = keys
        nodes[2::3] = datas
        sizes = [len(self.external), *map(add, map(add, key_bytes, map(len, datas)), repeat(2))]
        places = list(accumulate(sizes))
        end = places.pop()
        if any(self.node_flags):
            flags = map(lshift, self.node_flags, repeat(_FLAGS_SHIFT))
            places = list(map(or_, places, flags))
        # Tags lie from the page's end towards its beginning: size and offset of each node.
        tags = [0] * (2 * count + 2)
        tags[0::2] = sizes[::-1]
        tags[1:-1:2] = places[::-1]
        tail = _TAGS[count + 1].pack(*tags)
        free = min(self.uncommitted_free_bytes, self.free_bytes)
        header = _HEADER.pack(
            0, 0, self.dbtime, self.prev, self.next, self.objid_fdp, self.free_bytes, free, end,
            count + 1, self.flags,
        )  # fmt: skip
        return b"".join((header, self.external, *nodes, bytes(self.free_bytes), tail))

    @classmethod
    def from_bytes(cls, buffer: bytes, pgno: int, where: str = "database") -> "Page":
        """Read and check one page; `where` names the file in errors."""
        if stored_checksum(buffer) != page_checksum(buffer, pgno):
            raise _checksum_error(buffer, pgno, where)
        page, problem = _parse(cls, buffer, pgno)
        problem = problem or _order_problem(page)
        if problem:
            raise ese_error(-1206, f"{where}, page {pgno}: {problem}", HINT_DAMAGED)
        return page


def _bytes_of(keys: list[bytes], datas: list[bytes]) -> int:
    """Return what nodes take of a page's free space."""
    return NODE_OVERHEAD_BYTES * len(keys) + sum(map(len, keys)) + sum(map(len, datas))


def _checksum_error(buffer: bytes, pgno: int, where: str) -> EseError:
    if not any(buffer):
        hint = "the page was never written: its file grew and the write was lost, or it is unused"
        return ese_error(-1019, f"{where}, page {pgno}", hint)
    return ese_error(-1018, f"{where}, page {pgno}", HINT_DAMAGED)


def _parse(cls: type[Page], buffer: bytes, pgno: int) -> tuple[Page, str]:
    """Read nodes by their tags; return the page and the first broken rule (CPAGE rules, D)."""
    (
        _, _, dbtime, prev, next_, objid, free, uncommitted, end, count, flags,
    ) = _HEADER.unpack_from(buffer)  # fmt: skip
    has_ecc = bool(flags & FLAG_NEW_CHECKSUM)
    page = cls(pgno, objid, flags, dbtime=dbtime, page_bytes=len(buffer), has_ecc=has_ecc)
    page.prev, page.next, page.uncommitted_free_bytes = prev, next_, uncommitted
    room = len(buffer) - PAGE_HEADER_BYTES
    if not 0 < count < len(_TAGS) or end + TAG_BYTES * count > room:
        return page, f"{count} tags and {end} bytes of nodes do not fit into the page"
    tags = _TAGS[count].unpack_from(buffer, len(buffer) - TAG_BYTES * count)
    if max(tags[0::2]) > _OFFSET_MASK:
        tags = _with_plain_sizes(tags)
    if free != room - sum(tags[0::2]) - TAG_BYTES * count:
        return page, f"cbFree is {free}, which is not what the tags leave"
    if uncommitted > free:
        return page, f"cbUncommittedFree {uncommitted} is above cbFree {free}"
    if flags & FLAG_LONG_VALUE and flags & FLAG_INDEX:
        return page, "the page is of a long-value tree and of an index at once"
    return page, _read_nodes(page, buffer, tags, end)


def _with_plain_sizes(tags: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(value & _OFFSET_MASK if at % 2 == 0 else value for at, value in enumerate(tags))


def _read_nodes(page: Page, buffer: bytes, tags: tuple[int, ...], end: int) -> str:
    size, place = tags[-2:]
    start = PAGE_HEADER_BYTES + (place & _OFFSET_MASK)
    external = bytes(buffer[start : start + size])
    is_root = bool(page.flags & FLAG_ROOT)
    # An empty tag 0 keeps the offset that it had when it was not (seen on emptied pages).
    is_outside = size > 0 and (place & _OFFSET_MASK) + size > end
    if is_outside or (is_root and size != SPACE_HEADER_BYTES):
        return f"tag 0 has {size} bytes"
    if is_root:
        page.set_external(external)
    return _read_pairs(page, bytes(buffer), tags, end, b"" if is_root else external)


def _read_pairs(page: Page, buffer: bytes, tags: tuple[int, ...], end: int, prefix: bytes) -> str:
    """Add the nodes that tags 1 and on point to: one loop, as every page that is read runs it."""
    keys, datas, node_flags = page.keys, page.datas, page.node_flags
    unpacked_bytes = 0
    for number in range(len(tags) - 4, -1, -2):
        size, place = tags[number], tags[number + 1]
        at = PAGE_HEADER_BYTES + (place & _OFFSET_MASK)
        stop = at + size
        flags = place >> _FLAGS_SHIFT
        if stop > PAGE_HEADER_BYTES + end:
            return f"node {len(keys)} ends outside the page"
        key = b""
        if flags & NODE_COMPRESSED:
            prefix_bytes = buffer[at] | buffer[at + 1] << 8
            if prefix_bytes > len(prefix):
                return f"node {len(keys)} has a damaged key or no data"
            key = prefix[:prefix_bytes]
            at += 2
        data_at = at + 2 + (buffer[at] | buffer[at + 1] << 8)
        if data_at >= stop:
            return f"node {len(keys)} has a damaged key or no data"
        key += buffer[at + 2 : data_at]
        keys.append(key)
        datas.append(buffer[data_at:stop])
        node_flags.append(flags & ~NODE_COMPRESSED)
        unpacked_bytes += len(key) + stop - data_at
    page.free_bytes -= unpacked_bytes + NODE_OVERHEAD_BYTES * len(keys)
    return ""


def _order_problem(page: Page) -> str:
    """Return which rule about keys the page breaks, or nothing (D)."""
    keys = page.keys
    is_leaf = page.flags & FLAG_LEAF
    if not is_leaf and any(len(data) != 4 for data in page.datas):
        return "a branch entry does not hold a page number"
    bounded = keys if is_leaf or not keys or keys[-1] else keys[:-1]
    if not all(bounded):
        return "a node has an empty key"
    if page.flags & FLAG_NON_UNIQUE and is_leaf:
        ordered = all(a <= b for a, b in pairwise(zip(keys, page.datas, strict=True)))
    elif page.flags & FLAG_NON_UNIQUE:
        ordered = all(a <= b for a, b in pairwise(bounded))
    else:
        ordered = all(a < b for a, b in pairwise(bounded))
    return "" if ordered else "keys are out of order"
