"""What the engine's tests share: their harness by name, and two tables at the end of a run.

One lists every sweep that crashes after each action, the other every planted bug and what found it:
each test tells its own line through a fixture, so that the tables say what was really run.
"""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

CRASHES, PLANTED = "crashes", "planted"
#: What issue 4 wants to be crashed after every action, and the rest of what acts by itself.
ROWS = (
    "capture",
    "ship",
    "seal",
    "merge",
    "retention",
    "resync",
    "promote",
    "failback",
    "fanout",
    "repair",
    "re-seed",
)


@pytest.fixture
def crashes(request: pytest.FixtureRequest) -> Callable[[str, int, int], None]:
    """Note that a sweep of a row crashed at so many actions, and checked so many points."""

    def note(row: str, actions: int, points: int) -> None:
        assert row in ROWS
        assert actions > 0
        assert points > 0
        request.node.user_properties.append((CRASHES, (row, actions, points)))

    return note


@pytest.fixture
def planted(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Note that a planted bug was found, and after how many seeds, points or histories."""

    def note(bug: str, found_at: object) -> None:
        module = request.node.nodeid.split("::")[0].removeprefix("tests/engine/")
        line = bug.replace("_", " "), module.removesuffix(".py"), str(found_at)
        request.node.user_properties.append((PLANTED, line))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [
        (name, value)
        for report in terminalreporter.getreports("passed")
        if report.when == "call"
        for name, value in report.user_properties
    ]
    _tell_crashes(terminalreporter, [value for name, value in told if name == CRASHES])
    _tell_planted(terminalreporter, [value for name, value in told if name == PLANTED])


def _tell_crashes(terminalreporter, rows) -> None:
    if not rows:
        return
    actions, points = Counter(), Counter()
    for row, acted, checked in rows:
        actions[row] += acted
        points[row] += checked
    terminalreporter.section("a crash after every action: all points right")
    terminalreporter.line(f"{'row':<12}{'crashed at':>12}{'points checked':>16}")
    for row in ROWS:
        if row in actions:
            terminalreporter.line(f"{row:<12}{actions[row]:>12,}{points[row]:>16,}")


def _tell_planted(terminalreporter, bugs) -> None:
    if not bugs:
        return
    terminalreporter.section(f"planted bugs: {len(bugs)} of {len(bugs)} found")
    for bug, module, found_at in sorted(bugs, key=lambda line: line[1:2] + line[:1]):
        terminalreporter.line(f"{bug:<78} {module:<36} {found_at}")
