"""Runs what `rpolab run` has read and checked, and prints what was found."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TextIO

from emulators.exchange.input_files import WorkloadFileError
from reports import Result, Study, Verdict
from reports.progress import RunProgress
from reports.sheet import verdict_text
from reports.study_terminal import print_study
from reports.terminal import print_result
from rpolab.exit_codes import ExitCode, worst
from rpolab.failures import Failures
from rpolab.outputs import Job, OutputError
from rpolab.problems import line_of, problem_of, unreadable
from rpolab.runs import replay_command, run_timed, with_seed
from rpolab.studies import run_name, run_timed_study
from rpolab.terminal import closed_pipe_is_fine, complain, shown, write_line
from scenarios import Problem, Scenario, ScenarioError

EXIT_CODES = {
    Verdict.MET: ExitCode.MET,
    Verdict.MISSED: ExitCode.MISSED,
    Verdict.INCONCLUSIVE: ExitCode.OPEN,
    Verdict.NOT_EXERCISED: ExitCode.OPEN,
}
_WITHOUT_VERDICT = {ExitCode.INVALID: "invalid", ExitCode.BROKEN: "no verdict"}


def run_jobs(
    jobs: Sequence[Job],
    *,
    seed: int | None,
    quiet: bool,
    failures: Failures,
    workers: int | None = None,
) -> ExitCode:
    """Runs all jobs in turn, prints and writes their results.

    Args:
        jobs: the scenarios, and what to write of each.
        seed: takes the place of their own.
        quiet: print neither report nor progress.
        failures: told of what should not happen.
        workers: how many runs of a study at once.

    Returns:
        The worst exit code of all jobs.
    """
    codes: list[ExitCode] = []
    summary: list[str] = []
    report = _report_stream(jobs)
    for job in jobs:
        if codes and not quiet:
            write_line(report, "")
        code, verdict = _run_job(job, seed, report, failures, quiet=quiet, workers=workers)
        codes.append(code)
        summary.append(f"{verdict.ljust(14)}{shown(job.name)}")
    if len(jobs) > 1 and not quiet:
        write_line(report, "\n".join(["", f"{len(jobs)} scenarios", *summary]))
    return worst(codes)


def _report_stream(jobs: Sequence[Job]) -> TextIO:
    """Where the report for the reader goes: not where the JSON document goes."""
    documents = [job.outputs.json for job in jobs if job.outputs.json is not None]
    return sys.stderr if any(document.path is None for document in documents) else sys.stdout


def _run_job(
    job: Job,
    seed: int | None,
    report: TextIO,
    failures: Failures,
    *,
    quiet: bool,
    workers: int | None,
) -> tuple[ExitCode, str]:
    """Runs one job; returns its exit code and its verdict in words."""
    try:
        job = replace(job, scenario=_seeded(job.scenario, seed))
        is_study = job.scenario.is_study
        timed = _study(job, workers, quiet=quiet) if is_study else _simulate(job, quiet=quiet)
    except Exception as error:  # noqa: BLE001 - the other scenarios still have their turn
        problems = _input_problems(error, job.scenario)
        if problems:
            return _without_verdict(ExitCode.INVALID, "\n".join(map(line_of, problems)))
        code = failures.report(error, job.name)
        return code, _WITHOUT_VERDICT[code]
    return _deliver(job, timed, report, quiet=quiet)


def _seeded(scenario: Scenario, seed: int | None) -> Scenario:
    try:
        return with_seed(scenario, seed)
    except ValueError as error:
        problem = Problem(f"--seed {seed}", 0, 0, "", str(error), "begin with a smaller one")
        raise ScenarioError((problem,)) from None


class Found(NamedTuple):
    """What was found, and the traces that were asked for, each with the end of its file's name."""

    result: Result | Study
    traces: dict[str, tuple[str, ...]]


def _study(job: Job, workers: int | None, *, quiet: bool) -> Found:
    scenario, outputs = job.scenario, job.outputs
    runs = [(cell, seed) for cell, _ in enumerate(scenario.variants, 1) for seed in scenario.seeds]

    def simulate(progress: Callable[[int, int], None] | None) -> Found:
        study, traces = run_timed_study(
            scenario,
            job.name,
            jobs=workers,
            progress=progress,
            keep=outputs.keep,
            keep_trace=outputs.trace is not None,
        )
        names = [f"-{run_name(*run)}" for run in runs]
        return Found(study, dict(zip(names, traces, strict=True)))

    if quiet:
        return simulate(None)
    total_ns = None
    if all(variant.scenario.duration_ns is not None for variant in scenario.variants):
        lengths = [variant.scenario.duration_ns or 0 for variant in scenario.variants]
        total_ns = sum(lengths) * len(scenario.seeds)
    with RunProgress(scenario.title, total_ns) as line:
        return simulate(lambda done_ns, begun: line.update(done_ns, f"run {begun} of {len(runs)}"))


def _simulate(job: Job, *, quiet: bool) -> Found:
    scenario, outputs = job.scenario, job.outputs
    replay = replay_command(job.name, scenario.seed, scenario.source.options)

    def simulate(progress: Callable[[int], None] | None) -> Found:
        timed = run_timed(
            scenario,
            progress=progress,
            keep=outputs.keep,
            keep_trace=outputs.trace is not None,
            replay=replay,
        )
        return Found(timed.result, {"": timed.trace_lines})

    if quiet:
        return simulate(None)
    with RunProgress(scenario.title, scenario.duration_ns) as line:
        return simulate(line.update)


def _deliver(job: Job, found: Found, report: TextIO, *, quiet: bool) -> tuple[ExitCode, str]:
    """Writes the documents first: a closed pipe must not cost them. Then prints the report."""
    result = found.result
    code, verdict = EXIT_CODES[result.verdict], verdict_text(result.verdict)
    try:
        _write_documents(job, found)
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
