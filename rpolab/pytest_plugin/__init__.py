"""The pytest plugin: every threshold of every `*.rpolab.yaml` is a test.

This module is imported by each pytest that runs where rpolab is installed, so it imports nothing
but the standard library and pytest. Scenarios are read and run in child processes: nothing of the
laboratory, nor of the libraries it needs, enters the interpreter of the tests.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rpolab.pytest_plugin.items import ScenarioFile
    from rpolab.pytest_plugin.session import Session

SUFFIXES = (".rpolab.yaml", ".rpolab.yml")
INCONCLUSIVE = ("fail", "xfail", "skip")
JUNIT = ("case", "suite")
TIMEOUT_S = 900

SESSION: "pytest.StashKey[Session]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds what can be chosen for all scenarios of a session."""
    group = parser.getgroup("rpolab", "scenarios of rpolab (*.rpolab.yaml)")
    group.addoption(
        "--rpolab-seed",
        type=int,
        metavar="N",
        help="Take the place of each scenario's own seed.",
    )
    group.addoption(
        "--rpolab-results",
        metavar="FOLDER",
        help="Keep each scenario's result as JSON in this folder.",
    )
    group.addoption(
        "--rpolab-jobs",
        type=int,
        metavar="N",
        help="Processes for a scenario that is run several times; before the ini option.",
    )
    parser.addini(
        "rpolab_jobs",
        "Processes for a scenario that is run several times (default 1).",
        default="1",
    )
    parser.addini(
        "rpolab_timeout",
        f"Seconds that a scenario may take (default {TIMEOUT_S}).",
        default=str(TIMEOUT_S),
    )
    parser.addini(
        "rpolab_junit",
        "Where a threshold's figures stand in the JUnit file: in its case, as pytest writes them "
        "(the default), or in the suite, as Jenkins' schema has them.",
        default="case",
    )
    parser.addini(
        "rpolab_inconclusive",
        "What an inconclusive threshold is: fail (the default), xfail or skip.",
        default="fail",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuses wrong settings before anything is collected."""
    config.addinivalue_line("markers", "rpolab: a threshold of a scenario, judged by rpolab.")
    for name, words in (("rpolab_inconclusive", INCONCLUSIVE), ("rpolab_junit", JUNIT)):
        if (chosen := config.getini(name)) not in words:
            raise pytest.UsageError(f"{name} is {chosen!r}: write one of {', '.join(words)}")
    for name in ("rpolab_jobs", "rpolab_timeout"):
        if not (config.getini(name).isascii() and config.getini(name).isdigit()):
            raise pytest.UsageError(f"{name} is {config.getini(name)!r}: write a whole number")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Tells the seed of the session, where one was given."""
    seed = config.getoption("--rpolab-seed")
    return [] if seed is None else [f"rpolab: seed {seed} in place of each scenario's own"]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """Collects a scenario file; other files cost nothing."""
    if not file_path.name.endswith(SUFFIXES):
        return None
    from rpolab.pytest_plugin.items import ScenarioFile  # noqa: PLC0415 - rarely needed

    return ScenarioFile.from_parent(parent, path=file_path)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Gives a worker of pytest-xdist the folder in which all workers share the runs."""
    from rpolab.pytest_plugin.session import session_of  # noqa: PLC0415 - only with xdist

    node.workerinput["rpolab_folder"] = str(session_of(node.config).folder)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Puts the figures where they were asked for, once pytest has written the JUnit file."""
    config = session.config
    if config.getini("rpolab_junit") == "suite" and not hasattr(config, "workerinput"):
        from rpolab.pytest_plugin.junit import move_properties  # noqa: PLC0415 - on request

        move_properties(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the children, and removes the folder that this session made."""
    session = config.stash.get(SESSION, None)
    if session is not None:
        session.close()
