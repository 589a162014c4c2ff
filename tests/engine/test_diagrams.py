"""The page of state diagrams is what the transition tables say, and shows all of them."""

import importlib
import re
from pathlib import Path

import pytest

from engine.diagrams import MACHINES, page

ROOT = Path(__file__).parents[2]
HOW = "write it anew: python -m engine.diagrams > docs/states.md"


def tables():
    """Every transition table of the engine, by its name."""
    for path in sorted((ROOT / "engine").rglob("*.py")):
        names = re.findall(r"^(\w+_TRANSITIONS)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
        for name in names:
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield f"{module}.{name}", getattr(importlib.import_module(module), name)


def test_the_page_is_up_to_date():
    assert (ROOT / "docs/states.md").read_text(encoding="utf-8") == page(), HOW


def test_every_transition_table_of_the_engine_is_on_the_page():
    shown = [dict(machine.transitions) for machine in MACHINES]
    missing = [name for name, table in tables() if table not in shown]
    assert not missing, "add them to MACHINES in engine/diagrams.py"


def section_of(machine):
    _, _, rest = page().partition(f"## {machine.title}\n")
    return rest.partition("\n## ")[0]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.title)
def test_each_diagram_draws_every_transition_and_every_end(machine):
    diagram = section_of(machine).partition("```mermaid\n")[2].partition("```")[0]
    for (before, trigger), after in machine.transitions:
        assert f"    {before.value} --> {after.value}: {trigger.value}\n" in diagram
    ends = {state.value for state in machine.ends}
    assert set(re.findall(r"(\w+) --> \[\*\]", diagram)) == ends
    assert diagram.count("[*] -->") == 1


def test_each_states_frames_are_told():
    for machine in MACHINES:
        for state, kind in machine.frames:
            rows = re.findall(rf"^\| {state.value} \|.*", section_of(machine), re.MULTILINE)
            assert re.search(rf"\b{kind.name}\b", rows[0])
