"""`rpolab list`: the scenarios that come with rpolab."""

import json
from collections.abc import Iterator
from itertools import groupby

import click

from reports.durations import count_text, duration_text
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import say
from scenarios import metric_rows
from scenarios.catalogue import MAILBOX_HOURS, Listing, by_heading, catalogue


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write the list as JSON.")
@click.option("--metrics", is_flag=True, help="List what thresholds can be about instead.")
@traceback_option
def command(*, as_json: bool, metrics: bool) -> ExitCode:
    """List the scenarios of the library: what each asks, what it teaches, and its size.

    A run is short, medium or long by what it simulates, in mailboxes times hours.
    """
    if metrics:
        return _list_metrics()
    listings = catalogue()
    if as_json:
        say(json.dumps([_document(listing) for listing in listings], indent=2))
        return ExitCode.MET
    for line in _lines(listings):
        say(line)
    return ExitCode.MET


def _list_metrics() -> ExitCode:
    rows = metric_rows()
    width = max(len(name) for name, *_ in rows)
    for sampling, group in groupby(rows, key=lambda row: row[2]):
        say(f"A sample for {sampling}:")
        for name, unit, _, description in group:
            say(f"  {name.ljust(width)}  {unit.ljust(8)}  {description}")
    return ExitCode.MET


def _lines(listings: list[Listing]) -> Iterator[str]:
    width = max((len(listing.name) for listing in listings), default=0) + 2
    for heading, members in by_heading(listings):
        yield heading
        for listing in members:
            yield f"  {listing.name.ljust(width)}{listing.title}"
            if listing.teaches:
                yield f"  {'':{width}}{listing.teaches}"
            yield f"  {'':{width}}{_size(listing)}"
        yield ""
    limits = ", ".join(f"{name} up to {limit:,}" for limit, name in MAILBOX_HOURS)
    yield f"By mailboxes times hours: {limits}, long beyond. `rpolab run NAME` runs one,"
    yield "`rpolab new NAME FILE` makes a copy of it to change."


def _size(listing: Listing) -> str:
    simulated = duration_text(listing.simulated_s)
    mailboxes = count_text(listing.mailboxes, "mailbox", "mailboxes")
    runs = f", {listing.runs} runs" if listing.runs > 1 else ""
    return f"[{listing.length}: {simulated} of {mailboxes}{runs}]"


def _document(listing: Listing) -> dict[str, object]:
    return {**listing._asdict(), "length": listing.length}
