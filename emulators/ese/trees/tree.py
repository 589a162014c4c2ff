"""What identifies a B+ tree of a database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tree:
    """What identifies a B+ tree: its root page, object id, and the tree that gives it space.

    `leaf_flags` are the page flags of its pages beside root, leaf and branch (long value, index).
    """

    fdp: int
    objid: int
    leaf_flags: int
    parent: "Tree | None"
