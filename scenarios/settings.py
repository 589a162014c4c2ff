"""Values from outside the file: `--set link.bandwidth=5 Mbit/s`, and each choice of `vary`.

A path is dotted: keys, numbers of items counted from 0, or names of items. `link` is the only link.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scenarios.document import DocumentError, read_document
from scenarios.findings import Path
from scenarios.named_lists import name_of
from scenarios.nodes import Mark, Node, node_of
from scenarios.wording import listed, nearest, quoted, visible

OPTION = "--set"
_SHOWN_CHARACTERS_MAX = 100
_ITEMS_SHOWN = 8
_PATHS_TRIED = 2_000


class Setting(NamedTuple):
    """One value from outside: the path as written, and where it leads."""

    text: str
    path: Path
    value: Node


def with_settings(root: Node, options: Sequence[str]) -> tuple[Node, list[Setting]]:
    """The document with the values of the options, in their order; and what they have set.

    Raises:
        DocumentError: naming the option: no such path, or a value that is not YAML.
    """
    settings: list[Setting] = []
    for option in options:
        setting = _read_option(root, option)
        root = assigned(root, setting.path, setting.value)
        settings.append(setting)
    return root, settings


def _read_option(root: Node, option: str) -> Setting:
    mark = Mark(_shown(option))
    path, separator, text = option.partition("=")
    if not separator or not path.strip():
        hint = "write for example --set 'link.bandwidth=5 Mbit/s'"
        raise _error(mark, "a path, '=' and a value are expected", hint)
    if not text.strip():
        raise _error(mark, "the value is missing", "write 'null' for none")
    if path.strip() == "extends":
        raise _error(mark, "what a scenario extends is decided by its file", "write it there")
    try:
        value = read_document(text.encode("utf-8", "surrogatepass"))
    except DocumentError as error:
        raise _error(mark, str(error), "put text in quotes; the value is read as YAML") from None
    place = resolved(root, path.strip(), mark)
    return Setting(path.strip(), place, node_of(value.plain(), mark))


def _shown(option: str) -> str:
    text = visible(option)
    if len(text) > _SHOWN_CHARACTERS_MAX:
        text = text[: _SHOWN_CHARACTERS_MAX - 3] + "..."
    return f"{OPTION} {text}"


def _error(mark: Mark, message: str, hint: str) -> DocumentError:
    return DocumentError(visible(message), visible(hint), mark.line, mark.column, mark.file)


def resolved(root: Node, text: str, mark: Mark) -> Path:
    """The place that a dotted path names; what is not there yet is to be made.

    Raises:
        DocumentError: at `mark`: a step leads nowhere; the hint says what there is.
    """
    segments = text.split(".")
    if not all(segments):
        raise _error(mark, f"{quoted(text)} is not a path", "write for example 'links.0.bandwidth'")
    path: list[str | int] = []
    if segments[0] == "link" and "link" not in root.value:
        path, segments = ["links", 0], segments[1:]
        _check_only_link(root, mark)
    node: Node | None = _node_at(root, path)
    while segments:
        step, taken = _step(root, node, path, segments, mark)
        path.append(step)
        segments = segments[taken:]
        node = None if node is None else node.child(step)
    return tuple(path)


def _check_only_link(root: Node, mark: Mark) -> None:
    links = root.child("links")
    number = len(links.value) if links is not None and isinstance(links.value, list) else 0
    if number != 1:
        hint = "number them: 'links.0.bandwidth'" if number else "write 'links' in the scenario"
        raise _error(mark, f"'link' is the only link, and there are {number}", hint)


def _node_at(root: Node, path: Sequence[str | int]) -> Node | None:
    node: Node | None = root
    for step in path:
        node = None if node is None else node.child(step)
    return node


def _step(
    root: Node, node: Node | None, path: Sequence[str | int], segments: Sequence[str], mark: Mark
) -> tuple[str | int, int]:
    """The next step of a path, and how many of its segments make it up."""
    if node is None or node.value is None:
        return segments[0], 1
    if isinstance(node.value, list):
        return _item(root, node, path, segments, mark), 1
    if not isinstance(node.value, dict):
        where, below = _dotted(path), quoted(segments[0])
        message = f"{where} is {quoted(node.value)}: there is no {below} in it"
        raise _error(mark, message, f"set {where} as a whole")
    for taken in range(len(segments), 0, -1):  # a key may have dots: 'cdp.rpo'
        if ".".join(segments[:taken]) in node.value:
            return ".".join(segments[:taken]), taken
    if tuple(path) == ("thresholds",):
        return ".".join(segments), len(segments)
    if len(segments) > 1 and nearest(segments[0], node.value) is not None:
        message = f"there is no {quoted(segments[0])} in {_dotted(path) or 'the scenario'}"
        raise _error(mark, message, _likely(root, [*path, *segments]))
    return segments[0], 1


def _item(
    root: Node, node: Node, path: Sequence[str | int], segments: Sequence[str], mark: Mark
) -> int:
    segment, items = segments[0], node.value
    if segment.isascii() and segment.isdigit() and len(segment) < 10 and int(segment) < len(items):
        return int(segment)
    names = [name_of(item) for item in items]
    if segment in names:
        return names.index(segment)
    known = [name or str(index) for index, name in enumerate(names)][:_ITEMS_SHOWN]
    hint = f"there are: {listed(known)}" if known else "the list is empty"
    likely = nearest(segment, known)
    if likely is not None:
        hint = _likely(root, [*path, likely, *segments[1:]])
    raise _error(mark, f"there is no {quoted(segment)} in {_dotted(path)}", hint)


def _likely(root: Node, wanted: Sequence[str | int]) -> str:
    likely = nearest(_dotted(wanted), _paths(root))
    return f"did you mean '{likely}'?" if likely else f"there are: {listed(root.value)}"


def _paths(root: Node) -> list[str]:
    """The paths of all values, as an option may write them."""
    return [_dotted(path) for path, _ in zip(_walk(root, ()), range(_PATHS_TRIED), strict=False)]


def _walk(node: Node, path: Path) -> Iterator[Path]:
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _walk(child, (*path, key))
    elif isinstance(node.value, list) and any(isinstance(item.value, dict) for item in node.value):
        for index, child in enumerate(node.value):
            yield from _walk(child, (*path, name_of(child) or index))
    else:
        yield path


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(step) for step in path)


def assigned(root: Node, path: Path, value: Node) -> Node:
    """The document with a value at a place; mappings on the way there are made."""
    if not path:
        return value
    step, *rest = path
    below = root if root.value is not None else Node({}, value.mark)
    child = below.child(step) or Node(None, value.mark)
    return below.with_child(step, assigned(child, tuple(rest), value), value.mark)
