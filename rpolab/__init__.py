"""The laboratory for disaster recovery of Exchange: run a scenario, and see which mail was lost.

    scenario = rpolab.Scenario.load("site-loss").set("link.bandwidth", "2 Mbit/s")
    result = rpolab.run(scenario, seed=8)
    result.protection("cdp").rpo.max_s

Names are looked up when they are first used, so that importing rpolab costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports import Result, ResultError, Study, load_document, load_result
    from rpolab.compared import Comparison, compare
    from rpolab.laboratory.own_parts import HookFailed
    from rpolab.runs import run
    from rpolab.studies.running import run_study
    from scenarios import Scenario, ScenarioError, library_names

__all__ = [
    "Comparison",
    "HookFailed",
    "Result",
    "ResultError",
    "Scenario",
    "ScenarioError",
    "Study",
    "compare",
    "library_names",
    "load_document",
    "load_result",
    "run",
    "run_study",
]

_HOMES = {
    "Comparison": "rpolab.compared",
    "HookFailed": "rpolab.laboratory.own_parts",
    "Result": "reports",
    "ResultError": "reports",
    "Scenario": "scenarios",
    "ScenarioError": "scenarios",
    "Study": "reports",
    "compare": "rpolab.compared",
    "library_names": "scenarios",
    "load_document": "reports",
    "load_result": "reports",
    "run": "rpolab.runs",
    "run_study": "rpolab.studies.running",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rpolab' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
