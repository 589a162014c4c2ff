"""`rpolab list`: the scenarios that come with rpolab."""

from itertools import groupby

import click

from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import say
from scenarios import library_names, load, metric_rows


@click.command("list")
@click.option("--metrics", is_flag=True, help="List what thresholds can be about instead.")
@traceback_option
def command(*, metrics: bool) -> ExitCode:
    """List the scenarios of the library, each with its title; or all metrics."""
    if metrics:
        return _list_metrics()
    names = library_names()
    width = max(map(len, names), default=0)
    for name in names:
        say(f"{name.ljust(width)}  {load(name).title}")
    return ExitCode.MET


def _list_metrics() -> ExitCode:
    rows = metric_rows()
    width = max(len(name) for name, *_ in rows)
    for sampling, group in groupby(rows, key=lambda row: row[2]):
        say(f"A sample for {sampling}:")
        for name, unit, _, description in group:
            say(f"  {name.ljust(width)}  {unit.ljust(8)}  {description}")
    return ExitCode.MET
