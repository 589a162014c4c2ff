"""`rpolab schema`: the published JSON Schemas."""

import json

import click

from reports import result_schema, study_schema
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import say_bytes
from scenarios import scenario_schema_text


@click.command("schema")
@click.argument("document", type=click.Choice(["scenario", "result", "study"]), default="scenario")
@traceback_option
def command(document: str) -> ExitCode:
    """Print the JSON Schema of a scenario file (the default), of a result or of a study."""
    say_bytes(_text_of(document).encode())
    return ExitCode.MET


def _text_of(document: str) -> str:
    if document == "scenario":
        return scenario_schema_text()
    schema = result_schema() if document == "result" else study_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
