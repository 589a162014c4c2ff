"""The long values of a table: chunks in a tree of their own (ese-format.md E).

Several rows may refer to one value; its root node counts them, and the last to go takes it along.
ESE changes the count by a Delta record; here it is a Replace, which is undone in the same way.
"""

from itertools import takewhile

from emulators.ese.errors import ese_error
from emulators.ese.formats import long_value
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.change import Context
from sim.payload import Segments


class LongValues:
    """A long-value tree.

    Args:
        tree: its nodes: for each value a root node and its chunks.
    """

    def __init__(self, tree: BTree) -> None:
        self.tree = tree
        self._lid_last: int | None = None

    def add(self, context: Context, payload: Segments) -> int:
        """Store a value and return its LID."""
        lid = self._next_lid()
        for key, data in long_value.nodes_of(lid, payload, self.tree.file_format):
            self.tree.insert(context, key, data)
        return lid

    def add_reference(self, context: Context, lid: int) -> None:
        """Let one more row refer to a value."""
        root = self._root(lid)
        self._count(context, lid, root.size, root.reference_count + 1)

    def release(self, context: Context, lid: int) -> None:
        """Let one row less refer to a value; without any it is removed."""
        root = self._root(lid)
        if root.reference_count > 1:
            self._count(context, lid, root.size, root.reference_count - 1)
            return
        for key in self._keys(lid):
            self.tree.delete(context, key)

    def reference_count(self, lid: int) -> int:
        """Return how many rows refer to a value."""
        return self._root(lid).reference_count

    def size(self, lid: int) -> int:
        """Return the bytes of a value."""
        return self._root(lid).size

    def read(self, lid: int) -> bytes:
        """Return a value; raises EseError -1206 when its chunks do not make up its size."""
        start = long_value.root_key(lid)
        chunks = []
        size = -1
        for key, data in self.tree.scan(start):
            if not key.startswith(start):
                break
            if size < 0 and key == start:
                size = long_value.decode_root(data).size
            else:
                chunks.append(data)
        value = b"".join(chunks)
        if len(value) != size:
            where = f"long value {lid} of tree {self.tree.tree.fdp}"
            hint = "restore the database from a copy; eseutil /p would drop the value"
            raise ese_error(-1206, f"{where}: {len(value)} of {size} bytes", hint)
        return value

    def _root(self, lid: int) -> long_value.LongValueRoot:
        data = self.tree.get(long_value.root_key(lid))
        if data is None:
            where = f"long value {lid} of tree {self.tree.tree.fdp}: it has no root"
            hint = "restore the database from a copy; eseutil /p would drop the value"
            raise ese_error(-1206, where, hint)
        return long_value.decode_root(data)

    def _count(self, context: Context, lid: int, size: int, references: int) -> None:
        data = long_value.encode_root(size, references)
        self.tree.replace(context, long_value.root_key(lid), data)

    def _keys(self, lid: int) -> list[bytes]:
        start = long_value.root_key(lid)
        stop = long_value.root_key(lid + 1)
        return [key for key, _ in takewhile(lambda node: node[0] < stop, self.tree.scan(start))]

    def _next_lid(self) -> int:
        if self._lid_last is None:
            last = self.tree.last_key()
            self._lid_last = 0 if last is None else long_value.lid_of(last)
        self._lid_last += 1
        return self._lid_last
