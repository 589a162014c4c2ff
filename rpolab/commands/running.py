"""Runs what `rpolab run` has read and checked, and prints what was found."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from emulators.exchange.input_files import WorkloadFileError
from reports import Study, Verdict
from reports.sheet import verdict_text
from reports.study_terminal import print_study
from reports.terminal import print_result
from rpolab.commands.simulating import Found, seeded, simulate
from rpolab.exit_codes import VERDICT_CODES, ExitCode, worst
from rpolab.failures import Failures
from rpolab.mail.workload_problems import problem_of, unreadable
from rpolab.outputs import Job, OutputError
from rpolab.problems import line_of
from rpolab.report_files import Reports
from rpolab.terminal import closed_pipe_is_fine, complain, shown, write_line
from scenarios import Problem, Scenario, ScenarioError

EXIT_CODES = {verdict: VERDICT_CODES[verdict.value] for verdict in Verdict}
_WITHOUT_VERDICT = {ExitCode.INVALID: "invalid", ExitCode.BROKEN: "no verdict"}


def run_jobs(
    jobs: Sequence[Job],
    *,
    seed: int | None,
    quiet: bool,
    failures: Failures,
    reports: Reports,
    workers: int | None = None,
) -> ExitCode:
    """Runs all jobs in turn, prints and writes their results.

    Args:
        jobs: what to run.
        seed: takes the place of the scenarios' own.
        quiet: print no report and no progress.
        failures: tells of what went wrong.
        reports: what is written beside the terminal's report.
        workers: how many runs of a study at once; as many as there are processors without it.

    Returns:
        The worst exit code of all jobs.
    """
    codes: list[ExitCode] = []
    summary: list[str] = []
    report = sys.stderr if reports.use_standard_output else _report_stream(jobs)
    for job in jobs:
        if codes and not quiet:
            write_line(report, "")
        try:
            found = simulate(_chosen(job, seed), workers=workers, quiet=quiet)
        except Exception as error:  # noqa: BLE001 - the other scenarios still have their turn
            reports.miss(job.name, f"{type(error).__name__}: {error}")
            code, verdict = _failed(error, job, failures)
        else:
            code, verdict = _deliver(job, found, report, reports, quiet=quiet)
        codes.append(code)
        summary.append(f"{verdict.ljust(14)}{shown(job.name)}")
    if len(jobs) > 1 and not quiet:
        write_line(report, "\n".join(["", f"{len(jobs)} scenarios", *summary]))
    try:
        reports.finish(report)
    except OutputError as error:
        codes.append(_without_verdict(ExitCode.BROKEN, f"Error: {error.message}")[0])
    return worst(codes)


def _report_stream(jobs: Sequence[Job]) -> TextIO:
    """Where the report for the reader goes: not where the JSON document goes."""
    documents = [job.outputs.json for job in jobs if job.outputs.json is not None]
    return sys.stderr if any(document.path is None for document in documents) else sys.stdout


def _chosen(job: Job, seed: int | None) -> Job:
    return replace(job, scenario=seeded(job.scenario, seed))


def _failed(error: Exception, job: Job, failures: Failures) -> tuple[ExitCode, str]:
    """Says why there is no result; returns the exit code, and a word for it."""
    problems = _input_problems(error, job.scenario)
    if problems:
        return _without_verdict(ExitCode.INVALID, "\n".join(map(line_of, problems)))
    code = failures.report(error, job.name)
    return code, _WITHOUT_VERDICT[code]


def _deliver(
    job: Job, found: Found, report: TextIO, reports: Reports, *, quiet: bool
) -> tuple[ExitCode, str]:
    """Writes the documents first: a closed pipe must not cost them. Then prints the report."""
    result = found.result
    code, verdict = EXIT_CODES[result.verdict], verdict_text(result.verdict)
    try:
        _write_documents(job, found)
        reports.take(result)
    except OutputError as error:
        code, verdict = _without_verdict(ExitCode.BROKEN, f"Error: {error.message}")
    if not quiet:
        with closed_pipe_is_fine(report):
            if isinstance(result, Study):
                print_study(result, file=report)
            else:
                print_result(result, file=report)
            report.flush()
        if job.outputs.keep is not None:
            complain(f"the recovered files are in {shown(job.outputs.keep)}")
    if job.keeping and not job.keeping.try_keep(result, job.scenario, report, quiet=quiet):
        code = worst((code, ExitCode.BROKEN))
    if not job.scenario.thresholds:
        complain(f"{shown(job.name)}: nothing was judged: the scenario has no thresholds")
    return code, verdict


def _write_documents(job: Job, found: Found) -> None:
    if job.outputs.trace is not None:
        for ending, lines in found.traces.items():
            job.outputs.trace.named(ending).write("".join(f"{line}\n" for line in lines))
    if job.outputs.json is not None:
        job.outputs.json.write(found.result.to_json())


def _input_problems(error: Exception, scenario: Scenario) -> tuple[Problem, ...]:
    """What is wrong with the scenario or its mail; nothing if the error is not about them."""
    if isinstance(error, ScenarioError):
        return error.problems
    if isinstance(error, WorkloadFileError):
        return (problem_of(error),)
    if isinstance(error, OSError) and _is_of_workload(error, scenario):
        return (unreadable(scenario, error),)
    return ()


def _is_of_workload(error: OSError, scenario: Scenario) -> bool:
    """Whether the operating system refused the workload's file, or one in its folder."""
    path = scenario.workload_path
    refused = Path(str(error.filename))
    return path is not None and (path == refused or path in refused.parents)


def _without_verdict(code: ExitCode, message: str) -> tuple[ExitCode, str]:
    complain(message)
    return code, _WITHOUT_VERDICT[code]
