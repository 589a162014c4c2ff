"""The schemas that are shipped and printed are those of the code."""

import json

import pytest

from reports import result_schema, study_schema
from rpolab.cli import main
from scenarios import library_folder


def test_the_shipped_scenario_schema_is_what_the_command_prints(capsysbinary):
    assert main(["schema", "scenario"]) == 0
    shipped = library_folder().parent / "scenario.schema.json"
    assert capsysbinary.readouterr().out == shipped.read_bytes()


def test_the_scenario_schema_is_printed_when_none_is_named(capsysbinary):
    assert main(["schema"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["title"] == "rpolab scenario"


@pytest.mark.parametrize(("name", "schema"), [("result", result_schema), ("study", study_schema)])
def test_the_schema_of_a_document_is_that_of_its_model(capsysbinary, name, schema):
    assert main(["schema", name]) == 0
    printed = capsysbinary.readouterr().out
    assert json.loads(printed) == schema()
    assert printed.endswith(b"}\n")


@pytest.mark.parametrize("name", ["results", ""])
def test_another_schema_is_wrong_usage(capsys, name):
    assert main(["schema", name]) == 2
    assert "scenario" in capsys.readouterr().err
