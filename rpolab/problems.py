"""Reads scenarios for the command line, and words what is wrong with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from emulators.exchange.mbox import MboxError, read_mbox
from rpolab.terminal import shown
from scenarios import Checked, Problem, Scenario, check


@dataclass(frozen=True, slots=True)
class Reading:
    """What one name on the command line stands for, and what is wrong with it."""

    name: str
    scenario: Scenario | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def read(name: str, *, with_archive: bool) -> Reading:
    """Reads the scenario of that name.

    Args:
        name: a library name or a path.
        with_archive: read the replayed mail archive from end to end too.
    """
    checked: Checked = check(name)
    problems, scenario = list(checked.problems), checked.scenario
    if scenario is not None and with_archive:
        problems += archive_problems(scenario)
    return Reading(name, None if problems else scenario, tuple(problems), checked.warnings)


def archive_problems(scenario: Scenario) -> Iterator[Problem]:
    """Why the scenario's mail archive cannot be replayed: nothing, or the first reason."""
    path = scenario.mbox_path
    if path is None:
        return
    try:
        for _ in read_mbox(path):
            pass
    except MboxError as error:
        yield problem_of(error)
    except OSError as error:
        yield unreadable(path, error)


def problem_of(error: MboxError) -> Problem:
    """The error of a mail archive as a problem like any other."""
    return Problem(error.file, error.line, error.column, "", error.problem, error.hint)


def unreadable(path: Path, error: OSError) -> Problem:
    """The operating system's refusal of a mail archive as a problem."""
    message = f"the archive cannot be read: {error.strerror or error}"
    return Problem(str(path), 0, 0, "", message, "check its permissions")


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
