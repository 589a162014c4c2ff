"""Sphinx directives that write the reference from the program itself, so that it cannot be behind.

`schema-reference` shows a JSON Schema (of scenarios, results or studies) part by part,
`metrics-reference` all metrics, and `library-reference` the scenarios of the library.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from reports import result_schema, study_schema
from scenarios.catalogue import by_heading, catalogue
from scenarios.metrics import metric_rows
from scenarios.schema import scenario_schema

SCHEMAS = {"scenario": scenario_schema, "result": result_schema, "study": study_schema}
EXAMPLES_MAX = 3


class SchemaReference(SphinxDirective):
    """One section for the document itself, and one for each of its parts."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        name = self.arguments[0]
        schema = SCHEMAS[name]()
        lines = list(_part(name, name, schema))
        for title, part in sorted(schema["$defs"].items()):
            lines += _part(name, title, part)
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class MetricsReference(SphinxDirective):
    """A table of all metrics for each thing that gives a sample."""

    def run(self) -> list[nodes.Node]:
        """Return the tables."""
        lines = []
        for sampling, rows in groupby(metric_rows(), key=itemgetter(2)):
            lines += [f"A sample for {sampling}:", ""]
            lines += ["| metric | in | what it is |", "|---|---|---|"]
            lines += [f"| `{name}` | {unit} | {_prose(told)} |" for name, unit, _, told in rows]
            lines.append("")
        return self.parse_text_to_nodes("\n".join(lines))


class LibraryReference(SphinxDirective):
    """A list of all scenarios that come with rpolab."""

    def run(self) -> list[nodes.Node]:
        """Return a table under each heading."""
        lines = []
        for heading, listings in by_heading(catalogue()):
            lines += [f"## {heading}", "", "| scenario | what it teaches | simulated |"]
            lines.append("|---|---|---|")
            for one in listings:
                told = f"{one.title}. *{one.teaches}*"
                length = f"{one.simulated_s / 60:g} min"
                if one.runs > 1:
                    length += f", {one.runs} runs"
                lines.append(f"| `{one.name}` | {_prose(told)} | {length} |")
            lines.append("")
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _part(document: str, title: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"({document}-{title.lower()})="
    yield f"## {title}" if document == title else f"## {title} ({document})"
    yield ""
    yield _prose(schema.get("description", ""))
    yield ""
    if "enum" in schema:
        yield f"One of: {_words(schema['enum'])}."
        yield ""
    properties = schema.get("properties")
    if properties:
        yield "| key | value | default | what it says |"
        yield "|---|---|---|---|"
        required = schema.get("required", ())
        for key, value in properties.items():
            default = "required" if key in required else _default(value)
            told = _prose(value.get("description", ""))
            yield f"| `{key}` | {_kind(document, value)} | {default} | {told} {_examples(value)} |"
        yield ""


def _prose(text: str) -> str:
    """Text as it may stand in a cell: the docstrings' own line ends are no paragraphs."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")


def _words(values: Any) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _default(value: dict[str, Any]) -> str:
    if "default" not in value:
        return ""
    default = value["default"]
    return "none" if default in (None, "", [], {}) else f"`{default}`"


def _examples(value: dict[str, Any]) -> str:
    found = value.get("examples") or [
        example for other in value.get("anyOf", ()) for example in other.get("examples", ())
    ]
    return f"For example {_words(found[:EXAMPLES_MAX])}." if found else ""


def _kind(document: str, value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{document}-{name.lower()})"
    if "const" in value or "enum" in value:
        return _words(value.get("enum") or [value["const"]])
    several = value.get("anyOf") or value.get("oneOf")
    if several:
        kinds = [_kind(document, other) for other in several]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null"))
    return _plain_kind(document, value)


def _plain_kind(document: str, value: dict[str, Any]) -> str:
    kind = value.get("type", "any")
    if kind == "array" and value.get("items"):
        return f"list of {_kind(document, value['items'])}"
    for inner in (*value.get("patternProperties", {}).values(), value.get("additionalProperties")):
        if inner:
            return f"by name: {_kind(document, inner)}"
    return {"string": "text", "array": "list"}.get(kind, kind)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("schema-reference", SchemaReference)
    app.add_directive("metrics-reference", MetricsReference)
    app.add_directive("library-reference", LibraryReference)
    return {"version": "1", "parallel_read_safe": True}
