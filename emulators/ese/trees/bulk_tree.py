"""One B+ tree from sorted nodes: leaves filled one after another, branches built on the way (D)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.page import (
    FLAG_LEAF,
    FLAG_NON_UNIQUE,
    FLAG_PARENT_OF_LEAF,
    FLAG_ROOT,
    FLAG_SPACE,
    NODE_OVERHEAD_BYTES,
)
from emulators.ese.formats.space_header import (
    SPACE_HEADER_BYTES,
    SPACE_TREE_HEADER,
    multiple_extent_header,
)
from emulators.ese.trees.bulk_pages import BulkPages
from emulators.ese.trees.bulk_space import Extents, Territory, extent_nodes


@dataclass(slots=True)
class _Level:
    """The entries of the branch page that is being filled on one level; `free` in bytes."""

    free: int
    keys: list[bytes] = field(default_factory=list)
    children: list[bytes] = field(default_factory=list)


class BulkTree:
    """A tree that is being loaded.

    Nodes must come in order of their keys, and where keys may repeat, of their data. `finish` may
    be called once all are in, and writes the root and the space trees; trees that take pages from
    this one must be finished before.

    Args:
        pages: where its pages go.
        territory: its own pages.
        objid: its object id.
        leaf_flags: page flags of its kind (long value, index).
    """

    def __init__(
        self, pages: BulkPages, territory: Territory, objid: int, leaf_flags: int = 0
    ) -> None:
        self._pages = pages
        self.territory = territory
        self.objid = objid
        self._leaf_flags = leaf_flags
        self._levels: list[_Level] = []
        self._keys: list[bytes] = []
        self._datas: list[bytes] = []
        self._free = pages.room
        self._last = b"", b""
        self._is_unique = not leaf_flags & FLAG_NON_UNIQUE
        self._pgno = 0
        self._previous = 0

    @property
    def fdp(self) -> int:
        """Its root page."""
        return self.territory.fdp

    def add_all(self, nodes: Iterable[tuple[bytes, bytes]]) -> None:
        """Take in nodes.

        Raises:
            EseError: -1206 when a key is not above the one before it.
        """
        keys, datas, free = self._keys, self._datas, self._free
        last, last_data = self._last
        for key, data in nodes:
            if key <= last and (key < last or self._is_unique or data <= last_data):
                raise self._disorder(key)
            last, last_data = key, data
            size = NODE_OVERHEAD_BYTES + len(key) + len(data)
            if size > free:
                self._close_leaf(key if self._is_unique else key + data)
                keys, datas, free = self._keys, self._datas, self._pages.room
            keys.append(key)
            datas.append(data)
            free -= size
        self._free = free
        self._last = last, last_data

    def finish(self) -> None:
        """Write the rest of the tree, its root last, and its space trees."""
        room_on_root = self._pages.room - SPACE_HEADER_BYTES
        used = self._pages.room - self._free
        if not self._pgno and used <= room_on_root:
            self._write_root(FLAG_LEAF, self._keys, self._datas)
        else:
            self._close_leaf(b"")
            self._finish_levels(room_on_root)
        self._write_space(self.fdp + 1, self.territory.owned)
        self._write_space(self.fdp + 2, self.territory.available)

    def _close_leaf(self, bound: bytes) -> None:
        """Write the leaf; `bound` is the first bookmark of the next one, empty for the last."""
        pgno = self._pgno or self.territory.page()
        self._pgno = self.territory.page() if bound else 0
        flags = FLAG_LEAF | self._leaf_flags
        siblings = self._previous, self._pgno
        self._pages.add(pgno, self.objid, flags, self._keys, self._datas, siblings=siblings)
        self._previous = pgno
        self._keys, self._datas = [], []
        self._add_child(0, bound, pgno)

    def _add_child(self, number: int, bound: bytes, child: int) -> None:
        """Add an entry on a branch level, after a page of it that has no room is written."""
        if number == len(self._levels):
            self._levels.append(_Level(self._pages.room))
        level = self._levels[number]
        size = NODE_OVERHEAD_BYTES + len(bound) + 4
        if size > level.free:
            self._close_branch(number)
            level = self._levels[number]
        level.keys.append(bound)
        level.children.append(child.to_bytes(4, "little"))
        level.free -= size

    def _close_branch(self, number: int) -> None:
        level = self._levels[number]
        self._levels[number] = _Level(self._pages.room)
        pgno = self.territory.page()
        flags = self._branch_flags(number)
        self._pages.add(pgno, self.objid, flags, level.keys, level.children)
        self._add_child(number + 1, level.keys[-1], pgno)

    def _finish_levels(self, room_on_root: int) -> None:
        number = 0
        while number < len(self._levels) - 1 or self._used(number) > room_on_root:
            self._close_branch(number)
            number += 1
        top = self._levels[number]
        self._write_root(self._branch_flags(number), top.keys, top.children)

    def _used(self, number: int) -> int:
        return self._pages.room - self._levels[number].free

    def _branch_flags(self, number: int) -> int:
        kind = self._leaf_flags
        return kind if number else kind | FLAG_PARENT_OF_LEAF

    def _write_root(self, flags: int, keys: list[bytes], datas: list[bytes]) -> None:
        territory = self.territory
        header = multiple_extent_header(
            self.fdp, territory.owned[0][1], territory.parent_fdp, unique=self._is_unique
        )
        flags |= FLAG_ROOT | self._leaf_flags
        self._pages.add(self.fdp, self.objid, flags, keys, datas, external=header)

    def _write_space(self, pgno: int, extents: Extents) -> None:
        keys, datas = extent_nodes(extents)
        flags = FLAG_ROOT | FLAG_LEAF | FLAG_SPACE
        self._pages.add(pgno, self.objid, flags, keys, datas, external=SPACE_TREE_HEADER)

    def _disorder(self, key: bytes) -> EseError:
        where = f"object {self.objid}: key {key.hex()} is not above the one before it"
        hint = "the source is damaged (eseutil /g), or rows were not given in order of their keys"
        return ese_error(-1206, where, hint)
