"""`rpolab check`: everything that is wrong or doubtful in scenarios, without running them."""

import click

from rpolab.commands.selection import SCENARIOS, SETTINGS, nothing_selected
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.problems import Reading, lines_of, read
from rpolab.terminal import say, shown


@click.command("check")
@SCENARIOS
@SETTINGS
@traceback_option
def command(names: tuple[str, ...], settings: tuple[str, ...]) -> ExitCode:
    """Find everything that is wrong with scenarios, without running them.

    SCENARIO is a library name or a file. All errors and warnings are listed with file, line and
    column; a mail archive that a scenario replays is read to its end. Exit code 2 if there is an
    error; warnings alone give 0.
    """
    if not names:
        return nothing_selected()
    readings = [read(name, with_archive=True, settings=settings) for name in dict.fromkeys(names)]
    for line in lines_of(readings):
        say(line)
    for reading in readings:
        say(_summary(reading))
    return ExitCode.INVALID if any(reading.problems for reading in readings) else ExitCode.MET


def _summary(reading: Reading) -> str:
    counts = [
        f"{len(found)} {what}{'s' if len(found) > 1 else ''}"
        for found, what in ((reading.problems, "error"), (reading.warnings, "warning"))
        if found
    ]
    return f"{shown(reading.name)}: {', '.join(counts) or 'no problems'}"
