"""`eseutil /cm` and `/cc` on real folders: what was restored, and hard recovery of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from emulators.ese.file_set import DirectoryFiles
from emulators.ese.formats.restore_env import RESTORE_ENV_NAME
from emulators.ese.tools.dump import Report
from emulators.ese.tools.hard_recovery_mode import dump_restore_env, recover_restored
from rpolab.eseutil.named_paths import named_folder, named_path
from rpolab.eseutil.recovery import RecoveryFolders, SplitFiles
from rpolab.eseutil.switches import is_marked, switch_of
from rpolab.terminal import shown

RESTORE_MODES = ("/cm", "/cc")
_FOLDER_SWITCHES = ("/f", "/d")
_FLAG_SWITCHES = ("/t", "/k", "/v")


@dataclass(frozen=True, slots=True)
class RestoreArguments:
    """The restore folder, and for `/cc` the other folders and switches.

    `logs` holds the group's own logs (/f), `databases` the restored databases (/d, a switch of
    our own). They are played forward unless `stops_at_backup` (/t); `keeps` leaves the restore
    folder as it is (/k), and `is_verbose` shows the events (/v, a switch of our own).
    """

    folder: Path
    logs: Path
    databases: Path
    stops_at_backup: bool
    keeps: bool
    is_verbose: bool


def read_restore_arguments(mode: str, rest: Sequence[str]) -> RestoreArguments:
    """Read what follows the mode; raises UsageError."""
    paths: list[Path] = []
    given: dict[str, Path] = {}
    flags: list[str] = []
    arguments = iter(rest)
    for argument in arguments:
        switch = switch_of(argument)
        if mode == "/cc" and switch in _FOLDER_SWITCHES:
            given[switch] = named_folder(switch, next(arguments, None))
        elif mode == "/cc" and switch in _FLAG_SWITCHES:
            flags.append(switch)
        elif is_marked(argument) and len(argument) == len("/x"):
            raise click.UsageError(f"{mode} has no switch {shown(argument)}")
        else:
            paths.append(_restore_folder(argument))
    if len(paths) != 1:
        raise click.UsageError(f"{mode} takes one restore folder, {len(paths)} are given")
    databases = given.get("/d", paths[0])
    stops, keeps, is_verbose = (flag in flags for flag in _FLAG_SWITCHES)
    return RestoreArguments(
        paths[0], given.get("/f", databases), databases, stops, keeps, is_verbose
    )


def look_at_or_recover(mode: str, arguments: RestoreArguments, *, now_ns: int) -> Report:
    """Return the text of `/cm` or `/cc` (exchange.md 2.1), and the error that ended it or None."""
    folder, path = DirectoryFiles(arguments.folder), str(arguments.folder)
    if mode == "/cm":
        return dump_restore_env(folder, path)
    has_own_logs = arguments.logs.resolve() != arguments.folder.resolve()
    places = RecoveryFolders(arguments.logs, arguments.logs, arguments.databases)
    return recover_restored(
        SplitFiles(places),
        folder,
        path,
        now_ns=now_ns,
        play_forward=not arguments.stops_at_backup and has_own_logs,
        keep=arguments.keeps,
        is_verbose=arguments.is_verbose,
    )


def _restore_folder(name: str) -> Path:
    """Return the folder of a restore; the file in it may be named instead."""
    path = named_path(name)
    if path.name.lower() == RESTORE_ENV_NAME:
        path = path.parent
    if not path.is_dir():
        raise click.UsageError(f"{shown(name)}: there is no such folder")
    return path
