"""What all tests share: figures that are printed at the end of the run."""

from collections.abc import Callable

import pytest

FIGURE = "figure"


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a count or a time of this test; the run's summary prints it, also with xdist."""

    def note(text: str) -> None:
        request.node.user_properties.append((FIGURE, f"{request.node.name}: {text}"))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed")
    figures = [
        text
        for report in reports
        if report.when == "call"
        for name, text in report.user_properties
        if name == FIGURE
    ]
    if figures:
        terminalreporter.section("figures")
        for text in figures:
            terminalreporter.line(text)
