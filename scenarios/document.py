"""YAML text to plain values with the position of every key and value.

The reader works on the parser's events, not on constructed objects: it stops at the limits before
anything grows, refuses what a scenario never needs (aliases, tags, several documents), and knows
line and column of each node. Scalars follow YAML 1.2's core schema: `10:30` is text, `on` is text.
"""

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from scenarios.nodes import Mark, Node
from scenarios.wording import quoted

FILE_BYTES_MAX = 2**20
NODES_MAX = 10_000
DEPTH_MAX = 32

_ValueEvent = ScalarEvent | MappingStartEvent | SequenceStartEvent

_BROKEN = re.compile("[\ud800-\udfff]")
_BROKEN_HINT = "write the character itself, not one half of its escape"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,40}(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")


class DocumentError(ValueError):
    """The text is not one YAML document that a scenario could be in."""

    def __init__(
        self, message: str, hint: str, line: int = 1, column: int = 1, file: str = ""
    ) -> None:
        self.hint = hint
        self.mark = Mark(file, line, column)
        super().__init__(message)


def read_document(content: bytes, file: str = "") -> Node:
    """Reads one YAML document of UTF-8 text.

    Args:
        content: the bytes of the file.
        file: what the places of its values name.

    Raises:
        DocumentError: binary, too large, empty, not YAML, or YAML that scenarios do not use.
    """
    try:
        return _read(content, file)
    except DocumentError as error:
        error.mark = error.mark._replace(file=file)
        raise


def _read(content: bytes, file: str) -> Node:
    text = _decode(content)
    builder = _Builder(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.feed(event)
    except MarkedYAMLError as error:
        raise _syntax_error(error, text) from None
    except (YAMLError, ValueError) as error:
        if isinstance(error, DocumentError):
            raise
        hint = "check the line against YAML 1.2"
        raise DocumentError(f"this is not YAML: {quoted(str(error))}", hint) from None
    if builder.root is None:
        raise DocumentError("the file is empty", "start from a library scenario: `rpolab list`")
    return builder.root


def _decode(content: bytes) -> str:
    if len(content) > FILE_BYTES_MAX:
        message = f"the file has {len(content):,} bytes; a scenario has at most {FILE_BYTES_MAX:,}"
        raise DocumentError(message, "is this a scenario, or the data of one?")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError("the file is UTF-16 text", "save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _position(content[: error.start].decode("utf-8-sig"))
        message = f"this is not text: byte 0x{content[error.start]:02x} at offset {error.start:,}"
        raise DocumentError(message, _TEXT_HINT, line, column) from None
    control = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
    if control is not None:
        line, column = _position(text[: control.start()])
        message = f"this is not text: control character 0x{ord(control[0]):02x}"
        raise DocumentError(message, _TEXT_HINT, line, column)
    return text


_TEXT_HINT = "a scenario is a UTF-8 text file in YAML"


def _position(before: str) -> tuple[int, int]:
    lines = before.split("\n")
    return len(lines), len(lines[-1]) + 1


_LIST_WITH_UNIT = re.compile(r"\[[^\[\]'\"]*\] *[A-Za-z%]+(/s)?")


def _syntax_error(error: MarkedYAMLError, text: str) -> DocumentError:
    problem = " ".join(str(error.problem or error.context or "unreadable").split())
    mark = error.problem_mark or error.context_mark
    if error.context_mark is not None and ("stream end" in problem or "end of stream" in problem):
        mark = error.context_mark
        problem = "the bracket or quote that opens here is never closed"
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    hint = "check indentation, colons, quotes and brackets here and on the line before"
    if "'\\t'" in problem:
        hint = "indent with spaces, not tabs"
    elif (unquoted := _LIST_WITH_UNIT.search(text.split("\n")[line - 1])) is not None:
        hint = f"put a list with one unit in quotes: '{unquoted[0]}'"
    return DocumentError(f"this is not YAML: {problem}", hint, line, column)


class _Builder:
    """Builds the tree of nodes from parser events, within the limits."""

    def __init__(self, file: str) -> None:
        self.root: Node | None = None
        self._file = file
        self._open: list[Node] = []
        self._key: list[str | None] = []
        self._documents = 0
        self._nodes = 0

    def feed(self, event: Event) -> None:
        if isinstance(event, DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, AliasEvent):
            raise self._refused(event, f"alias *{event.anchor}", "write the value out")
        elif isinstance(event, ScalarEvent):
            self._add(event, _scalar(event) if self._expects_value() else event.value)
        elif isinstance(event, MappingStartEvent):
            self._open_collection(event, {})
        elif isinstance(event, SequenceStartEvent):
            self._open_collection(event, [])
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._open.pop()
            self._key.pop()

    def _start_document(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            hint = "one file holds one scenario: remove the '---' or split the file"
            raise self._refused(event, "a second document", hint)
        if event.version is not None and tuple(event.version) != (1, 2):
            raise self._refused(event, "a %YAML directive", "scenarios are YAML 1.2: remove it")

    def _expects_value(self) -> bool:
        return not (self._open and isinstance(self._open[-1].value, dict) and self._key[-1] is None)

    def _open_collection(self, event: MappingStartEvent | SequenceStartEvent, value: Any) -> None:
        if not self._expects_value():
            raise self._refused(event, "a collection as a key", "keys are plain words")
        node = self._add(event, value)
        self._open.append(node)
        self._key.append(None)
        if len(self._open) > DEPTH_MAX:
            message = f"nesting deeper than {DEPTH_MAX} levels"
            raise self._refused(event, message, "is this a scenario?")

    def _add(self, event: _ValueEvent, value: Any) -> Node:
        node = Node(value, self._mark(event))
        self._count(node)
        if isinstance(event, ScalarEvent) and _BROKEN.search(event.value) is not None:
            raise DocumentError("half a character is written", _BROKEN_HINT, *node.mark[1:])
        if event.tag is not None:
            raise self._refused(event, f"tag {quoted(event.tag)}", "remove the tag")
        if not self._open:
            self.root = node
            return node
        parent = self._open[-1]
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif self._key[-1] is None:
            self._key[-1] = self._new_key(parent, node)
        else:
            parent.value[self._key[-1]] = node
            self._key[-1] = None
        return node

    def _mark(self, event: _ValueEvent) -> Mark:
        """Where a value stands; one that is not written stands at its key."""
        mark = event.start_mark
        is_written = event.end_mark.index > mark.index or not isinstance(event, ScalarEvent)
        if not is_written and self._open and self._key[-1] is not None:
            return self._open[-1].keys[self._key[-1]]
        return Mark(self._file, mark.line + 1, mark.column + 1)

    def _new_key(self, parent: Node, node: Node) -> str:
        key = str(node.value)
        if key in parent.keys:
            first = parent.keys[key].line
            message = f"the key {quoted(key)} is here twice; the first is on line {first}"
            raise DocumentError(message, "remove one of the two", *node.mark[1:])
        if key == "<<":
            message = "a merge key '<<' is not used in scenarios"
            raise DocumentError(message, "write the values out", *node.mark[1:])
        parent.keys[key] = node.mark
        return key

    def _count(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            message = f"the file has more than {NODES_MAX:,} keys and values"
            raise DocumentError(message, "is this a scenario?", *node.mark[1:])

    def _refused(self, event: Event, what: str, hint: str) -> DocumentError:
        mark = event.start_mark
        return DocumentError(
            f"{what} is not used in scenarios", hint, mark.line + 1, mark.column + 1
        )


def _scalar(event: ScalarEvent) -> Any:
    """A scalar's value by YAML 1.2's core schema; quoted scalars are always text."""
    text: str = event.value
    plain = event.implicit[0]
    if not plain:
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
