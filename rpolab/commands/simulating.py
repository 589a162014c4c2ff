"""Runs one scenario for the command line, once or as a study, with a line that tells how far."""

from collections.abc import Callable
from typing import NamedTuple

from reports import Result, Study
from reports.progress import RunProgress
from rpolab.outputs import Job
from rpolab.runs import replay_command, run_timed, with_seed
from rpolab.studies.running import run_name, run_timed_study
from scenarios import Problem, Scenario, ScenarioError


class Found(NamedTuple):
    """What was found, and the traces that were asked for, each with the end of its file's name."""

    result: Result | Study
    traces: dict[str, tuple[str, ...]]


def simulate(job: Job, *, workers: int | None, quiet: bool) -> Found:
    """Runs a job.

    Args:
        job: the scenario, and what to keep of it.
        workers: how many runs of a study at once; as many as there are processors without it.
        quiet: show no progress.

    Raises:
        ScenarioError: it cannot be run as written.
        WorkloadFileError: a file that its workload names cannot be used.
    """
    return _study(job, workers, quiet=quiet) if job.scenario.is_study else _run(job, quiet=quiet)


def seeded(scenario: Scenario, seed: int | None) -> Scenario:
    """The scenario with the seed of the command line, if there is one.

    Raises:
        ScenarioError: a study's last seed would be out of range.
    """
    try:
        return with_seed(scenario, seed)
    except ValueError as error:
        problem = Problem(f"--seed {seed}", 0, 0, "", str(error), "begin with a smaller one")
        raise ScenarioError((problem,)) from None


def _run(job: Job, *, quiet: bool) -> Found:
    scenario, outputs = job.scenario, job.outputs
    replay = replay_command(job.name, scenario.seed, scenario.source.options)

    def run(progress: Callable[[int], None] | None) -> Found:
        timed = run_timed(
            scenario,
            progress=progress,
            keep=outputs.keep,
            keep_trace=outputs.trace is not None,
            replay=replay,
        )
        return Found(timed.result, {"": timed.trace_lines})

    if quiet:
        return run(None)
    with RunProgress(scenario.title, scenario.duration_ns) as line:
        return run(line.update)


def _study(job: Job, workers: int | None, *, quiet: bool) -> Found:
    scenario, outputs = job.scenario, job.outputs
    names = [
        f"-{run_name(cell, seed)}"
        for cell, _ in enumerate(scenario.variants, 1)
        for seed in scenario.seeds
    ]

    def run(progress: Callable[[int, int], None] | None) -> Found:
        study, traces = run_timed_study(
            scenario,
            job.name,
            jobs=workers,
            progress=progress,
            keep=outputs.keep,
            keep_trace=outputs.trace is not None,
        )
        return Found(study, dict(zip(names, traces, strict=True)))

    if quiet:
        return run(None)
    with RunProgress(scenario.title, _length_ns(scenario)) as line:
        return run(lambda done_ns, begun: line.update(done_ns, f"run {begun} of {len(names)}"))


def _length_ns(scenario: Scenario) -> int | None:
    """The simulated time of all runs, None where the mail decides it."""
    lengths = [variant.scenario.duration_ns for variant in scenario.variants]
    known = [length_ns for length_ns in lengths if length_ns is not None]
    return sum(known) * len(scenario.seeds) if len(known) == len(lengths) else None
