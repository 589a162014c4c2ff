"""`eseutil /r` on real folders: finds the database that belongs to the logs, and recovers it."""

from dataclasses import dataclass
from pathlib import Path

from emulators.ese.errors import EseError, ese_error
from emulators.ese.events import Event
from emulators.ese.file_set import DirectoryFiles, FileSet
from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.detection import detect_database, detect_log_set
from emulators.ese.formats.format import EXCHANGE_2007, FORMATS, Format
from emulators.ese.formats.streaming_file import STREAMING_SUFFIX
from emulators.ese.formats.values import Signature
from emulators.ese.recovery.log_set import LogSet
from emulators.ese.recovery.soft_recovery import RecoveryReport, soft_recover
from emulators.ese.tools.dump import Report

BASE_LENGTH = 3
_DATABASE_SUFFIX = ".edb"
_CHECKPOINT_SUFFIX = ".chk"
_RULER = """\
Performing soft recovery...
                      Restore Status (% complete)

          0    10   20   30   40   50   60   70   80   90  100
          |----|----|----|----|----|----|----|----|----|----|
"""
_DOTS = f"          {'.' * 51}\n"


@dataclass(frozen=True, slots=True)
class RecoveryFolders:
    """Where the files of a storage group lie, and the switches of `/r`.

    Strange databases are left out with `is_ignoring_mismatch` (/i), committed logs may be lost
    with `is_lossy` (/a), and the events are shown with `is_verbose` (/v, a switch of our own).
    """

    logs: Path
    system: Path
    databases: Path
    is_ignoring_mismatch: bool = False
    is_lossy: bool = False
    is_verbose: bool = False


class SplitFiles:
    """The files of a storage group that lie in up to three folders, as one set.

    A name's suffix decides its folder: databases with their streaming files, the checkpoint, and
    everything else is a log.
    """

    def __init__(self, folders: RecoveryFolders) -> None:
        self._logs = DirectoryFiles(folders.logs)
        self._system = DirectoryFiles(folders.system)
        self._databases = DirectoryFiles(folders.databases)

    def names(self) -> list[str]:
        """Return all names, sorted; a file in a folder that is not for its kind is not one."""
        sets = (self._logs, self._system, self._databases)
        return sorted(
            {name for files in sets for name in files.names() if self._home(name) is files}
        )

    def exists(self, name: str) -> bool:
        """Return whether a file of that name is there."""
        return self._home(name).exists(name)

    def size(self, name: str) -> int:
        """Return the file's length in bytes."""
        return self._home(name).size(name)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        return self._home(name).read(name, offset, length)

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite bytes from `offset`."""
        self._home(name).write(name, offset, data)

    def create(self, name: str, size: int = 0) -> None:
        """Make a new file of zeros."""
        self._home(name).create(name, size)

    def truncate(self, name: str, size: int) -> None:
        """Cut the file off, or extend it with zeros."""
        self._home(name).truncate(name, size)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in its folder."""
        assert self._home(old) is self._home(new), f"{old} and {new} lie in different folders"
        self._home(old).rename(old, new)

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._home(name).delete(name)

    def flush(self, name: str) -> None:
        """Return when the file's data is on disk."""
        self._home(name).flush(name)

    def _home(self, name: str) -> DirectoryFiles:
        lower = name.lower()
        if lower.endswith((_DATABASE_SUFFIX, STREAMING_SUFFIX)):
            return self._databases
        return self._system if lower.endswith(_CHECKPOINT_SUFFIX) else self._logs


def recover(base: str, folders: RecoveryFolders, *, now_ns: int) -> Report:
    """Return the text of `eseutil /r` (exchange.md 2.1), and the error that ended it or None.

    Where committed logs were lost, that warning stands in the error's place.

    Args:
        base: base name of the logs ('E00').
        folders: where everything lies.
        now_ns: calendar time, for log records and headers.
    """
    text = (
        f"    Logfile base name: {base}\n"
        f"            Log files: {folders.logs}\n"
        f"         System files: {folders.system}\n"
        f"   Database Directory: {folders.databases}\n\n"
    )
    files = SplitFiles(folders)
    try:
        chosen, left_out = _choose(files, base, folders)
        text += "".join(f"{name} does not belong to these logs: left out.\n" for name in left_out)
        done = soft_recover(
            files,
            base,
            [chosen],
            now_ns=now_ns,
            log_format=_format_of(files, chosen),
            lossy=folders.is_lossy,
            ignore_missing=folders.is_ignoring_mismatch,
        )
    except EseError as error:
        return f"{text}{_RULER}{_events(folders, error.events)}", error
    return f"{text}{_RULER}{_DOTS}{_events(folders, done.events)}", _warning(done)


def _events(folders: RecoveryFolders, events: tuple[Event, ...]) -> str:
    if not folders.is_verbose or not events:
        return ""
    lines = "".join(f"  {event_id}: {text}\n" for event_id, text in events)
    return f"\nEvents:\n{lines}"


def _warning(done: RecoveryReport) -> EseError | None:
    """Return what was lost as eseutil's ending shows it, None where nothing was."""
    if done.loss is None:
        return None
    code, name, text, event_id = done.loss.warning
    removed = f"; removed: {', '.join(done.removed)}" if done.removed else ""
    hint = f"what was committed from generation {done.loss.first} on is lost{removed}"
    return EseError(code, name, text, done.loss.where, hint, event_id)


def _choose(files: FileSet, base: str, folders: RecoveryFolders) -> tuple[str, list[str]]:
    """Return the one database to recover, and the names of those that do not belong to the logs.

    Which databases belong is decided by the signature of the log stream in their headers. A
    stream has one database; when it is missing, or not the only one, the error is that of
    exchange.md R10, which `/i` excuses for databases that do not belong.
    """
    names = [name for name in files.names() if name.lower().endswith(_DATABASE_SUFFIX)]
    if not names:
        hint = "name the database's folder with /d"
        raise ese_error(-1216, f"{folders.databases}: there is no database", hint)
    if len(names) == 1:
        return names[0], []
    log_format = detect_log_set(files, base) or EXCHANGE_2007
    wanted = LogSet(files, base, log_format).own_signature
    belonging = [name for name in names if _log_signature(files, name) == wanted]
    others = [name for name in names if name not in belonging]
    if len(belonging) != 1:
        found = f"{len(belonging)} of {len(names)} databases belong to these logs"
        hint = "leave exactly one database of this storage group in the folder"
        raise ese_error(-1216, f"{folders.databases}: {found}", hint)
    if others and not folders.is_ignoring_mismatch:
        where = f"{', '.join(others)}: not a database of these logs"
        raise ese_error(-1216, where, "move it away, or leave it out with /i")
    return belonging[0], others


def _log_signature(files: FileSet, name: str) -> Signature | None:
    try:
        return read_header(files, name, detect_database(files, name)).log_signature
    except EseError:
        return None


def _format_of(files: FileSet, name: str) -> Format:
    """Return the format of a database, which must be one of Exchange 2003 or 2007."""
    found = detect_database(files, name)
    if found not in FORMATS:
        hint = "recover it with the program that wrote it"
        raise ese_error(-1206, f"{name}: version {found.name}", hint)
    return found
