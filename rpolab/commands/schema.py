"""`rpolab schema`: the published JSON Schemas."""

import json

import click

from reports import result_schema, study_schema
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import say_bytes
from scenarios import scenario_schema_text
from scenarios.hooks import HookError


@click.command("schema")
@click.argument("document", type=click.Choice(["scenario", "result", "study"]), default="scenario")
@click.option(
    "--packages",
    is_flag=True,
    help="Of a scenario: with the kinds that installed packages bring, each with its keys.",
)
@traceback_option
def command(document: str, *, packages: bool) -> ExitCode:
    """Print the JSON Schema of a scenario file (the default), of a result or of a study."""
    if packages and document != "scenario":
        raise click.UsageError(f"--packages is of a scenario's schema, not of a {document}'s")
    say_bytes((_text_with_packages() if packages else _text_of(document)).encode())
    return ExitCode.MET


def _text_with_packages() -> str:
    from scenarios.package_schema import package_schema  # noqa: PLC0415 - it imports packages

    try:
        schema = package_schema()
    except HookError as error:
        raise click.ClickException(f"{error} ({error.hint})") from error
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _text_of(document: str) -> str:
    if document == "scenario":
        return scenario_schema_text()
    schema = result_schema() if document == "result" else study_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
