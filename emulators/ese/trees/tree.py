"""What identifies a B+ tree of a database."""

from dataclasses import dataclass

from emulators.ese.formats.page import FLAG_NON_UNIQUE


@dataclass(frozen=True, slots=True)
class Tree:
    """What identifies a B+ tree: its root page, object id, and the tree that gives it space.

    `leaf_flags` are the page flags of its pages beside root, leaf and branch (long value, index,
    keys that are not unique).
    """

    fdp: int
    objid: int
    leaf_flags: int
    parent: "Tree | None"

    @property
    def is_unique(self) -> bool:
        """Whether no two nodes have the same key; else nodes are ordered by key, then data."""
        return not self.leaf_flags & FLAG_NON_UNIQUE
