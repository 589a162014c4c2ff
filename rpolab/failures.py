"""Failures that should not happen: one line and a hint, or the whole traceback on request."""

import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, TypeVar

import click

from rpolab.exit_codes import ExitCode
from rpolab.terminal import complain, shown

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

HINT = (
    "this is a fault of rpolab or of the engine, not of your scenario; "
    "run it again with --traceback (or RPOLAB_TRACEBACK=1) and report what is printed"
)


class FailureOfOthers(RuntimeError):  # noqa: N818 - named for what happened
    """Something failed that is not rpolab's; `hint` says whose it is."""

    hint = ""


class Failures:
    """Reports unexpected exceptions; `with_traceback` says how much of them."""

    def __init__(self) -> None:
        self.with_traceback = False

    def report(self, error: Exception, doing: str = "") -> ExitCode:
        """Prints an exception, and returns the exit code that it gives.

        Args:
            error: what was raised.
            doing: what failed, such as a scenario's name.
        """
        if self.with_traceback:
            complain("".join(traceback.format_exception(error)))
        place = f"{doing}: " if doing else ""
        if isinstance(error, FailureOfOthers):
            complain(shown(f"rpolab: {place}{error} (hint: {error.hint})"))
            return ExitCode.BROKEN
        text = " ".join(str(error).split())
        what = f"{type(error).__name__}: {text}" if text else type(error).__name__
        complain(shown(f"rpolab: {place}internal error{_location(error)}: {what} (hint: {HINT})"))
        return ExitCode.BROKEN


def traceback_option(function: Decorated) -> Decorated:
    """Gives a command the option --traceback."""
    return click.option(
        "--traceback",
        is_flag=True,
        envvar="RPOLAB_TRACEBACK",
        expose_value=False,
        is_eager=True,
        callback=_note,
        help="Print where an internal error came from.",
    )(function)


def _note(
    context: click.Context,
    _parameter: click.Parameter,
    value: bool,  # noqa: FBT001 - click calls it so
) -> None:
    if value:
        context.ensure_object(Failures).with_traceback = True


def _location(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    path = PurePath(frames[-1].filename)
    return f" at {'/'.join(path.parts[-2:])}:{frames[-1].lineno}"
