"""Moves properties in pytest's JUnit file from the cases to the suite, as Jenkins' schema has it.

pytest writes properties into each case; junit-10.xsd of Jenkins' xunit plugin has them on suites
only. With `rpolab_junit = suite` the file is written anew once pytest has written it: a property of
a case of ours becomes one of its suite, with the case in its name.
"""

import os
from pathlib import Path

# The file is the one that pytest itself has just written: nothing of it comes from outside.
from xml.etree.ElementTree import Element, ElementTree, parse

import pytest

SUFFIXES = ("rpolab.yaml", "rpolab.yml")


def move_properties(config: pytest.Config) -> None:
    """Writes the session's JUnit file anew, if there is one."""
    named = config.getoption("xmlpath", None)
    if named is None:
        return
    path = Path(config.invocation_params.dir, os.path.expandvars(Path(named).expanduser()))
    if path.is_file():
        tree = parse(path)  # noqa: S314 - see above
        for suite in tree.iter("testsuite"):
            _move(suite)
        _write(tree, path)


def _move(suite: Element) -> None:
    moved: list[Element] = []
    for case in suite.iter("testcase"):
        properties = case.find("properties")
        if properties is None or not case.get("classname", "").endswith(SUFFIXES):
            continue
        case.remove(properties)
        for item in properties:
            place = f"{case.get('classname')}::{case.get('name')}"
            item.set("name", f"{place}: {item.get('name')}")
            moved.append(item)
    if not moved:
        return
    found = suite.find("properties")
    if found is None:
        found = Element("properties")
        suite.insert(0, found)
    found.extend(moved)


def _write(tree: "ElementTree[Element]", path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    tree.write(temporary, encoding="utf-8", xml_declaration=True)
    temporary.replace(path)
