"""`extends`: a scenario that names another and writes only what differs.

Mappings are merged key by key; everything else, lists too, takes the place of what the parent has.
Lists of named things may be written as a mapping of names, and are then merged by name.
"""

import os
from pathlib import Path

from scenarios.document import FILE_BYTES_MAX, DocumentError, read_document
from scenarios.library_files import SUFFIXES, library_path, nothing_found
from scenarios.named_lists import merge_by_name
from scenarios.nodes import Node
from scenarios.wording import quoted, visible

EXTENDS_DEPTH_MAX = 8
KEY = "extends"
FILES_OF_WORKLOAD = ("mbox", "tracking_log", "log_stats")
_HINT = "name a scenario of the library, or a file by its path from this one's folder"


def compose(root: Node, folder: Path | None, file: Path | None = None) -> Node:
    """The document with everything that it extends; each value keeps the place it came from.

    Args:
        root: the document as read.
        folder: where a relative path starts; the current folder when left out.
        file: its own file, by which a circle is found.

    Raises:
        DocumentError: at the `extends` of the file that has it: the parent is missing, extends
            the child in turn, or is too far up. An error inside the parent names the parent.
    """
    own = () if file is None else (file.resolve(),)
    return _composed(root, folder or Path(), own, 0)


def _composed(root: Node, folder: Path, seen: tuple[Path, ...], depth: int) -> Node:
    if not isinstance(root.value, dict) or KEY not in root.value:
        return root
    reference = root.value[KEY]
    path = _path_of(reference, folder)
    if path.resolve() in seen:
        raise _error(reference, f"a circle: {quoted(reference.value)} extends this file", "end it")
    if depth == EXTENDS_DEPTH_MAX:
        message = f"more than {EXTENDS_DEPTH_MAX} files extend each other"
        raise _error(reference, message, "write the scenario with fewer parents")
    parent = read_document(_content(reference, path), str(path))
    if not isinstance(parent.value, dict):
        hint = "a scenario is a mapping: it begins with 'title: ...' at the margin"
        raise _error(reference, f"{quoted(reference.value)} is no scenario", hint)
    whole = _composed(parent, path.parent, (*seen, path.resolve()), depth + 1)
    return merge(_rebased(whole, path.parent, folder), root.without(KEY))


def _path_of(reference: Node, folder: Path) -> Path:
    text = reference.value
    if not isinstance(text, str) or not text.strip():
        raise _error(reference, f"the name of a scenario is expected, read {quoted(text)}", _HINT)
    if not text.endswith(SUFFIXES) and "/" not in text:
        return _in_library(reference, text)
    try:
        path = folder / text
        if path.is_file():
            return path
        what = "is a folder" if path.is_dir() else "is not there"
    except (OSError, ValueError):  # too long a name, or a zero byte in it
        what = "is not there"
    raise _error(reference, f"the file {quoted(text)} {what}", _HINT)


def _in_library(reference: Node, text: str) -> Path:
    found = library_path(text)
    if found is None:
        _, hint = nothing_found(text)
        message = f"there is no scenario {quoted(text)} in the library"
        raise _error(reference, message, f"{hint}; a file is named with its '.yaml'")
    return found


def _content(reference: Node, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        message = f"{quoted(str(path))} cannot be read: {error.strerror or error}"
        raise _error(reference, message, "check its permissions") from None


def _error(reference: Node, message: str, hint: str) -> DocumentError:
    mark = reference.mark
    return DocumentError(visible(message), visible(hint), mark.line, mark.column, mark.file)


def merge(parent: Node, child: Node) -> Node:
    """What the child has, over what the parent has.

    A mapping of another `kind` is another thing: it takes the parent's place as a whole.
    """
    if not isinstance(child.value, dict):
        return child
    if isinstance(parent.value, list):
        return merge_by_name(parent, child, merge)
    if not isinstance(parent.value, dict) or _differ_in_kind(parent, child):
        return child
    merged = {**parent.value}
    for key, node in child.value.items():
        merged[key] = merge(merged[key], node) if key in merged else node
    return Node(merged, child.mark, {**parent.keys, **child.keys})


def _differ_in_kind(parent: Node, child: Node) -> bool:
    kinds = [node.child("kind") for node in (parent, child)]
    return None not in kinds and kinds[0].value != kinds[1].value  # type: ignore[union-attr]


def _rebased(root: Node, parent_folder: Path, folder: Path) -> Node:
    """The files of the parent's workload, as seen from the child's folder."""
    workload = root.child("workload")
    if workload is None or not isinstance(workload.value, dict):
        return root
    for key in FILES_OF_WORKLOAD:
        name = workload.child(key)
        if name is not None and isinstance(name.value, str) and "\0" not in name.value:
            path = os.path.relpath(parent_folder / name.value, folder)
            workload = workload.with_child(key, Node(path, name.mark))
    return root.with_child("workload", workload)
