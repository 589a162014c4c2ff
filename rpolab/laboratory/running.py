"""Runs a scenario from beginning to end."""

from pathlib import Path
from typing import NamedTuple

from reports import Result
from rpolab.laboratory.experiment import Experiment, Progress
from rpolab.laboratory.own_parts import blamed
from scenarios import Scenario


class Finished(NamedTuple):
    """What a run found, its real times still 0; and the trace's lines, if they were kept."""

    result: Result
    trace_lines: tuple[str, ...]


def run_scenario(
    scenario: Scenario,
    *,
    progress: Progress | None = None,
    keep: Path | None = None,
    keep_trace: bool = False,
    replay: str = "",
) -> Finished:
    """Run a scenario from beginning to end.

    Raises:
        WorkloadFileError: a file of the workload cannot be used.
        HookFailed: what another package brings failed.
    """
    experiment = Experiment(scenario, keep=keep, keep_trace=keep_trace)
    try:
        experiment.run(progress)
        result = experiment.result(replay)
    except Exception as error:
        if (failed := blamed(error, scenario)) is not None:
            raise failed from error
        raise
    finally:
        experiment.kernel.close()
    return Finished(result, tuple(experiment.laboratory.trace.lines or ()))
