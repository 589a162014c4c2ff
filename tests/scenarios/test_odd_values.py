"""Any value of a scenario replaced by any odd one gives the scenario or problems with hints."""

import pytest

from scenarios import Scenario, ScenarioError, library_path, parse
from scenarios.document import read_document

BASE = read_document(library_path("site-loss").read_bytes()).plain()
ODD = (
    None,
    True,
    7,
    -1,
    1.5,
    10**30,
    float("inf"),
    float("nan"),
    "",
    "x",
    "15 m",
    "\x1b[31m",
    (),
    ("a",),
    ("primary", "recovery"),
    ((),),
    {},
    {"a": 1},
    {"kind": "cdp"},
    {"kind": None},
)


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def replaced(value, path, new):
    if not path:
        return new
    if isinstance(value, dict):
        return {
            key: replaced(item, path[1:], new) if key == path[0] else item
            for key, item in value.items()
        }
    return tuple(
        replaced(item, path[1:], new) if index == path[0] else item
        for index, item in enumerate(value)
    )


@pytest.mark.parametrize("new", ODD, ids=repr)
def test_an_odd_value_anywhere_is_a_scenario_or_problems_with_hints_at_its_place(new):
    for path in list(places(BASE))[1:]:
        try:
            scenario = parse(replaced(BASE, path, new))
        except ScenarioError as error:
            problems = error.problems  # both outcomes are right
        else:
            assert isinstance(scenario, Scenario)
            continue
        for problem in problems:
            assert problem.hint, problem
            assert str(problem).isprintable()
        if not isinstance(new, dict | tuple):
            assert len(problems) == 1, problems
            assert problems[0].path.startswith(str(path[0])), problems


def test_a_key_left_out_anywhere_is_a_scenario_or_one_problem():
    for path in list(places(BASE))[1:]:
        if isinstance(path[-1], int):
            continue
        parent = BASE
        for step in path[:-1]:
            parent = parent[step]
        shorter = {key: item for key, item in parent.items() if key != path[-1]}
        try:
            scenario = parse(replaced(BASE, path[:-1], shorter))
        except ScenarioError as error:
            assert error.problems[0].hint  # noqa: PT017  # both outcomes are right
        else:
            assert isinstance(scenario, Scenario)
