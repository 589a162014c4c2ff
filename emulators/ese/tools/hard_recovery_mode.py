"""`eseutil /cm` and `/cc`: the text of restore.env, and hard recovery (exchange.md 2.1).

The banner, the ruler and the endings are those of exchange.md 2.1. The labels of `/cm` and the
names of its states are from memory (assumption): the sheet names the switch and not its output.
Lines for what a restore.env of this project does not hold (server, annotation, identifiers, the
last error) are left out. Every function returns the text, and the error that ended it or None.
"""

from emulators.ese.errors import EseError
from emulators.ese.events import Event
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import archive_name
from emulators.ese.formats.restore_env import (
    RESTORE_ENV_NAME,
    RecoverStatus,
    RestoredDatabase,
    RestoreEnv,
)
from emulators.ese.recovery.hard_recovery import (
    HardRecoveryReport,
    hard_recover,
    read_restore_env,
)
from emulators.ese.tools.dump import Report

_RULER = """\
                      Restore Status (% complete)

          0    10   20   30   40   50   60   70   80   90  100
          |----|----|----|----|----|----|----|----|----|----|
"""
_DOTS = f"          {'.' * 51}\n"
_STATES = {
    RecoverStatus.NOT_STARTED: "recoverNotStarted",
    RecoverStatus.STARTED: "recoverStarted",
    RecoverStatus.ENDED: "recoverEnded",
}


def dump_restore_env(folder: FileSet, path: str) -> Report:
    """Return the text of `eseutil /cm`.

    Args:
        folder: the restore folder.
        path: what it is called.
    """
    head = f"Restore log file: {path}\n\n"
    try:
        env = read_restore_env(folder)
    except EseError as error:
        return head, error
    return head + "\n".join(_lines(env, path)) + "\n", None


def recover_restored(
    files: FileSet,
    folder: FileSet,
    path: str,
    *,
    now_ns: int,
    play_forward: bool,
    keep: bool,
    is_verbose: bool = False,
) -> Report:
    """Return the text of `eseutil /cc` after hard recovery.

    Args:
        files: restored databases, and the group's own logs.
        folder: the restore folder.
        path: what it is called.
        now_ns: calendar time.
        play_forward: replay the group's own logs too.
        keep: leave the restore folder as it is (/k).
        is_verbose: show the events.
    """
    head = (
        f"Using restore environment\n    Restore log file: {path}\n\n"
        f"Restoring from: {path}/{RESTORE_ENV_NAME}\n\nPerforming hard recovery...\n{_RULER}"
    )
    try:
        done = hard_recover(
            files,
            folder,
            now_ns=now_ns,
            play_forward=play_forward,
            keep=keep,
        )
    except EseError as error:
        return head + _events(error.events, is_verbose=is_verbose), error
    text = f"{head}{_DOTS}\n{_summary(done)}{_events(done.events, is_verbose=is_verbose)}"
    return text, None


def _lines(env: RestoreEnv, path: str) -> list[str]:
    first, last = (
        archive_name(env.prefix, generation, env.file_format)
        for generation in (env.generation_low, env.generation_high)
    )
    lines = [
        f"Restore Path: {path}",
        f"Backup Instance: {env.group}",
        f"Target Instance: {env.target_group}",
        f"Restore Instance System Path: {path}",
        f"Restore Instance Log Path: {path}",
        "",
        f"Databases: {len(env.databases)} database(s)",
    ]
    for database in env.databases:
        lines += _database_lines(database)
    return [
        *lines,
        "",
        f"Log files range: {first} - {last}",
        f"Last Restore Time: {env.restored}",
        f"Recover Status: {_STATES[env.status]}",
    ]


def _database_lines(database: RestoredDatabase) -> list[str]:
    return [
        f"Database Name: {database.target}",
        f"DB Signature: {database.signature}",
        f"Source Files: {database.source}",
        f"Destination Files: {database.target}",
    ]


def _summary(done: HardRecoveryReport) -> str:
    if not done.generations:
        return "The databases had been recovered before.\n"
    first, last = done.generations[0], done.last_generation
    text = f"Replayed generations {first}-{last} ({first:#x}-{last:#x})"
    if done.played_forward:
        text += f", the last {done.played_forward} of them from the target's own logs"
    return text + ".\n"


def _events(events: tuple[Event, ...], *, is_verbose: bool) -> str:
    if not is_verbose or not events:
        return ""
    return "\nEvents:\n" + "".join(f"  {event_id}: {text}\n" for event_id, text in events)
