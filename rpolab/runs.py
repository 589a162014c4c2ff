"""Runs scenarios and notes how long that really took."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reports import Result
from rpolab.experiment import run_scenario
from rpolab.wall_clock import Stopwatch
from scenarios import Scenario, load
from scenarios.model import SEED_MAX


def run(scenario: Scenario | str | Path, *, seed: int | None = None) -> Result:
    """Runs a scenario and returns what was found.

    Args:
        scenario: a library name, the path of a scenario file, or a scenario.
        seed: takes the place of the scenario's own; the same seed gives the same run.

    Raises:
        ScenarioError: the scenario cannot be run as written; it says where and why.
        WorkloadFileError: a file that its workload names cannot be used.
        ValueError: the seed is out of range.
    """
    if isinstance(scenario, Scenario):
        return run_timed(with_seed(scenario, seed)).result
    chosen = with_seed(load(scenario), seed)
    return run_timed(chosen, replay=replay_command(str(scenario), chosen.seed)).result


def with_seed(scenario: Scenario, seed: int | None) -> Scenario:
    """The scenario with another seed; the same scenario when none is given."""
    if seed is None:
        return scenario
    if not 0 <= seed <= SEED_MAX:
        raise ValueError(f"the seed {seed} is out of range: write a number from 0 to {SEED_MAX}")
    return scenario.model_copy(update={"seed": seed})


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
