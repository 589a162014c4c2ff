"""The schema with the kinds of installed packages; broken ones are named."""

import json

import jsonschema
import pytest

from rpolab.cli import main


@pytest.fixture
def schema(tape_jam, capsysbinary):
    assert main(["schema", "scenario", "--packages"]) == 0
    return json.loads(capsysbinary.readouterr().out)


def test_the_keys_of_a_packages_fault_are_in_the_schema(schema, world):
    jam = {"kind": "tape_jam", "at": "10:03", "duration": "20 s"}
    jsonschema.validate({**world, "faults": [jam]}, schema)
    for wrong in ({**jam, "durations": "1 s"}, {**jam, "duration": "20"}, {**jam, "kind": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**world, "faults": [wrong]}, schema)


def test_the_published_schema_is_the_same_with_and_without_packages(tape_jam, capsysbinary):
    assert main(["schema", "scenario"]) == 0
    assert b"tape_jam" not in capsysbinary.readouterr().out


def test_a_broken_package_is_named(bring, capsys):
    bring("jams", "raise KeyError('x')", checkers={"jam": "jams:Jam"})
    assert main(["schema", "--packages"]) == 2
    told = capsys.readouterr().err
    assert "the checker 'jam' of the package jams 1.0 cannot be loaded: KeyError: 'x'" in told
    assert "Traceback" not in told


def test_packages_are_of_a_scenarios_schema_alone(capsys):
    assert main(["schema", "result", "--packages"]) == 2
    assert "--packages is of a scenario's schema" in capsys.readouterr().err
