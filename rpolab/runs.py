"""Runs scenarios and notes how long that really took."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reports import Result
from rpolab.laboratory.running import run_scenario
from rpolab.wall_clock import Stopwatch
from scenarios import Scenario, load
from scenarios.model import SEED_MAX


def run(
    scenario: Scenario | str | Path,
    *,
    seed: int | None = None,
    progress: Callable[[int], None] | None = None,
    keep: Path | None = None,
) -> Result:
    """Runs a scenario and returns what was found.

    Args:
        scenario: a library name, the path of a scenario file, or a scenario.
        seed: takes the place of the scenario's own; the same seed gives the same run.
        progress: called now and then with the simulated time in nanoseconds.
        keep: a folder for the recovered files, made if it does not exist.

    Raises:
        ScenarioError: the scenario cannot be run as written; it says where and why.
        WorkloadFileError: a file that its workload names cannot be used.
        HookFailed: what another package brings failed.
        OSError: the folder cannot be made.
        ValueError: the seed is out of range, or the scenario is a study.
    """
    loaded = scenario if isinstance(scenario, Scenario) else load(scenario)
    chosen = with_seed(loaded, seed)
    if chosen.is_study:
        raise ValueError(f"'{chosen.title}' is a study of several runs: use rpolab.run_study")
    is_named = not isinstance(scenario, Scenario)
    replay = replay_command(str(scenario), chosen.seed) if is_named else ""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    return run_timed(chosen, progress=progress, keep=keep, replay=replay).result


def with_seed(scenario: Scenario, seed: int | None) -> Scenario:
    """The scenario with another seed, the first of its replications; the same without one."""
    if seed is None:
        return scenario
    if not 0 <= seed <= SEED_MAX:
        raise ValueError(f"the seed {seed} is out of range: write a number from 0 to {SEED_MAX}")
    plan = scenario.replications
    if plan is not None and seed + plan.count - 1 > SEED_MAX:
        raise ValueError(f"the last of {plan.count} seeds from {seed} is more than {SEED_MAX}")
    again = None if plan is None else plan.model_copy(update={"first_seed": None})
    return scenario.model_copy(update={"seed": seed, "replications": again})


def replay_command(name: str, seed: int, options: Sequence[str] = ()) -> str:
    """The shell command that repeats a run, for whoever stands in the same folder.

    Args:
        name: what the scenario was asked for by.
        seed: of the run.
        options: what was set with --set.
    """
    shown = f"./{name}" if name.startswith("-") else name
    settings = "".join(f" --set {shlex.quote(option)}" for option in options)
    return f"rpolab run {shlex.quote(shown)}{settings} --seed {seed}"


@dataclass(frozen=True, slots=True)
class TimedRun:
    """A result with its real time, and the trace's lines if they were asked for."""

    result: Result
    trace_lines: tuple[str, ...] = ()


def run_timed(
    scenario: Scenario,
    *,
    progress: Callable[[int], None] | None = None,
    keep: Path | None = None,
    keep_trace: bool = False,
    replay: str = "",
) -> TimedRun:
    """Runs a scenario, and fills in what only the machine and the package know.

    Args:
        scenario: what to run.
        progress: called with the simulated nanoseconds now and then.
        keep: an existing folder for the recovered files.
        keep_trace: return the trace's lines too.
        replay: the command that repeats the run.
    """
    watch = Stopwatch()
    result, lines = run_scenario(
        scenario, progress=progress, keep=keep, keep_trace=keep_trace, replay=replay
    )
    wall_s = watch.elapsed_s()
    speed = result.events / wall_s if wall_s else 0.0
    filled = {"wall_s": wall_s, "events_per_s": round(speed, 3), "program": program()}
    return TimedRun(result.model_copy(update=filled), lines)


@cache
def program() -> str:
    """The program and its version."""
    try:
        return f"rpolab {version('rpolab')}"
    except PackageNotFoundError:
        return "rpolab"
