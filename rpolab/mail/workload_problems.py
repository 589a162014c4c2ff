"""What is wrong with the files that a scenario's workload names, found by reading them."""

from collections.abc import Iterator

from emulators.exchange.input_files import BadRows, WorkloadFileError
from emulators.exchange.log_stats import read_log_stats
from emulators.exchange.mbox import read_mbox
from emulators.exchange.tracking_log import read_tracking_log
from scenarios import Problem, Scenario


def read_through(scenario: Scenario) -> tuple[list[Problem], list[Problem]]:
    """Reads the files from end to end; returns the problems, and the warnings if there is none."""
    bad_rows = BadRows()
    problems = list(workload_problems(scenario, bad_rows))
    return problems, [] if problems else list(_warnings_of(bad_rows))


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
