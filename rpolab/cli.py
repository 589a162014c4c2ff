"""The command `rpolab`: finds the subcommand, and turns whatever happens into an exit code.

A subcommand's module is imported when it is used, so that `rpolab --help` answers at once.
"""

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NamedTuple

import click

from rpolab.exit_codes import ExitCode
from rpolab.failures import Failures, traceback_option
from rpolab.terminal import complain, prepare_streams, silence


class _Entry(NamedTuple):
    module: str
    help: str


COMMANDS = {
    "run": _Entry("rpolab.commands.run", "Run scenarios and report which mail was lost."),
    "list": _Entry("rpolab.commands.list_library", "List the scenarios of the library."),
    "report": _Entry("rpolab.commands.report", "Write reports of stored results."),
    "new": _Entry("rpolab.commands.new", "Write a scenario to begin with."),
    "check": _Entry("rpolab.commands.check", "Find everything that is wrong with scenarios."),
    "history": _Entry("rpolab.commands.history", "List the runs kept, and how figures went."),
    "compare": _Entry("rpolab.commands.compare", "Compare two results, or one with a baseline."),
    "prune": _Entry("rpolab.commands.prune", "Forget old runs, and sweep what was left."),
    "schema": _Entry("rpolab.commands.schema", "Print the JSON Schema of a scenario or a result."),
    "eseutil": _Entry("rpolab.commands.eseutil", "The emulated eseutil, on real files."),
    "isinteg": _Entry("rpolab.commands.isinteg", "The emulated isinteg, on a real database."),
}


class _LazyGroup(click.Group):
    """A group whose subcommands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which they are listed."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports a subcommand."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name].module).command
        assert isinstance(command, click.Command), f"{cmd_name} is no command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes names and their help without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the subcommand that was asked for, or says which one may have been meant."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            likely = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean '{likely[0]}'?" if likely else f"there are: {', '.join(COMMANDS)}"
            ctx.fail(f"there is no command '{args[0]}' ({hint})")
        return super().resolve_command(ctx, args)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rpolab", message="%(prog)s %(version)s")
@traceback_option
def cli() -> None:
    """Run a real data protection engine against an emulated Exchange, and break things.

    \b
    Exit codes: 0 thresholds met, 1 missed, 2 usage or invalid scenario, 3 harness or
    engine error, 4 inconclusive or not exercised, 5 nothing selected, 130 interrupted.
    """  # noqa: D301 - click wants the character itself: it ends a paragraph's folding


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code.

    Args:
        arguments: what follows the program's name; the process's own when left out.
    """
    # Plugins of pydantic are for other programs: looking for them takes longer than a check.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    prepare_streams()
    failures = Failures()
    code = _run(None if arguments is None else list(arguments), failures)
    return _flush(code)


def _run(arguments: list[str] | None, failures: Failures) -> int:
    try:
        code: Any = cli.main(arguments, "rpolab", standalone_mode=False, obj=failures)
    except SystemExit:
        return ExitCode.MET  # click's answer to a pipe that closed under a help text
    except Exception as error:  # noqa: BLE001 - whatever it is: one message and an exit code
        return _failed(error, failures)
    return code if isinstance(code, int) else ExitCode.MET


def _failed(error: Exception, failures: Failures) -> ExitCode:
    """Says what ended the command, and returns the exit code for it."""
    if isinstance(error, click.ClickException):
        error.show()
        return ExitCode.INVALID
    if isinstance(error, click.Abort):
        complain("rpolab: interrupted")
        return ExitCode.INTERRUPTED
    if isinstance(error, OSError) and error.filename is None:
        return _output_failed(error)
    return failures.report(error)


def _flush(code: int) -> int:
    """Writes what is still held back; a result that nobody could receive is no success."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        return _output_failed(error)
    return code


def _output_failed(error: OSError) -> ExitCode:
    """An error that names no file is that of an output stream: a full disk, say."""
    silence(sys.stdout)
    complain(f"rpolab: the output cannot be written: {error.strerror or error}")
    return ExitCode.BROKEN
