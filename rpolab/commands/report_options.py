"""The options for reports in files, as `run` and `report` have them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from rpolab.report_files import ReportOptions

_OPTIONS = (
    click.option(
        "--html",
        metavar="FILE",
        help="Write the report as one HTML file that needs nothing else; for several scenarios, "
        "an existing folder.",
    ),
    click.option(
        "--junit",
        metavar="FILE",
        help="Write JUnit XML with a case for each threshold; all scenarios go into one file.",
    ),
    click.option(
        "--markdown",
        metavar="FILE",
        help="Write a summary in Markdown, cut before 1 MiB; all scenarios go into one file.",
    ),
    click.option(
        "--annotations",
        metavar="FORM[=FILE]",
        help="Point at the scenario's line of each missed threshold, at most ten: 'github' prints "
        "workflow commands, 'gitlab' writes gl-code-quality-report.json.",
    ),
    click.option(
        "--ci",
        is_flag=True,
        help="Write what the CI system at hand shows: in a GitHub workflow, append the Markdown to "
        "the job's summary and print annotations; in a GitLab job, write the code quality file.",
    ),
)


def report_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options; it receives them together as `reports`."""

    @wraps(function)
    def collected(
        *args: Any,
        html: str | None,
        junit: str | None,
        markdown: str | None,
        annotations: str | None,
        ci: bool,
        **others: Any,
    ) -> Any:
        options = ReportOptions(html, junit, markdown, annotations, ci)
        return function(*args, reports=options, **others)

    decorated: Callable[..., Any] = collected
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
