"""`rpolab history`: the runs that were kept, and how their figures went."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from rpolab.commands.store_options import STORE, opened_store
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import complain, say, say_bytes
from scenarios.model import SEED_MAX

if TYPE_CHECKING:
    from reports.store import Entry, Store
    from reports.store.trends import Trend

LAST = 20
_LEVELS = (0.5, 0.95, 0.99, 1.0)
_MEASURES = {
    "rpo": ("rpo_s", "s"),
    "rto": ("rto_s", "s"),
    "lost_messages": ("lost_messages", "count"),
    "lost_bytes": ("lost_bytes", "bytes"),
}


@click.command("history")
@click.argument("scenario", required=False)
@click.option(
    "--metric",
    metavar="NAME",
    help="A metric, as 'cdp.rpo', or a figure of it, as 'cdp.rpo max', or 'wall_s'. The default "
    "is what the thresholds limit.",
)
@click.option("--last", type=click.IntRange(1), default=LAST, show_default=True, metavar="N")
@click.option("--seed", type=click.IntRange(0, SEED_MAX), metavar="N", help="Only of this seed.")
@click.option("--branch", metavar="NAME", help="Only of this branch, or of this commit.")
@click.option(
    "--quantiles", is_flag=True, help="Read the samples too: quantiles over all recoveries."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead.")
@STORE
@traceback_option
def command(
    *,
    scenario: str | None,
    metric: str | None,
    last: int,
    seed: int | None,
    branch: str | None,
    quantiles: bool,
    as_json: bool,
    store: str | None,
) -> ExitCode:
    """List the runs that were kept, and the trend of their figures.

    SCENARIO is a name of the library, or the end of a file's path; without it, all are listed.
    Figures in simulated time are exact for a seed: any step is real, and is told with the first
    run and commit that have it.
    """
    from reports.store import Selection  # noqa: PLC0415 - only now the store's libraries are loaded
    from reports.store.trends import trends_of  # noqa: PLC0415 - as above

    with opened_store(store) as opened:
        selection = Selection(scenario=scenario, seed=seed, branch=branch, last=last)
        entries, runs = opened.entries(selection), opened.runs(selection)
        if not entries:
            complain(f"rpolab: {opened.place}: no such run was kept")
            return ExitCode.NOTHING
        trends = trends_of(runs, metric)
        if metric is not None and not trends:
            raise click.UsageError(_unknown_metric(metric, runs[0].figures))
        _tell(opened.place, entries, trends, as_json=as_json)
        if quantiles and not as_json:
            _tell_quantiles(opened, entries, trends)
    return ExitCode.MET


def _unknown_metric(metric: str, figures: Iterable[str]) -> str:
    known = ", ".join(sorted(figures))
    return f"the newest run has no figure '{metric}' (there are: {known})"


def _tell(place: str, entries: "list[Entry]", trends: "list[Trend]", *, as_json: bool) -> None:
    from reports.history_text import history_document, print_history  # noqa: PLC0415 - with rich

    if as_json:
        document = history_document(entries, trends, place)
        say_bytes((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
    else:
        print_history(entries, trends)


def _tell_quantiles(store: "Store", entries: "list[Entry]", trends: "list[Trend]") -> None:
    """Says the quantiles of each metric over all recoveries of the entries of each scenario."""
    from reports.figures import metric_of  # noqa: PLC0415 - as above

    wanted = dict.fromkeys((trend.scenario, metric_of(trend.name)) for trend in trends)
    for scenario, metric in wanted:
        protection, _, measure = metric.rpartition(".")
        if measure in _MEASURES:
            mine = [entry for entry in entries if entry.scenario == scenario]
            column, unit = _MEASURES[measure]
            count, values = store.quantiles(mine, column, protection, _LEVELS)
            say(_quantiles_line(f"{scenario}: {metric}", count, len(mine), values, unit))


def _quantiles_line(what: str, count: int, entries: int, values: list[float], unit: str) -> str:
    from reports.headline import value_text  # noqa: PLC0415 - as above

    shares = ", ".join(
        f"p({level * 100:g}) {value_text(value, unit)}"
        for level, value in zip(_LEVELS, values, strict=False)
    )
    return f"{what} over {count:,} recoveries of {entries:,} entries: {shares or 'no sample'}"
