"""The argument SCENARIO..., as all commands that take scenarios have it."""

import click

from rpolab.exit_codes import ExitCode
from rpolab.terminal import complain
from scenarios import library_names

SCENARIOS = click.argument("names", nargs=-1, metavar="SCENARIO...")
SETTINGS = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Put a value in place of the scenario's, such as 'link.bandwidth=5 Mbit/s' or "
    "'exchange.storage_groups.SG1.mailboxes=50'; may be given several times.",
)


def nothing_selected() -> ExitCode:
    """Says what could have been selected."""
    complain(
        "rpolab: nothing was selected: name a scenario file, or one of the library: "
        f"{', '.join(library_names())}"
    )
    return ExitCode.NOTHING
