"""What the exit code of the command says."""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """One meaning for each exit code, the same for all commands."""

    MET = 0
    """All thresholds are met; for a tool: it did what was asked, and found no fault."""
    MISSED = 1
    """A threshold is missed; for a tool: it found damage, or ended with a JET error."""
    INVALID = 2
    """The command line, a scenario, an archive or an output is wrong: nothing was judged."""
    BROKEN = 3
    """The harness or the engine failed: there is no verdict."""
    OPEN = 4
    """The verdict is inconclusive, or something was not exercised, or there is no threshold."""
    NOTHING = 5
    """Nothing was selected."""
    INTERRUPTED = 130
    """Ctrl-C, as shells report it."""


VERDICT_CODES = {
    "met": ExitCode.MET,
    "missed": ExitCode.MISSED,
    "inconclusive": ExitCode.OPEN,
    "not_exercised": ExitCode.OPEN,
}
"""The exit code of a run by the word of its verdict."""

_SEVERITY = (ExitCode.BROKEN, ExitCode.INVALID, ExitCode.MISSED, ExitCode.OPEN, ExitCode.MET)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The exit code of several runs together: the most severe; without any, nothing selected."""
    found = list(codes)
    return next((code for code in _SEVERITY if code in found), ExitCode.NOTHING)
