"""`rpolab check`: everything that is wrong or doubtful in scenarios, without running them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from rpolab.commands.selection import SCENARIOS, SETTINGS, nothing_selected
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.problems import Reading, lines_of, read
from rpolab.terminal import say, shown

DOCUMENT_VERSION = 1


@click.command("check")
@SCENARIOS
@SETTINGS
@click.option("--json", "as_json", is_flag=True, help="Write what is found as JSON, for editors.")
@traceback_option
def command(*, names: tuple[str, ...], settings: tuple[str, ...], as_json: bool) -> ExitCode:
    """Find everything that is wrong with scenarios, without running them.

    SCENARIO is a library name or a file. All errors and warnings are listed with file, line and
    column; a mail archive that a scenario replays is read to its end. Exit code 2 if there is an
    error; warnings alone give 0.
    """
    if not names:
        return nothing_selected()
    readings = [read(name, with_archive=True, settings=settings) for name in dict.fromkeys(names)]
    for line in [_document(readings)] if as_json else _lines(readings):
        say(line)
    return ExitCode.INVALID if any(reading.problems for reading in readings) else ExitCode.MET


def _lines(readings: Sequence[Reading]) -> Iterator[str]:
    yield from lines_of(readings)
    for reading in readings:
        yield _summary(reading)


def _summary(reading: Reading) -> str:
    counts = [
        f"{len(found)} {what}{'s' if len(found) > 1 else ''}"
        for found, what in ((reading.problems, "error"), (reading.warnings, "warning"))
        if found
    ]
    return f"{shown(reading.name)}: {', '.join(counts) or 'no problems'}"


def _document(readings: Sequence[Reading]) -> str:
    """What is found, as one JSON document; lines and columns count from 1, 0 is none."""
    document = {
        "version": DOCUMENT_VERSION,
        "kind": "check",
        "scenarios": [
            {
                "name": shown(reading.name),
                "valid": not reading.problems,
                "problems": [
                    {"severity": severity, **asdict(problem)}
                    for severity, found in (
                        ("error", reading.problems),
                        ("warning", reading.warnings),
                    )
                    for problem in found
                ],
            }
            for reading in readings
        ],
    }
    return json.dumps(document, indent=2)
