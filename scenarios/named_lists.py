"""Lists of named things, which may also be written as a mapping of names to the rest.

`storage_groups: {SG1: {mailboxes: 60}}` is `storage_groups: [{name: SG1, mailboxes: 60}]`.
"""

from collections.abc import Callable

from scenarios.document import DocumentError
from scenarios.findings import Path
from scenarios.nodes import Node
from scenarios.wording import quoted

NAMED_LISTS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("exchange", "storage_groups"), ("name",)),
    (("protect", "*", "copies"), ("site", "name")),
)
"""Where they are ('*' is any key), and what the mapping's key may stand for in an item.

It is the first of these that the item does not write itself: a copy is called by its site, or has
a site and is called by a name.
"""
NAMING_KEYS = ("name", "site")


def name_of(item: Node) -> str | None:
    """What an item of a list is called, None if nothing names it."""
    for key in NAMING_KEYS:
        name = item.child(key)
        if name is not None and isinstance(name.value, str):
            return name.value
    return None


def with_lists(root: Node) -> Node:
    """The document with each mapping of named things as the list that it stands for.

    Raises:
        DocumentError: an item is called by two names.
    """
    for pattern, keys in NAMED_LISTS:
        root = _converted(root, pattern, keys)
    return root


def _converted(node: Node, pattern: Path, keys: tuple[str, ...]) -> Node:
    if not pattern:
        return _list_of(node, keys) if isinstance(node.value, dict) else node
    if not isinstance(node.value, dict):
        return node
    steps = list(node.value) if pattern[0] == "*" else [pattern[0]]
    for step in steps:
        child = node.child(step)
        if child is not None:
            node = node.with_child(step, _converted(child, pattern[1:], keys))
    return node


def _list_of(mapping: Node, keys: tuple[str, ...]) -> Node:
    items = [_named(name, mapping, item, keys) for name, item in mapping.value.items()]
    return Node(items, mapping.mark)


def _named(name: str, mapping: Node, item: Node, keys: tuple[str, ...]) -> Node:
    if item.value is None:
        item = Node({}, item.mark)
    if not isinstance(item.value, dict):
        return item
    if any(_is_called(item, key, name) for key in keys):
        return item
    key = next((key for key in keys if key not in item.value), keys[-1])
    own = item.child(key)
    if own is not None:
        message = f"this is called {quoted(name)} and {quoted(own.value)}"
        place = own.mark
        raise DocumentError(message, f"remove '{key}'", place.line, place.column, place.file)
    named = Node(name, mapping.keys[name])
    return Node({key: named, **item.value}, item.mark, {key: named.mark, **item.keys})


def _is_called(item: Node, key: str, name: str) -> bool:
    own = item.child(key)
    return own is not None and own.value == name


def merge_by_name(parent: Node, child: Node, merge: Callable[[Node, Node], Node]) -> Node:
    """A list of the parent with what a mapping of the child says of its items, or adds to it.

    Where an item of the parent's list has no name, the mapping takes the place of the list.
    """
    names = [name_of(item) for item in parent.value]
    if not names or None in names:
        return child
    items = {str(name): item for name, item in zip(names, parent.value, strict=True)}
    keys = {name: item.mark for name, item in items.items()}
    for name, said in child.value.items():
        items[name] = merge(items[name], said) if name in items else said
        keys.setdefault(name, child.keys[name])
    return Node(items, child.mark, keys)
