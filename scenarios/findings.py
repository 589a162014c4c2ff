"""What is wrong in a scenario's values, by place in the document (positions come later)."""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from scenarios.faults import FAULT_KINDS
from scenarios.hooks import Brought
from scenarios.wording import listed, nearest, quoted, suggestion

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong (or doubtful) at a place; `at_key` when the key itself is what is wrong."""

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    is_warning: bool = False


def dotted(path: Path) -> str:
    """A path as text: `links[0].bandwidth`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def value_at(plain: Any, path: Path) -> Any:
    """The plain value at a path, None where there is nothing."""
    for step in path:
        try:
            plain = plain[step]
        except (KeyError, IndexError, TypeError):
            return None
    return plain


def findings_of(error: ValidationError, root: type[BaseModel], plain: Any) -> list[Finding]:
    """Translates pydantic's errors into the product's words, one finding each."""
    found = [_finding(details, root, plain) for details in error.errors(include_url=False)]
    misspelt = {(item.path[:-1], item.hint) for item in found if item.at_key}
    return [item for item in found if (item.path, _hint_of_missing(item)) not in misspelt]


def _hint_of_missing(finding: Finding) -> str:
    """The hint that an unknown key has when the missing one was meant."""
    return f"did you mean {finding.message.removeprefix(_MISSING).removesuffix(_IS_MISSING)}?"


_MISSING = "the key "
_IS_MISSING = " is missing"


def _finding(details: ErrorDetails, root: type[BaseModel], plain: Any) -> Finding:
    location, at_key = details["loc"], False
    if location and location[-1] == "[key]":
        location, at_key = location[:-1], True
    path = _path_in_document(location, plain, keep_last=details["type"] == "missing")
    kind = details["type"]
    if kind == "scenario":
        context = details["ctx"]
        if context["at"]:
            path = (*path, context["at"])
        return Finding(path, context["message"], context["hint"], at_key=at_key)
    if kind == "missing":
        return _missing(path, root, plain)
    if kind == "extra_forbidden":
        known = list(_fields_by_key(_model_at(root, path[:-1], plain)))
        hint = suggestion(str(path[-1]), known, what="keys")
        return Finding(path, f"unknown key {quoted(path[-1])}", hint, at_key=True)
    if kind == "union_tag_not_found":
        hint = f"known kinds: {', '.join(FAULT_KINDS)}"
        return Finding(path, "the key 'kind' is missing", hint)
    if kind == "union_tag_invalid":
        read = value_at(plain, (*path, "kind"))
        hint = suggestion(str(read), FAULT_KINDS, what="kinds")
        return Finding((*path, "kind"), f"{quoted(read)} is not a kind of fault", hint)
    return Finding(path, *_phrase(details), at_key=at_key)


def _path_in_document(location: tuple[str | int, ...], plain: Any, *, keep_last: bool) -> Path:
    """Leaves out what pydantic adds to a location: the tags of discriminated unions."""
    path: list[str | int] = []
    value = plain
    for index, step in enumerate(location):
        last = index == len(location) - 1
        is_key = isinstance(value, Mapping) and step in value
        if isinstance(step, str) and not is_key and not (last and keep_last):
            continue
        path.append(step)
        value = value_at(value, (step,))
    return tuple(path)


def _missing(path: Path, root: type[BaseModel], plain: Any) -> Finding:
    key = str(path[-1])
    model = _model_at(root, path[:-1], plain)
    field = _fields_by_key(model).get(key)
    examples = field.examples if field is not None else None
    hint = f"add for example '{key}: {examples[0]}'" if examples else f"add '{key}: ...'"
    return Finding(path[:-1], f"{_MISSING}'{key}'{_IS_MISSING}", hint)


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "tuple_type": "a list",
}


_TYPE_HINTS = {
    "string_type": "write one word or one line of text",
    "int_type": "write digits only, such as 7",
    "int_from_float": "write digits only, such as 7",
    "bool_type": "write true or false, without quotes",
}


def _phrase(details: ErrorDetails) -> tuple[str, str]:
    """Message and hint for the simple kinds of error."""
    kind, read = details["type"], quoted(details["input"])
    context: dict[str, Any] = details.get("ctx", {})
    if kind in _EXPECTED:
        return f"{_EXPECTED[kind]} is expected, read {read}", _type_hint(kind, details["input"])
    if kind == "literal_error":
        known = [
            word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")
        ]
        likely = nearest(str(details["input"]), known)
        hint = f"did you mean '{likely}'?" if likely else f"write {listed(known)}"
        return f"{read} is unknown here", hint
    if kind in ("greater_than_equal", "less_than_equal"):
        limit = context["ge"] if kind == "greater_than_equal" else context["le"]
        word = "at least" if kind == "greater_than_equal" else "at most"
        fault = "is negative" if _is_negative(details["input"]) else "is out of range"
        return f"{read} {fault}", f"write {word} {limit:,}"
    if kind in ("too_short", "string_too_short"):
        return "this is empty", f"at least {context['min_length']} character is needed"
    if kind in ("too_long", "string_too_long"):
        return "this is too long", f"write at most {context['max_length']:,} characters"
    return details["msg"], ""


def _is_negative(read: Any) -> bool:
    return isinstance(read, int | float) and read < 0


def _type_hint(kind: str, read: Any) -> str:
    if kind == "string_type" and read is not None and not isinstance(read, dict | tuple):
        return f'put it in quotes: "{read}"'
    if kind == "tuple_type" and isinstance(read, str):
        return f'write ["{read}"]' if len(read) < 60 else "write [...]"
    if kind == "tuple_type":
        return "write [...], or one '- ' per line"
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        return "write {key: value}, or one key per line"
    return _TYPE_HINTS[kind]


def _fields_by_key(model: type[BaseModel] | None) -> dict[str, Any]:
    if model is None:
        return {}
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(root: type[BaseModel], path: Path, plain: Any) -> type[BaseModel] | None:
    """The model whose keys stand at a place of the document."""
    annotation: Any = root
    for index, step in enumerate(path):
        annotation = _step_into(annotation, step, value_at(plain, path[: index + 1]))
    return _model_of(annotation, value_at(plain, path))


def _step_into(annotation: Any, step: str | int, value: Any) -> Any:
    brought = _brought_model(annotation, value)
    annotation = _bare(annotation)
    model = brought or _model_of(annotation, value)
    if model is not None and model in (annotation, brought):
        field = _fields_by_key(model).get(str(step))
        return field.annotation if field is not None else None
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is dict:
        return arguments[1]
    if typing.get_origin(annotation) is tuple:
        return arguments[0]
    return None


def _brought_model(annotation: Any, value: Any) -> type[BaseModel] | None:
    """The model of a kind that a package brings, where the place may have one."""
    members = [annotation]
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        members += typing.get_args(annotation)
    for member in members:
        for mark in getattr(member, "__metadata__", ()):
            if isinstance(mark, Brought):
                return mark.model(value_at(value, ("kind",)))
    return None


def _bare(annotation: Any) -> Any:
    """The type inside Annotated and `| None`."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin in (types.UnionType, typing.Union) and type(None) in typing.get_args(
            annotation
        ):
            annotation = next(
                member for member in typing.get_args(annotation) if member is not type(None)
            )
        else:
            return annotation


def _model_of(annotation: Any, value: Any) -> type[BaseModel] | None:
    brought = _brought_model(annotation, value)
    if brought is not None:
        return brought
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for member in typing.get_args(annotation):
        member = _bare(member)  # noqa: PLW2901 - the member without its tag
        if not (isinstance(member, type) and issubclass(member, BaseModel)):
            continue
        kind = _fields_by_key(member).get("kind")
        if kind is None and isinstance(value, Mapping):
            return member
        if kind is not None and value_at(value, ("kind",)) in typing.get_args(kind.annotation):
            return member
    return None
