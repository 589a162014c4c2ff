"""`rpolab eseutil`: the emulated eseutil on real files, with the switches of the original.

A switch begins with '/' or '-', in any case. What follows a switch that takes a value is always
that value, so that a path may begin with '/'.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from emulators.ese.errors import EseError
from emulators.ese.file_set import DirectoryFiles
from emulators.ese.tools.dump import Report
from emulators.ese.tools.eseutil import MODES, file_dump, report
from rpolab.eseutil.maintenance import MAINTENANCE_MODES, maintain, read_arguments
from rpolab.eseutil.named_paths import named_folder, named_path
from rpolab.eseutil.recovery import BASE_LENGTH, RecoveryFolders, recover
from rpolab.eseutil.restore import RESTORE_MODES, look_at_or_recover, read_restore_arguments
from rpolab.eseutil.switches import SwitchCommand, is_marked, switch_of
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import say, shown
from rpolab.wall_clock import Stopwatch, calendar_ns

_USAGE = "try 'rpolab eseutil --help'"
_FOLDER_SWITCHES = ("/l", "/s", "/d")
_IGNORE_SWITCH = "/i"
_FLAG_SWITCHES = (_IGNORE_SWITCH, "/a", "/v")
_RECOVERY = "/r"
_FILE_MODES = ("/mh", "/ml", "/mk", "/ms", "/mm", "/k")
_MODES = (*_FILE_MODES, *MAINTENANCE_MODES, _RECOVERY, *RESTORE_MODES)

_HELP = """Look at the files of a storage group, repair or recover it, as eseutil does.

\b
/mh FILE          the header of a database: its state, the logs that it needs
/ml FILE or BASE  a log file, or all logs of a base name such as E00
/mk FILE          a checkpoint file
/ms FILE          the pages that each table and index of a database owns
/mm FILE          the tables, indexes and columns of a database
/k  FILE or BASE  checksums of a database, a log, a checkpoint, or all logs
/g  FILE          integrity: the structure of a clean database, page by page
/p  FILE [/t NAME]
                  repair: makes a database anew from what can be read, and
                  says what it lost; for a database whose logs are gone
/d  FILE [/t NAME] [/b NAME] [/p]
                  defragmentation: copies a clean database into a new file
/r  BASE [/l FOLDER] [/s FOLDER] [/d FOLDER] [/i] [/a] [/v]
                  soft recovery: brings the database to Clean Shutdown
/cm FOLDER        what a restore of a streaming backup left in restore.env
/cc FOLDER [/f FOLDER] [/d FOLDER] [/t] [/k] [/v]
                  hard recovery of a restored streaming backup

\b
The new file of /p and /d takes the database's place when it is complete. Until
then it lies beside it under the name of /t; there must be room for it. /b
keeps the old file under that name, and /d with /p leaves the database where
it is and the new file beside it.

\b
The folders of /r are those of the logs (/l; the current one when left out),
of the checkpoint (/s) and of the database (/d; both that of the logs when
left out). /i leaves out databases that do not belong to the logs. /a goes on
without logs whose loss the database can stand: what was committed in them is
gone, and the ending says so. /v, a switch of our own, shows the events.

\b
The folder of /cm and /cc is the restore folder. /d, a switch of our own, names
the folder of the restored databases and /f that of the group's own logs (that
of /d when left out): they are replayed after the backup's, where they go on
from there. /t stops at the end of the backup. /k leaves the restore folder as
it is; without it, a recovery that succeeds empties it.

Switches may be in upper case, and may begin with '-'.

Exit codes: 0 nothing wrong (or a warning), 1 damage or a JET error, 2 wrong usage.
"""


@click.command(
    "eseutil",
    cls=SwitchCommand,
    help=_HELP,
    options_metavar="",
    context_settings={"help_option_names": ["--help"]},
)
@click.argument("arguments", nargs=-1, metavar="MODE ...")
@traceback_option
@click.pass_context
def command(context: click.Context, arguments: tuple[str, ...]) -> ExitCode:
    """Does what the mode says."""
    if arguments and switch_of(arguments[0]) == "/?":
        say(context.get_help())
        return ExitCode.MET
    if not arguments:
        raise click.UsageError(f"a mode is missing: {', '.join(_MODES)}; {_USAGE}")
    mode, rest = switch_of(arguments[0]), arguments[1:]
    if mode == _RECOVERY:
        return _recovery(rest)
    if mode in _FILE_MODES:
        return _look_at(mode, rest)
    if mode in MAINTENANCE_MODES:
        given = read_arguments(mode, rest)
        return _finish(mode, lambda: maintain(mode, given, now_ns=calendar_ns()))
    if mode in RESTORE_MODES:
        restored = read_restore_arguments(mode, rest)
        return _finish(mode, lambda: look_at_or_recover(mode, restored, now_ns=calendar_ns()))
    what = "is not emulated" if mode in MODES else "is no mode"
    raise click.UsageError(f"{shown(arguments[0])} {what}: there are {', '.join(_MODES)}")


def _look_at(mode: str, rest: Sequence[str]) -> ExitCode:
    # /i excuses a streaming file that does not match (exchange.md 2.1).
    names = [name for name in rest if not (mode == "/k" and switch_of(name) == _IGNORE_SWITCH)]
    is_ignoring = len(names) < len(rest)
    if len(names) != 1:
        raise click.UsageError(f"{mode} takes one file, {len(names)} are given; {_USAGE}")
    path = named_path(names[0])
    if path.is_dir():
        raise click.UsageError(f"{shown(path)} is a folder: name a file in it")
    files = DirectoryFiles(path.parent)
    return _finish(
        mode, lambda: file_dump(mode, files, path.name, ignores_streaming_file=is_ignoring)
    )


def _recovery(rest: Sequence[str]) -> ExitCode:
    base, folders = _recovery_arguments(rest)
    return _finish(_RECOVERY, lambda: recover(base, folders, now_ns=calendar_ns()))


def _recovery_arguments(rest: Sequence[str]) -> tuple[str, RecoveryFolders]:
    bases: list[str] = []
    given: dict[str, Path] = {}
    flags: list[str] = []
    arguments = iter(rest)
    for argument in arguments:
        switch = switch_of(argument)
        if switch in _FOLDER_SWITCHES:
            if switch in given:
                raise click.UsageError(f"{switch} is given twice")
            given[switch] = named_folder(switch, next(arguments, None))
        elif switch in _FLAG_SWITCHES:
            flags.append(switch)
        elif is_marked(argument):
            raise click.UsageError(f"/r has no switch {shown(argument)}; {_USAGE}")
        else:
            bases.append(argument)
    if len(bases) != 1 or len(bases[0]) != BASE_LENGTH or Path(bases[0]).name != bases[0]:
        found = shown(" ".join(bases)) or "none"
        raise click.UsageError(f"/r takes one base name of three letters, such as E00: {found}")
    logs = given.get("/l", Path())
    system, databases = given.get("/s", logs), given.get("/d", logs)
    is_ignoring, is_lossy, is_verbose = (flag in flags for flag in _FLAG_SWITCHES)
    return bases[0], RecoveryFolders(
        logs, system, databases, is_ignoring, is_lossy=is_lossy, is_verbose=is_verbose
    )


def _finish(mode: str, work: Callable[[], Report]) -> ExitCode:
    watch = Stopwatch()
    try:
        text, error = work()
    except EseError as raised:
        text, error = "", raised
    say(report(mode, text, error, watch.elapsed_s()))
    return ExitCode.MET if error is None or error.code > 0 else ExitCode.MISSED
