"""Runs a study: every choice of values with every seed, judged together."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from reports import Cell, Result, Study, Verdict, worst_verdict
from rpolab.runs import program, replay_command, with_seed
from rpolab.studies.pooling import judge_together
from rpolab.studies.workers import Task, processors, run_all
from rpolab.wall_clock import Stopwatch
from scenarios import Scenario, Variant, load

Progress = Callable[[int, int], None]
"""Called with the nanoseconds simulated in all runs together, and the number of runs begun."""


class FinishedStudy(NamedTuple):
    """What a study found, and the trace's lines of each run in order, if they were kept."""

    study: Study
    traces: tuple[tuple[str, ...], ...] = ()


def run_study(
    scenario: Scenario | str | Path,
    *,
    seed: int | None = None,
    settings: Sequence[str] = (),
    jobs: int | None = None,
) -> Study:
    """Runs a scenario with all values that it varies and all its seeds.

    Args:
        scenario: a library name, the path of a scenario file, or a scenario.
        seed: takes the place of the first seed; each next run adds one.
        settings: values in place of the file's, such as 'replications=20'; only for a name or path.
        jobs: how many runs at once; as many as the machine has processors when left out.

    Raises:
        ScenarioError: the scenario cannot be run as written; it says where and why.
        WorkloadFileError: a file that its workload names cannot be used.
        ValueError: the seed is out of range.
        WorkerLostError: a process ended without a result.
    """
    name = "" if isinstance(scenario, Scenario) else str(scenario)
    read = scenario if isinstance(scenario, Scenario) else load(scenario, settings)
    return run_timed_study(with_seed(read, seed), name, jobs=jobs).study


def run_timed_study(
    scenario: Scenario,
    name: str,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    keep: Path | None = None,
    keep_trace: bool = False,
) -> FinishedStudy:
    """Runs a study, and fills in what only the machine knows.

    Args:
        scenario: what to run.
        name: what it was asked for by, for the command that repeats it; empty for none.
        jobs: how many runs at once.
        progress: told how far all runs together are.
        keep: an existing folder; each run has a folder in it, 'cell-seed'.
        keep_trace: return the trace's lines too.
    """
    watch = Stopwatch()
    tasks = [
        Task(
            _one_run(variant.scenario, seed),
            _replay(name, scenario, variant, seed),
            None if keep is None else keep / run_name(number, seed),
            keep_trace,
        )
        for number, variant in enumerate(scenario.variants, 1)
        for seed in scenario.seeds
    ]
    for task in tasks:
        if task.keep is not None:
            task.keep.mkdir()
    told = None if progress is None else _Together(progress)
    timed = run_all(tasks, processors() if jobs is None else jobs, told)
    results = [run.result for run in timed]
    count = len(scenario.seeds)
    cells = tuple(
        _cell(variant, results[number * count : (number + 1) * count])
        for number, variant in enumerate(scenario.variants)
    )
    study = Study(
        program=program(),
        scenario=results[0].scenario.model_copy(update={"title": scenario.title}),
        verdict=worst_verdict(cell.verdict for cell in cells),
        cells=cells,
        wall_s=watch.elapsed_s(),
        replay=_replay_study(name, scenario),
    )
    return FinishedStudy(study, tuple(run.trace_lines for run in timed))


def _one_run(scenario: Scenario, seed: int) -> Scenario:
    return with_seed(scenario.model_copy(update={"replications": None}), seed)


def run_name(cell: int, seed: int) -> str:
    """What the files of one run of a study are called; cells are counted from 1."""
    return f"{cell}-{seed}"


def _replay(name: str, scenario: Scenario, variant: Variant, seed: int) -> str:
    """The command that repeats one run of the study, by itself."""
    if not name:
        return ""
    options = [*scenario.source.options]
    options += [f"{path}={value}" for path, value in variant.settings.items()]
    if scenario.replications is not None:
        options.append("replications=1")
    return replay_command(name, seed, options)


def _replay_study(name: str, scenario: Scenario) -> str:
    return replay_command(name, scenario.seeds[0], scenario.source.options) if name else ""


def _cell(variant: Variant, runs: Sequence[Result]) -> Cell:
    thresholds = judge_together(variant.scenario, runs)
    verdict = worst_verdict(threshold.verdict for threshold in thresholds)
    if verdict is Verdict.MET and _left_unexercised(runs):
        verdict = Verdict.NOT_EXERCISED
    return Cell(
        name=variant.name,
        settings=variant.settings,
        runs=tuple(runs),
        thresholds=thresholds,
        verdict=verdict,
    )


def _left_unexercised(runs: Sequence[Result]) -> bool:
    """Whether a fault that should have fired has done so in none of the runs."""
    fired = {fault.kind for run in runs for fault in run.faults if fault.fired}
    return any(
        run.verdict is Verdict.NOT_EXERCISED
        and any(not fault.fired and fault.kind not in fired for fault in run.faults)
        for run in runs
    )


class _Together:
    """Adds up how far all runs are."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._simulated_ns: dict[int, int] = {}

    def __call__(self, task: int, simulated_ns: int) -> None:
        self._simulated_ns[task] = simulated_ns
        self._progress(sum(self._simulated_ns.values()), len(self._simulated_ns))
