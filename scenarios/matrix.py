"""`vary` and `replications`: one scenario as many, each choice of values with each seed."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from scenarios.document import DocumentError, read_document
from scenarios.fields import Strict
from scenarios.findings import Path
from scenarios.nodes import Mark, Node
from scenarios.settings import Setting, assigned, resolved
from scenarios.wording import quoted, visible

CELLS_MAX = 100
REPLICATIONS_MAX = 1_000
RUNS_MAX = 10_000
_LIST_OF_NUMBERS = re.compile(r"\s*\[([^\[\]]*)\]\s*(\S.*?)\s*")
_NOT_VARIED = ("vary", "replications", "seed", "extends")


class ReplicationPlan(Strict):
    """How often each choice of values is run, each time with a seed of its own."""

    count: int = Field(description="Number of runs.", examples=[20], ge=1, le=REPLICATIONS_MAX)
    first_seed: int | None = Field(
        None,
        description="The first seed, the scenario's own when left out; each next run adds one.",
        ge=0,
        le=2**64 - 1 - REPLICATIONS_MAX,
    )


def _count_as_plan(read: Any) -> Any:
    is_count = isinstance(read, int) and not isinstance(read, bool)
    return {"count": read} if is_count else read


Replications = Annotated[
    ReplicationPlan,
    BeforeValidator(_count_as_plan),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": REPLICATIONS_MAX},
                {
                    "type": "object",
                    "properties": {
                        "count": {"type": "integer", "minimum": 1, "maximum": REPLICATIONS_MAX},
                        "first_seed": {"type": "integer", "minimum": 0},
                    },
                    "required": ["count"],
                    "additionalProperties": False,
                },
            ],
            "description": "How often each choice of values is run, with a seed of its own.",
        }
    ),
]

VariedValues = Annotated[
    tuple[Any, ...],
    WithJsonSchema(
        {"anyOf": [{"type": "array", "minItems": 1}, {"type": "string", "pattern": r"^\[.*\] .+$"}]}
    ),
]


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of values: its settings with the place where each is written."""

    settings: tuple[Setting, ...]

    @property
    def texts(self) -> dict[str, str]:
        """The values by path, as they are written."""
        return {setting.text: spelled(setting.value) for setting in self.settings}

    @property
    def name(self) -> str:
        """What the choice is called: 'link.bandwidth=2 Mbit/s, replications=3'."""
        return ", ".join(f"{path}={text}" for path, text in self.texts.items())

    def applied(self, root: Node) -> Node:
        """The document with these values, and without what varies."""
        for setting in self.settings:
            root = assigned(root, setting.path, setting.value)
        return root.without("vary")


def with_vary(root: Node, fixed: Sequence[Setting]) -> Node:
    """The document with each '[2, 5] Mbit/s' of `vary` written out.

    Args:
        root: the document.
        fixed: what the command line has set: it no longer varies.
    """
    vary = root.child("vary")
    if vary is not None and vary.value is None:
        return root.without("vary")
    if vary is None or not isinstance(vary.value, dict):
        return root
    taken = list(_fixed(root, vary, fixed))
    vary = vary.without(*taken)
    if taken and not vary.value:
        return root.without("vary")
    for path, values in vary.value.items():
        vary = vary.with_child(path, _written_out(values))
    return root.with_child("vary", vary)


def _fixed(root: Node, vary: Node, fixed: Sequence[Setting]) -> Iterator[str]:
    places = {setting.path for setting in fixed}
    if ("vary",) in places:
        return
    for path, mark in vary.keys.items():
        if places and resolved(root, path, mark) in places:
            yield path


def _written_out(values: Node) -> Node:
    match = _LIST_OF_NUMBERS.fullmatch(values.value) if isinstance(values.value, str) else None
    if match is None:
        return values
    numbers = [number.strip() for number in match[1].split(",")]
    texts = [f"{number} {match[2]}" for number in numbers if number]
    return Node([Node(text, values.mark) for text in texts], values.mark)


def choices_of(root: Node) -> list[Choice]:
    """All combinations of the values that vary, in the order of the file.

    Raises:
        DocumentError: at the path or the value: it leads nowhere, is there twice, or the
            combinations are more than can be run.
    """
    vary = root.child("vary")
    if vary is None or not isinstance(vary.value, dict):
        return []
    columns = [list(_column(root, path, vary)) for path in vary.value]
    number = math.prod(len(column) for column in columns)
    if number > CELLS_MAX:
        counts = " x ".join(str(len(column)) for column in columns)
        hint = f"at most {CELLS_MAX}: vary fewer values at once"
        raise _error(vary.mark, f"{number:,} combinations of values ({counts})", hint)
    _check_each_place_once(vary, columns)
    return [Choice(settings) for settings in product(*columns)]


def _column(root: Node, text: str, vary: Node) -> Iterator[Setting]:
    mark, values = vary.keys[text], vary.value[text].value
    path = resolved(root, text, mark)
    if path[0] in _NOT_VARIED:
        hint = "vary what the scenario is about; seeds are those of 'replications'"
        raise _error(mark, f"{quoted(path[0])} cannot vary", hint)
    seen: set[str] = set()
    for value in values:
        if spelled(value) in seen:
            raise _error(value.mark, f"{quoted(value.value)} is there twice", "remove one")
        seen.add(spelled(value))
        yield Setting(text, path, value)


def _check_each_place_once(vary: Node, columns: Sequence[Sequence[Setting]]) -> None:
    places: dict[Path, str] = {}
    for first, *_ in columns:
        if first.path in places:
            message = f"{quoted(first.text)} is the same as {quoted(places[first.path])}"
            raise _error(vary.keys[first.text], message, "remove one of the two")
        places[first.path] = first.text


def spelled(value: Node) -> str:
    """A value as it would be written on one line."""
    if isinstance(value.value, dict):
        return f"{{{', '.join(f'{key}: {spelled(item)}' for key, item in value.value.items())}}}"
    if isinstance(value.value, list):
        return f"[{', '.join(spelled(item) for item in value.value)}]"
    words = {None: "null", True: "true", False: "false"}
    if value.value is None or isinstance(value.value, bool):
        return words[value.value]
    text = str(value.value)
    return text if not isinstance(value.value, str) or _is_plain(text) else json.dumps(text)


def _is_plain(text: str) -> bool:
    """Whether text without quotes is read as what it is."""
    try:
        return bool(read_document(text.encode("utf-8", "surrogatepass")).value == text)
    except DocumentError:
        return False


def _error(mark: Mark, message: str, hint: str) -> DocumentError:
    return DocumentError(visible(message), visible(hint), mark.line, mark.column, mark.file)
