"""`rpolab schema`: the published JSON Schemas."""

import json

import click

from reports import result_schema
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import say_bytes
from scenarios import scenario_schema_text


@click.command("schema")
@click.argument("document", type=click.Choice(["scenario", "result"]), default="scenario")
@traceback_option
def command(document: str) -> ExitCode:
    """Print the JSON Schema of a scenario file (the default) or of a result."""
    text = scenario_schema_text() if document == "scenario" else _result_schema_text()
    say_bytes(text.encode())
    return ExitCode.MET


def _result_schema_text() -> str:
    return json.dumps(result_schema(), indent=2, ensure_ascii=False) + "\n"
