"""What all tests share: figures that are printed at the end of the run, beside the time."""

import os
from collections.abc import Callable

import pytest

# What tests run is not kept beside where they stand; a test of the store says which one it means.
os.environ["RPOLAB_STORE"] = "off"

FIGURE = "figure"


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a count of this test; the run's summary prints it and how long the test took.

    It does so with xdist, too.
    """

    def note(text: str) -> None:
        request.node.user_properties.append((FIGURE, f"{request.node.name}: {text}"))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed")
    figures = [
        f"{text} ({report.duration:.1f} s)"
        for report in reports
        if report.when == "call"
        for name, text in report.user_properties
        if name == FIGURE
    ]
    if figures:
        terminalreporter.section("figures")
        for text in figures:
            terminalreporter.line(text)
