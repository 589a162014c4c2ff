"""The published schema and the loader agree: a small validator applies the schema's own rules."""

import json
import re

import pytest

from scenarios import (
    library_folder,
    library_names,
    library_path,
    scenario_schema,
    scenario_schema_text,
)
from scenarios.document import read_document

TYPES = {
    "object": dict,
    "array": tuple,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
APPLIED = {
    "$ref", "anyOf", "oneOf", "type", "enum", "const", "pattern", "minLength", "maxLength",
    "minimum", "maximum", "minItems", "maxItems", "items", "prefixItems", "properties", "required",
    "additionalProperties", "minProperties", "patternProperties", "propertyNames",
}  # fmt: skip
ANNOTATIONS = {"title", "description", "default", "examples", "discriminator", "$defs", "$schema"}


def faults(value, schema, root):
    """All places where a value breaks the schema; raises on a keyword that is not applied."""
    assert set(schema) <= APPLIED | ANNOTATIONS, set(schema) - APPLIED - ANNOTATIONS
    if "$ref" in schema:
        yield from faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for keyword in ("anyOf", "oneOf"):
        options = schema.get(keyword)
        if options and all(any(faults(value, option, root)) for option in options):
            yield f"{value!r} is none of {keyword}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not in the enum"
    if "not" in schema and not any(faults(value, schema["not"], root)):
        yield f"{value!r} is what it must not be"
    if "const" in schema and value != schema["const"]:
        yield f"{value!r} is not the constant"
    yield from type_faults(value, schema, root)


def type_faults(value, schema, root):
    kind = schema.get("type")
    is_kind = kind is None or isinstance(value, TYPES[kind])
    if not is_kind or (kind is not None and isinstance(value, bool) != (kind == "boolean")):
        yield f"{value!r} is no {kind}"
    elif isinstance(value, str):
        yield from text_faults(value, schema)
    elif isinstance(value, dict):
        yield from mapping_faults(value, schema, root)
    elif isinstance(value, tuple):
        yield from list_faults(value, schema, root)
    elif isinstance(value, int) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield f"{value} is out of range"


def text_faults(value, schema):
    if "pattern" in schema and re.search(schema["pattern"], value) is None:
        yield f"{value!r} does not match"
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{value!r} has the wrong length"


def mapping_faults(value, schema, root):
    known = schema.get("properties", {})
    for key in value:
        yield from faults(key, schema.get("propertyNames", {}), root)
    for key, item in value.items():
        if key in known:
            yield from faults(item, known[key], root)
        elif patterned := [
            item_schema
            for pattern, item_schema in schema.get("patternProperties", {}).items()
            if re.search(pattern, key)
        ]:
            yield from faults(item, patterned[0], root)
        elif schema.get("additionalProperties") is False:
            yield f"{key} is unknown"
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from faults(item, schema["additionalProperties"], root)
    yield from (f"{key} is missing" for key in schema.get("required", ()) if key not in value)
    if len(value) < schema.get("minProperties", 0):
        yield "too few"


def list_faults(value, schema, root):
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield "the wrong number of items"
    for index, item in enumerate(value):
        prefix = schema.get("prefixItems", ())
        yield from faults(
            item, prefix[index] if index < len(prefix) else schema.get("items", {}), root
        )


def document(text):
    return read_document(text.encode()).plain()


@pytest.mark.parametrize("name", library_names())
def test_the_schema_accepts_each_library_scenario(name):
    schema = scenario_schema()
    text = library_path(name).read_text()
    assert list(faults(document(text), schema, schema)) == []


def test_the_schema_accepts_a_site_with_nothing_written():
    schema = scenario_schema()
    text = library_path("clean").read_text().replace("primary: {}", "primary:")
    assert list(faults(document(text), schema, schema)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed: 2", "sed: 2"),
        ("seed: 2\n", ""),
        ("seed: 2", "seed: '7'"),
        ("duration: 1 h", "duration: 15 m"),
        ("duration: 1 h", "duration: 60"),
        ("duration: 1 h", "duration: -1 h"),
        ("start: 10:00", "start: 25:00"),
        ("bandwidth: 10 Mbit/s", "bandwidth: 10 MB/s"),
        ("0.1 %", "0.1"),
        ("profile: heavy", "profile: heavvy"),
        ("mailboxes: 60", "mailboxes: 0"),
        ("[MDB1]", "[]"),
        ("kind: cdp", "kind: ccr"),
        ("kind: site_loss", "kind: siteloss"),
        ("at: 10:30", "at: 10.5"),
        ("max < 60 s", "maxx < 60 s"),
        ("classes: [any, app]", "classes: [apps]"),
        ("version: 2007", "version: 2010"),
        ("  recovery: {}", "  2x: {}"),
        ("  recovery: {}", "  recovery: 1"),
    ],
)
def test_the_schema_refuses_what_an_editor_can_notice(old, new):
    schema = scenario_schema()
    text = library_path("site-loss").read_text()
    assert old in text
    assert list(faults(document(text.replace(old, new, 1)), schema, schema))


def test_every_key_of_the_language_is_described():
    schema = scenario_schema()
    for model in (schema, *schema["$defs"].values()):
        assert model["description"]
        for key, field in model["properties"].items():
            assert key == "kind" or field.get("description") or "$ref" in field, key


def test_defaults_are_written_in_the_language_itself():
    schema = scenario_schema()
    link = schema["$defs"]["Link"]["properties"]
    assert link["jitter"]["default"] == "0 ms"
    for model in (schema, *schema["$defs"].values()):
        for field in model["properties"].values():
            if "default" in field and field["default"] is not None and "pattern" in field:
                assert re.search(field["pattern"], field["default"])


def test_the_shipped_schema_file_is_the_schema_of_this_version():
    shipped = (library_folder().parent / "scenario.schema.json").read_text(encoding="utf-8")
    assert shipped == scenario_schema_text(), "write it anew with `rpolab schema`"
    assert json.loads(shipped) == scenario_schema()
