"""Every scenario of the library runs and comes to the verdict that it promises."""

import pytest

from reports import Verdict
from rpolab import run, run_study
from scenarios import catalogue, load

NOT_MET: dict[str, Verdict] = {}
"""The scenarios whose lesson is that a target is missed, or cannot be told."""


def cases():
    """The short ones in every test run, the others in the night."""
    for listing in catalogue():
        marks = [] if listing.length == "short" else [pytest.mark.nightly]
        yield pytest.param(listing.name, marks=marks, id=listing.name)


@pytest.mark.parametrize("name", list(cases()))
def test_a_scenario_of_the_library_comes_to_its_verdict(name):
    scenario = load(name)
    found = run_study(scenario, jobs=1) if scenario.is_study else run(scenario)
    assert found.verdict is NOT_MET.get(name, Verdict.MET)


def test_every_exception_is_a_scenario_of_the_library():
    assert set(NOT_MET) <= {listing.name for listing in catalogue()}
