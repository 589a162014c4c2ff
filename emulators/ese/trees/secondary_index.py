"""A secondary index of a table: a tree from the index's key to the row's primary key.

Where duplicates are allowed, nodes are ordered by key and then by primary key. A key is cut at 255
bytes; a unique index then takes rows for equal that differ only behind that, as ESE does.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from emulators.ese.errors import ese_error
from emulators.ese.formats.key import KEY_BYTES_MAX, RowKey
from emulators.ese.formats.record import Value
from emulators.ese.formats.schema import Index, TableDefinition
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.change import Context

Row = Sequence[Value]


def nodes_with_prefix(
    tree: BTree, prefix: bytes, *, descending: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the nodes of a tree whose keys begin with `prefix`, in either order."""
    nodes = tree.scan_back(_end_of(prefix)) if descending else tree.scan(prefix)
    return takewhile(lambda node: node[0].startswith(prefix), nodes)


def _end_of(prefix: bytes) -> bytes | None:
    """Return the lowest key above all that begin with `prefix`, None when there is none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None


class SecondaryIndex:
    """One index.

    Args:
        definition: its columns and flags.
        table: the table whose rows it orders.
        tree: its nodes.
    """

    def __init__(self, definition: Index, table: TableDefinition, tree: BTree) -> None:
        self.definition = definition
        self.tree = tree
        self._table = table.name
        self._key = RowKey(table, definition.columns)

    def key_of(self, row: Row) -> bytes | None:
        """Return the key of a row, None when the row has no entry."""
        if not self.definition.has_entry(self._key.nulls_of(row)):
            return None
        return self._key.of(row)

    def insert(self, context: Context, row: Row, primary_key: bytes) -> None:
        """Add the entry of a row that is new."""
        key = self.key_of(row)
        if key is not None:
            self.tree.insert(context, key, primary_key)

    def delete(self, context: Context, row: Row, primary_key: bytes) -> None:
        """Remove the entry of a row."""
        key = self.key_of(row)
        if key is not None:
            self.tree.delete(context, key, primary_key)

    def replace(self, context: Context, old: Row, new: Row, primary_key: bytes) -> None:
        """Let a row's entry follow its new values."""
        before, after = self.key_of(old), self.key_of(new)
        if before == after:
            return
        if before is not None:
            self.tree.delete(context, before, primary_key)
        if after is not None:
            self.tree.insert(context, after, primary_key)

    def require_free(self, row: Row, primary_key: bytes) -> None:
        """Refuse a row whose key another row has, where keys are unique.

        Raises:
            EseError: -1605, before anything was changed.
        """
        if not self.definition.is_unique:
            return
        key = self.key_of(row)
        holder = None if key is None else self.tree.get(key)
        if holder is not None and holder != primary_key:
            where = f"table {self._table}, index {self.definition.name}"
            hint = "give the row another value in the index's columns"
            raise ese_error(-1605, where, hint)

    def seek(self, leading: Row, *, descending: bool) -> Iterator[bytes]:
        """Yield the primary keys of rows with these leading values, in the index's order.

        Where the values' key is longer than a key may be, other rows may be among them.
        """
        prefix = self._key.prefix_of(leading)[:KEY_BYTES_MAX]
        for _, primary_key in nodes_with_prefix(self.tree, prefix, descending=descending):
            yield primary_key

    def begins_with(self, row: Row, leading: Row) -> bool:
        """Return whether a row's key, not cut, begins with the key of these values."""
        return self._key.whole_of(row).startswith(self._key.prefix_of(leading))

    def is_cut(self, leading: Row) -> bool:
        """Return whether the key of these values is longer than a key may be."""
        return len(self._key.prefix_of(leading)) > KEY_BYTES_MAX
