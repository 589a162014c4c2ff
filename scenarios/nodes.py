"""A scenario's document as a tree: each value with the place where it was written.

A tree may come of several files: of the scenario, of what it extends, and of the command line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from scenarios.findings import Path


class Mark(NamedTuple):
    """Where something was written; `line` and `column` count from 1, and are 0 without a file."""

    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(slots=True)
class Node:
    """One value of the document.

    `value` is a scalar, a list of nodes, or a dict of key to node; `keys` has the place of
    each key of a mapping.
    """

    value: Any
    mark: Mark
    keys: dict[str, Mark] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value without places; sequences are tuples."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return tuple(node.plain() for node in self.value)
        return self.value

    def child(self, step: str | int) -> "Node | None":
        """The value of a key, or the item of that number; None if there is none."""
        if isinstance(self.value, dict):
            found = self.value.get(step)
            return found if isinstance(found, Node) else None
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            item = self.value[step]
            assert isinstance(item, Node), "a sequence has nodes"
            return item
        return None

    def with_child(self, step: str | int, child: "Node", key: Mark | None = None) -> "Node":
        """The same node with another value of a key, or another item; nothing else is copied."""
        if isinstance(step, int):
            return replace(self, value=[*self.value[:step], child, *self.value[step + 1 :]])
        keys = {**self.keys, step: self.keys.get(step) or key or child.mark}
        return replace(self, value={**self.value, step: child}, keys=keys)

    def without(self, *keys: str) -> "Node":
        """The same mapping without some keys."""
        return replace(
            self,
            value={key: node for key, node in self.value.items() if key not in keys},
            keys={key: mark for key, mark in self.keys.items() if key not in keys},
        )


def node_of(plain: Any, mark: Mark) -> Node:
    """Plain values as a tree that was written at one place."""
    if isinstance(plain, Mapping):
        keys = {str(key): item for key, item in plain.items()}
        return Node(
            {key: node_of(item, mark) for key, item in keys.items()},
            mark,
            dict.fromkeys(keys, mark),
        )
    if isinstance(plain, list | tuple):
        return Node([node_of(item, mark) for item in plain], mark)
    return Node(plain, mark)


def mark_of(root: Node, path: Path, *, at_key: bool = False) -> Mark:
    """The place of the value at a path, or of its key; of the nearest parent if absent."""
    node, place = root, root.mark
    for index, step in enumerate(path):
        child = node.child(step)
        if child is None:
            break
        last = index == len(path) - 1
        place = node.keys[str(step)] if last and at_key and node.keys else child.mark
        node = child
    return place
