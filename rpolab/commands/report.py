"""`rpolab report`: the reports of results that were stored as JSON."""

import os
import sys
from pathlib import Path
from typing import TextIO

import click

from reports import Result, ResultError, Study, load_document
from rpolab.commands.report_options import report_options
from rpolab.exit_codes import VERDICT_CODES, ExitCode, worst
from rpolab.failures import traceback_option
from rpolab.report_files import ReportOptions, plan_reports
from rpolab.terminal import closed_pipe_is_fine, complain, shown


@click.command("report")
@click.argument("names", nargs=-1, metavar="RESULT...")
@report_options
@click.option("--quiet", is_flag=True, help="Print no report, only errors.")
@traceback_option
def command(names: tuple[str, ...], *, reports: ReportOptions, quiet: bool) -> ExitCode:
    """Print results that `rpolab run --json` has written, and write reports of them.

    RESULT is a JSON file of one run or of a study. The exit code is that of the run it tells of,
    and 2 where a file is no result.
    """
    if not names:
        complain("rpolab: nothing was selected: name a file that `rpolab run --json` has written")
        return ExitCode.NOTHING
    documents = _read(names)
    if documents is None:
        return ExitCode.INVALID
    plan = plan_reports(names, reports, os.environ)
    stream = sys.stderr if plan.use_standard_output else sys.stdout
    for document in documents:
        plan.take(document)
        if not quiet:
            _print(document, stream)
    plan.finish(stream)
    return worst([VERDICT_CODES[document.verdict.value] for document in documents])


def _read(names: tuple[str, ...]) -> list[Result | Study] | None:
    """All documents, or None where one cannot be read; each such file is told."""
    documents: list[Result | Study] = []
    for name in names:
        try:
            documents.append(load_document(Path(name)))
        except ResultError as error:
            complain(f"Error: {shown(error)}")
    return documents if len(documents) == len(names) else None


def _print(document: Result | Study, stream: TextIO) -> None:
    from reports.study_terminal import print_study  # noqa: PLC0415 - rich, only where it is used
    from reports.terminal import print_result  # noqa: PLC0415 - likewise

    with closed_pipe_is_fine(stream):
        if isinstance(document, Result):
            print_result(document, file=stream)
        else:
            print_study(document, file=stream)
        stream.flush()
