"""The JSON Schema of the language as it is where packages bring kinds of their own.

The published schema is the same everywhere; this one knows the kinds of the packages that are
installed here, each with the keys of its model.
"""

from collections.abc import Iterator
from typing import Any

from scenarios.checkers import OwnChecker
from scenarios.faults import OwnFault
from scenarios.fields import Strict
from scenarios.hooks import HOOKS, Hook, What, hook_kinds, load_hook
from scenarios.mail import OwnWorkload
from scenarios.protections import OwnProtection
from scenarios.schema import scenario_schema

BASES: dict[What, type[Strict]] = {
    "fault": OwnFault,
    "workload": OwnWorkload,
    "checker": OwnChecker,
    "protection": OwnProtection,
}


def installed_hooks(what: What) -> Iterator[Hook]:
    """Imports all that packages bring of one sort.

    Raises:
        HookError: one of them cannot be used.
    """
    for kind in dict.fromkeys(hook_kinds(what)):
        hook = load_hook(what, kind, BASES[what])
        if hook is not None:
            yield hook


def package_schema() -> dict[str, Any]:
    """The schema of a scenario file with the kinds of the packages that are installed here.

    Raises:
        HookError: a package cannot be used; it is named.
    """
    schema = scenario_schema()
    for what in HOOKS:
        for hook in installed_hooks(what):
            _add(schema, hook)
    return schema


def _add(schema: dict[str, Any], hook: Hook) -> None:
    own = hook.settings.model_json_schema(by_alias=True, mode="validation")
    schema["$defs"].update(own.pop("$defs", {}))
    # An editor is to know by the kind which keys are meant.
    own["properties"]["kind"] = {**own["properties"]["kind"], "const": hook.kind}
    name = f"{hook.what}-{hook.kind}"
    schema["$defs"][name] = own
    reference = {"$ref": f"#/$defs/{name}"}
    places = schema["properties"]
    if hook.what == "fault":
        faults = places["faults"]["items"]
        faults["oneOf"].append(reference)
        faults["discriminator"]["mapping"][hook.kind] = reference["$ref"]
    elif hook.what == "workload":
        places["workload"]["anyOf"].append(reference)
    else:
        key = "checkers" if hook.what == "checker" else "protect"
        named = places[key]["patternProperties"]
        for pattern, item in named.items():
            named[pattern] = {"anyOf": [*item.get("anyOf", [item]), reference]}
