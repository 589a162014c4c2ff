"""Reads scenarios for the command line, and words what is wrong with them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from emulators.exchange.input_files import BadRows, WorkloadFileError
from emulators.exchange.log_stats import read_log_stats
from emulators.exchange.mbox import read_mbox
from emulators.exchange.tracking_log import read_tracking_log
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
    if scenario is not None and with_archive:
        bad_rows = BadRows()
        problems += workload_problems(scenario, bad_rows)
        if not problems:
            warnings += _warnings_of(bad_rows)
    return Reading(name, None if problems else scenario, tuple(problems), tuple(warnings))


def workload_problems(scenario: Scenario, bad_rows: BadRows) -> Iterator[Problem]:
    """Why a file of the scenario's workload cannot be used: nothing, or the first reason.

    Args:
        scenario: whose workload it is.
        bad_rows: told of each row that is left out.
    """
    try:
        _read_workload(scenario, bad_rows)
    except WorkloadFileError as error:
        yield problem_of(error)
    except OSError as error:
        yield unreadable(scenario, error)


def _read_workload(scenario: Scenario, bad_rows: BadRows) -> None:
    rows: Iterator[object] = iter(())
    if scenario.mbox_path is not None:
        rows = read_mbox(scenario.mbox_path)
    elif scenario.tracking_log_path is not None:
        rows = read_tracking_log(scenario.tracking_log_path, bad_rows)
    elif scenario.log_stats_path is not None:
        assert scenario.log_database is not None, "checked with the scenario"
        read_log_stats(scenario.log_stats_path, scenario.log_database, bad_rows)
    for _ in rows:
        pass


def _warnings_of(bad_rows: BadRows) -> Iterator[Problem]:
    """Each of the first rows left out, and how many there are."""
    hint = f"{bad_rows.count} of the file's rows are left out"
    for row in bad_rows.first:
        yield Problem(row.file, row.line, row.column, "", f"row left out: {row.reason}", hint)


def problem_of(error: WorkloadFileError) -> Problem:
    """The error of a workload's file as a problem like any other."""
    return Problem(error.file, error.line, error.column, "", error.problem, error.hint)


def unreadable(scenario: Scenario, error: OSError) -> Problem:
    """The operating system's refusal of a workload's file as a problem."""
    file = error.filename or scenario.workload_path
    message = f"the file cannot be read: {error.strerror or error}"
    return Problem(str(file), 0, 0, "", message, "check its permissions")


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
