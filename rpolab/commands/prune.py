"""`rpolab prune`: forgets old runs, and sweeps what processes left that were killed."""

import re

import click

from rpolab.commands.store_options import STORE, opened_store
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import complain, say, shown
from rpolab.wall_clock import calendar_ns

_AGE = re.compile(r"\s*(?P<number>[0-9]{1,6})\s*(?P<unit>[hdw])\s*")
_UNIT_NS = {"h": 3_600 * 10**9, "d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9}


class _Age(click.ParamType[int]):
    """An age: a whole number of hours, days or weeks."""

    name = "age"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Returns the nanoseconds of an age."""
        found = _AGE.fullmatch(str(value))
        if found is None:
            self.fail(f"'{value}' is no age: write for example 90d, 12h or 8w", param, ctx)
        return int(found["number"]) * _UNIT_NS[found["unit"]]


@click.command("prune")
@click.option(
    "--keep-last",
    type=click.IntRange(0),
    metavar="N",
    help="Keep the newest N runs of each scenario.",
)
@click.option(
    "--older-than", type=_Age(), metavar="AGE", help="Keep what is younger: 90d, 12h or 8w."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@STORE
@traceback_option
def command(
    *, keep_last: int | None, older_than: int | None, dry_run: bool, store: str | None
) -> ExitCode:
    """Forget old runs, and sweep the files of processes that were killed.

    A run goes when neither --keep-last nor --older-than keeps it; without both, none goes. Files
    that no run owns go when they are an hour old. Damage is told, and ends with exit code 1.
    """
    from reports import size_text  # noqa: PLC0415 - only now the store's libraries are loaded
    from reports.history_text import ID_LETTERS, time_text  # noqa: PLC0415 - as above
    from reports.store import Retention  # noqa: PLC0415 - as above

    with opened_store(store) as opened:
        retention = Retention(keep_last, older_than)
        pruned = opened.prune(retention, now_ns=calendar_ns(), dry_run=dry_run)
        problems = opened.problems()
    for entry in pruned.entries:
        say(
            f"{entry.entry_id[:ID_LETTERS]}  {time_text(entry.kept_at_ns)}  "
            f"{shown(entry.scenario)}  {entry.verdict}"
        )
    verb = "would go" if dry_run else "are gone"
    say(
        f"{len(pruned.entries):,} runs and {pruned.garbage_files:,} files without a run {verb}, "
        f"{size_text(pruned.freed_bytes)}; {pruned.kept:,} runs are kept"
    )
    for problem in problems:
        complain(f"rpolab: {shown(problem)}")
    return ExitCode.MISSED if problems else ExitCode.MET
