"""`rpolab list`: the scenarios that come with rpolab."""

import click

from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import say
from scenarios import library_names, load


@click.command("list")
@traceback_option
def command() -> ExitCode:
    """List the scenarios of the library, each with its title."""
    names = library_names()
    width = max(map(len, names), default=0)
    for name in names:
        say(f"{name.ljust(width)}  {load(name).title}")
    return ExitCode.MET
