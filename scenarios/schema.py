"""The JSON Schema of the scenario language, for editors."""

import json
from typing import Any

from scenarios.model import Scenario

SCHEMA_FILE = "scenario.schema.json"


def scenario_schema() -> dict[str, Any]:
    """The schema of a scenario file, as JSON Schema 2020-12.

    It knows keys, words and the shape of every quantity; what must agree between the parts of a
    scenario (names, times, lengths) only the loader knows.
    """
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    schema["title"] = "rpolab scenario"
    for key in ("sites", "protect"):
        # pydantic says what a well-formed name leads to, and leaves other names open.
        schema["properties"][key]["additionalProperties"] = False
    named_sites = schema["properties"]["sites"]["patternProperties"]
    for pattern, site in named_sites.items():
        named_sites[pattern] = {"anyOf": [site, {"type": "null"}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def scenario_schema_text() -> str:
    """The schema as the text of the shipped file."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"
