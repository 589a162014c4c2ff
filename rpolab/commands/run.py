"""`rpolab run`: reads the scenarios and checks the outputs, before anything runs."""

import os
from dataclasses import replace

import click

from rpolab.commands.report_options import report_options
from rpolab.commands.selection import SCENARIOS, SETTINGS, nothing_selected
from rpolab.commands.store_options import keeping_options
from rpolab.exit_codes import ExitCode
from rpolab.failures import Failures, traceback_option
from rpolab.outputs import Job, Outputs, plan_outputs
from rpolab.problems import Reading, lines_of, read
from rpolab.report_files import ReportOptions, Reports, plan_reports
from rpolab.terminal import complain
from scenarios import Scenario
from scenarios.model import SEED_MAX


@click.command("run")
@SCENARIOS
@SETTINGS
@click.option(
    "--seed",
    type=click.IntRange(0, SEED_MAX),
    metavar="N",
    help="Take the place of the scenario's own seed; with replications, of the first.",
)
@click.option(
    "--json",
    "json_path",
    metavar="FILE",
    help="Write the result as JSON: '-' is standard output (the report then goes to standard "
    "error); for several scenarios, an existing folder.",
)
@click.option(
    "--keep",
    metavar="FOLDER",
    help="Keep the recovered files in this folder, which is made if it does not exist, "
    "and must be empty if it does.",
)
@click.option(
    "--trace",
    metavar="FILE",
    help="Write what happened, one line an event, to compare runs; for several scenarios, "
    "an existing folder.",
)
@report_options
@click.option(
    "--jobs",
    "workers",
    type=click.IntRange(1, 1_000),
    metavar="N",
    help="How many runs of a study at once; by default as many as there are processors. "
    "The results do not depend on it.",
)
@click.option("--quiet", is_flag=True, help="Print no report and no progress, only errors.")
@keeping_options
@traceback_option
@click.pass_obj
def command(
    failures: Failures,
    *,
    names: tuple[str, ...],
    settings: tuple[str, ...],
    seed: int | None,
    json_path: str | None,
    keep: str | None,
    trace: str | None,
    reports: ReportOptions,
    workers: int | None,
    quiet: bool,
    store: str | None,
) -> ExitCode:
    """Run scenarios one after another and report which mail was lost.

    A scenario with 'vary' or 'replications' is a study: all its runs are judged together.

    SCENARIO is a library name or a file. All of them are read first: nothing runs when one is
    invalid. The exit code is the worst of theirs: 3, then 2, 1, 4 and 0.
    """
    if not names:
        return nothing_selected()
    readings = [read(name, with_archive=False, settings=settings) for name in names]
    for line in lines_of(readings):
        complain(line)
    scenarios = _valid(readings)
    if scenarios is None:
        return ExitCode.INVALID
    outputs = plan_outputs(names, json=json_path, keep=keep, trace=trace)
    plan = plan_reports(names, reports, os.environ)
    jobs = _kept_jobs(_jobs(scenarios, outputs), store)
    return _run(jobs, seed, workers, quiet=quiet, failures=failures, reports=plan)


def _valid(readings: list[Reading]) -> list[tuple[str, Scenario]] | None:
    """The scenarios with their names, or None when one of them is invalid."""
    found = [(reading.name, reading.scenario) for reading in readings]
    valid = [(name, scenario) for name, scenario in found if scenario is not None]
    return valid if len(valid) == len(found) else None


def _jobs(scenarios: list[tuple[str, Scenario]], outputs: list[Outputs]) -> list[Job]:
    return [
        Job(name, scenario, output)
        for (name, scenario), output in zip(scenarios, outputs, strict=True)
    ]


def _kept_jobs(jobs: list[Job], store: str | None) -> list[Job]:
    """The jobs, each with the store that keeps what it finds."""
    from rpolab.keeping import plan_keeping  # noqa: PLC0415 - the store's libraries, for runs only

    keeping = plan_keeping(store, [job.scenario for job in jobs])
    return [replace(job, keeping=keeping) for job in jobs]


def _run(
    jobs: list[Job],
    seed: int | None,
    workers: int | None,
    *,
    quiet: bool,
    failures: Failures,
    reports: Reports,
) -> ExitCode:
    # Only now, when there is something to run, the simulation with its libraries is loaded.
    from rpolab.commands.running import run_jobs  # noqa: PLC0415 - see above

    return run_jobs(
        jobs, seed=seed, quiet=quiet, failures=failures, reports=reports, workers=workers
    )
