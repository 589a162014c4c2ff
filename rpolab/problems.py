"""Reads scenarios for the command line, and words what is wrong with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rpolab.terminal import shown
from scenarios import Checked, Problem, Scenario, check


@dataclass(frozen=True, slots=True)
class Reading:
    """What one name on the command line stands for, and what is wrong with it."""

    name: str
    scenario: Scenario | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def read(name: str, *, with_archive: bool, settings: Sequence[str] = ()) -> Reading:
    """Reads the scenario of that name.

    Args:
        name: a library name or a path.
        with_archive: read the files of its workload from end to end too.
        settings: what the options --set put in place of the file's values.
    """
    checked: Checked = check(name, settings)
    problems, scenario = list(checked.problems), checked.scenario
    warnings = list(checked.warnings)
    if scenario is not None and scenario.workload_path is not None and with_archive:
        # The readers of mail are imported only where there is mail to read.
        from rpolab.mail.workload_problems import read_through  # noqa: PLC0415 - see above

        bad, doubtful = read_through(scenario)
        problems += bad
        warnings += doubtful
    return Reading(name, None if problems else scenario, tuple(problems), tuple(warnings))


def line_of(problem: Problem, level: str = "error") -> str:
    """A problem on one line: place, level, what is wrong, and a hint."""
    return shown(replace(problem, message=f"{level}: {problem.message}"))


def lines_of(readings: Iterable[Reading]) -> list[str]:
    """All problems and warnings, by file, line and column, one line each."""
    found = [
        (problem, level)
        for reading in readings
        for level, problems in (("error", reading.problems), ("warning", reading.warnings))
        for problem in problems
    ]
    unique = dict.fromkeys(sorted(found))
    return [line_of(problem, level) for problem, level in unique]
