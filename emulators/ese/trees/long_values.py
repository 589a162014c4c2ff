"""The long values of a table: chunks in a tree of their own (ese-format.md E)."""

from emulators.ese.errors import ese_error
from emulators.ese.formats import long_value
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.editor import Context
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

    def _next_lid(self) -> int:
        if self._lid_last is None:
            last = self.tree.last_key()
            self._lid_last = 0 if last is None else long_value.lid_of(last)
        self._lid_last += 1
        return self._lid_last
