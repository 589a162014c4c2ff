"""`rpolab isinteg`: the emulated isinteg on a real database file.

The original asks the store service of a server which of its databases to test; here the database
is a file. A switch begins with '-' or '/', in any case.
"""

from pathlib import Path
from typing import NamedTuple

import click

from emulators.ese.errors import EseError
from emulators.ese.file_set import DirectoryFiles
from emulators.exchange import isinteg
from emulators.exchange.isinteg_report import report
from emulators.exchange.isinteg_tests import TESTS, IntegrityTest
from rpolab.eseutil.named_paths import named_path
from rpolab.eseutil.switches import SwitchCommand, switch_of
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import complain, say, shown
from rpolab.wall_clock import Stopwatch

_USAGE = "try 'rpolab isinteg --help'"
_WITH_VALUE = ("-s", "-l", "-test")
_FLAGS = ("-fix", "-verbose")
_NOT_HERE = {"-t": "the reference counts are kept in memory, not in a temporary database"}

_HELP = f"""Test whether the tables of a store agree with each other, as isinteg does.

\b
rpolab isinteg FILE [-fix] [-verbose] [-l LOG] [-s SERVER] -test NAME,NAME...

\b
-test     {", ".join(test.name for test in TESTS[:5])},
          {", ".join(test.name for test in TESTS[5:])};
          allfoldertests, alltests
-fix      repair what is wrong; repeat until there are 0 errors
-verbose  show each thing that is wrong
-l        write the text to a new file as well
-s        the server's name, for the text alone

The database must be in Clean Shutdown ('rpolab eseutil /r' makes it so).

A clean run is no evidence that no mail is lost: a database that was rolled back as a whole, because
logs are lost or an older image was mounted, agrees with itself. isinteg sees mailboxes, folders,
messages, attachments and their counts; it does not see what is not there any more.

Exit codes: 0 no errors, 1 errors found (repaired or not) or a JET error, 2 wrong usage.
"""


class _Wanted(NamedTuple):
    path: Path
    tests: tuple[IntegrityTest, ...]
    is_fixing: bool
    is_verbose: bool
    log: Path | None
    server: str


@click.command(
    "isinteg",
    cls=SwitchCommand,
    help=_HELP,
    options_metavar="",
    context_settings={"help_option_names": ["--help"]},
)
@click.argument("arguments", nargs=-1, metavar="FILE -test NAMES ...")
@traceback_option
@click.pass_context
def command(context: click.Context, arguments: tuple[str, ...]) -> ExitCode:
    """Makes the tests."""
    if not arguments or _switch(arguments[0]) == "-?":
        say(context.get_help())
        return ExitCode.MET if arguments else ExitCode.INVALID
    wanted = _parsed(arguments)
    work = isinteg.fix if wanted.is_fixing else isinteg.check
    files = DirectoryFiles(wanted.path.parent)
    try:
        results = work(files, wanted.path.name, wanted.tests, elapsed_s=Stopwatch().elapsed_s)
    except EseError as error:
        complain(f"isinteg: {error}")
        return ExitCode.MISSED
    head = f"Server name: {wanted.server}\n" if wanted.server else ""
    mode = "check and fix" if wanted.is_fixing else "check"
    text = f"{head}Store path: {wanted.path}\nCheck mode: {mode}\n\n"
    text += report(results, is_verbose=wanted.is_verbose)
    say(text)
    if wanted.log is not None:
        _keep(text, wanted.log)
    return ExitCode.MISSED if any(result.errors for result in results) else ExitCode.MET


def _parsed(arguments: tuple[str, ...]) -> _Wanted:
    values: dict[str, str] = {}
    flags: list[str] = []
    paths: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        switch = _switch(argument)
        if switch in _WITH_VALUE:
            values[switch] = _value(switch, next(rest, None), values)
        elif switch in _FLAGS:
            flags.append(switch)
        elif switch in _NOT_HERE:
            raise click.UsageError(f"{switch} is not emulated: {_NOT_HERE[switch]}")
        elif argument[:1] == "-":
            raise click.UsageError(f"isinteg has no switch {shown(argument)}; {_USAGE}")
        else:
            paths.append(argument)
    if len(paths) != 1:
        raise click.UsageError(f"isinteg takes one file, {len(paths)} are given; {_USAGE}")
    if named_path(paths[0]).is_dir():
        raise click.UsageError(f"{shown(paths[0])} is a folder: name a database in it")
    return _Wanted(
        Path(paths[0]),
        _tests(values),
        "-fix" in flags,
        "-verbose" in flags,
        _log(values),
        values.get("-s", ""),
    )


def _tests(values: dict[str, str]) -> tuple[IntegrityTest, ...]:
    if "-test" not in values:
        raise click.UsageError(f"-test is missing: '-test alltests' makes all of them; {_USAGE}")
    try:
        return isinteg.tests_named([name.strip() for name in values["-test"].split(",")])
    except isinteg.UnknownTest as unknown:
        raise click.UsageError(str(unknown)) from None


def _log(values: dict[str, str]) -> Path | None:
    """Return where the text is to be written: a file that is not there, so that none is lost."""
    if "-l" not in values:
        return None
    log = named_path(values["-l"])
    if log.exists():
        raise click.UsageError(f"-l {shown(log)} is there already: name a new file")
    if not log.parent.is_dir():
        raise click.UsageError(f"-l {shown(log)}: there is no such folder")
    return log


def _keep(text: str, log: Path) -> None:
    try:
        with log.open("x", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except OSError as error:
        raise click.UsageError(f"-l {shown(log)}: {error.strerror}") from None


def _value(switch: str, value: str | None, given: dict[str, str]) -> str:
    if value is None:
        raise click.UsageError(f"{switch} takes a value; {_USAGE}")
    if switch in given:
        raise click.UsageError(f"{switch} is given twice")
    return value


def _switch(argument: str) -> str:
    """An argument in the way the tables write switches: a path may begin with '/' all the same."""
    switch = switch_of(argument, "-")
    return switch if switch in (*_WITH_VALUE, *_FLAGS, *_NOT_HERE, "-?") else argument
