"""The JSON Schema of the scenario language, for editors."""

import json
from typing import Any

from scenarios.model import Scenario

SCHEMA_FILE = "scenario.schema.json"
_PARTS_OF_PARENT = ("Exchange", "ContinuousDataProtection")
"""What a scenario with `extends` may write in part: its parent has the rest."""


def scenario_schema() -> dict[str, Any]:
    """The schema of a scenario file, as JSON Schema 2020-12.

    It knows keys, words and the shape of every quantity; what must agree between the parts of a
    scenario (names, times, lengths) only the loader knows.
    """
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    schema["title"] = "rpolab scenario"
    for key in ("sites", "protect", "checkers"):
        # pydantic says what a well-formed name leads to, and leaves other names open.
        schema["properties"][key]["additionalProperties"] = False
    named_sites = schema["properties"]["sites"]["patternProperties"]
    for pattern, site in named_sites.items():
        named_sites[pattern] = {"anyOf": [site, {"type": "null"}]}
    _allow_names(schema["$defs"]["Exchange"]["properties"], "storage_groups", "StorageGroup")
    _allow_names(schema["$defs"]["ContinuousDataProtection"]["properties"], "copies", "Copy")
    _require_unless_extended(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _allow_names(properties: dict[str, Any], key: str, model: str) -> None:
    """Lets a list of named things be a mapping of names to what may be a part of each."""
    written = properties[key]
    items = {name: written.pop(name) for name in ("items", "maxItems", "minItems", "type")
             if name in written}  # fmt: skip
    item = {"$ref": f"#/$defs/{model}Part"}
    properties[key] = {
        **written,
        "anyOf": [items, {"type": "object", "additionalProperties": item}],
    }


def _require_unless_extended(schema: dict[str, Any]) -> None:
    definitions = schema["$defs"]
    for name in ("StorageGroup", "Copy"):
        part = {key: value for key, value in definitions[name].items() if key != "required"}
        definitions[f"{name}Part"] = {**part, "title": f"{name}Part"}
    needed = {name: {"required": definitions[name].pop("required")} for name in _PARTS_OF_PARENT}
    # A protection that a package brings has its own keys, which only the loader knows.
    own = {"required": ["kind"], "properties": {"kind": {"not": {"const": "cdp"}}}}
    whole = {
        "required": schema.pop("required"),
        "properties": {
            "exchange": needed["Exchange"],
            "protect": {
                "additionalProperties": {"anyOf": [needed["ContinuousDataProtection"], own]}
            },
        },
    }
    schema["anyOf"] = [{"required": ["extends"]}, whole]


def scenario_schema_text() -> str:
    """The schema as the text of the shipped file."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"
