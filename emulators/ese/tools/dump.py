"""The texts of `eseutil /mh` and `/mk`: a database's header, a checkpoint file (exchange.md 2).

Labels, order and units are those of exchange.md 2.2 and 2.3, without the lines that are newer than
Exchange 2007. Headers of databases that Windows wrote are shown with the same lines. Every function
returns the text, and the error that ended it or None.
"""

from collections.abc import Iterator
from typing import TypeAlias

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet
from emulators.ese.formats.checkpoint import CHECKPOINT_BYTES, Checkpoint
from emulators.ese.formats.database_header import (
    BACKUP_OS_SNAPSHOT,
    FLAG_SHADOWING_DISABLED,
    HEADER_MAGIC,
    DatabaseHeader,
    DatabaseState,
    FileType,
    read_header,
)
from emulators.ese.formats.detection import detect_database
from emulators.ese.formats.format import DATABASE_VERSION, Format
from emulators.ese.formats.streaming_file import STREAMING_SUFFIX
from emulators.ese.formats.values import DBMS_CIRCULAR_LOGGING, BackupInfo, DbmsParam, Lgpos

Report: TypeAlias = tuple[str, EseError | None]

_LABEL_WIDTH = 17
_BACKUP_LABEL_WIDTH = 15

_STATES = {
    DatabaseState.JUST_CREATED: "Just Created",
    DatabaseState.DIRTY_SHUTDOWN: "Dirty Shutdown",
    DatabaseState.CLEAN_SHUTDOWN: "Clean Shutdown",
    DatabaseState.BEING_CONVERTED: "Being Converted",
    DatabaseState.FORCE_DETACH: "Force Detach",
    DatabaseState.INCREMENTAL_RESEED: "Incremental Reseed In Progress",
    DatabaseState.DIRTY_AND_PATCHED: "Dirty and Patched Shutdown",
    DatabaseState.REVERT: "Revert In Progress",
}
_FILE_TYPES = {FileType.DATABASE: "Database", FileType.STREAMING: "Streaming File"}


def dump_header(files: FileSet, name: str, file_format: Format | None = None) -> Report:
    """Return the text of `eseutil /mh` for a database or a streaming file.

    The shadow is used when it must be.

    Args:
        files: where the file lies.
        name: the file.
        file_format: the only one to take; None for whatever the file says.
    """
    is_streaming = name.lower().endswith(STREAMING_SUFFIX)
    file_type = FileType.STREAMING if is_streaming else FileType.DATABASE
    try:
        found = detect_database(files, name) if file_format is None else file_format
        header = read_header(files, name, found, file_type)
    except EseError as error:
        return f"Database: {name}\n", error
    lines = [f"Database: {name}", "", "Fields:", *_header_lines(header)]
    return "\n".join([*lines, "", *_backup_lines(header)]) + "\n", None


def dump_checkpoint(files: FileSet, name: str) -> Report:
    """Return the text of `eseutil /mk` for a checkpoint file."""
    text = f"      Checkpoint file: {name}\n"
    try:
        checkpoint = Checkpoint.unpack(files.read(name, 0, CHECKPOINT_BYTES), name)
    except EseError as error:
        return text, error
    fields = (
        ("LastFullBackupCheckpoint", checkpoint.full_backup_checkpoint),
        ("Checkpoint", checkpoint.checkpoint),
        ("FullBackup", checkpoint.full_backup),
        ("FullBackup time", checkpoint.full_backup_time),
        ("IncBackup", checkpoint.incremental_backup),
        ("IncBackup time", checkpoint.incremental_backup_time),
        ("Signature", checkpoint.signature),
    )
    lines = [f"      {label}: {value}" for label, value in fields]
    lines += environment_lines(checkpoint.parameters)
    return text + "\n" + "\n".join(lines) + "\n", None


def environment_lines(parameters: DbmsParam) -> list[str]:
    """Return the lines of what the engine ran with, as in logs and checkpoints."""
    names = ("CircLog", "Session", "Opentbl", "VerPage", "Cursors", "LogBufs", "LogFile", "Buffers")
    is_circular = parameters.flags & DBMS_CIRCULAR_LOGGING
    values = (
        "on" if is_circular else "off",
        parameters.sessions,
        parameters.open_tables,
        parameters.version_pages,
        parameters.cursors,
        parameters.log_buffers,
        parameters.log_sectors,
        parameters.cache_pages_max,
    )
    cells = ",".join(str(value).rjust(7) for value in values)
    return [f"      Env ({','.join(names)})", f"          ({cells})"]


def _header_lines(header: DatabaseHeader) -> list[str]:
    version = f"{DATABASE_VERSION:#x},{header.file_format.revision}"
    major, minor, build, service_pack = header.os_version
    fields: tuple[tuple[str, object], ...] = (
        ("File Type", _FILE_TYPES[header.file_type]),
        ("Format ulMagic", f"{HEADER_MAGIC:#x}"),
        ("Engine ulMagic", f"{HEADER_MAGIC:#x}"),
        ("Format ulVersion", version),
        ("Engine ulVersion", version),
        ("Created ulVersion", version),
        ("DB Signature", header.signature),
        ("cbDbPage", header.page_bytes),
        ("dbtime", f"{header.dbtime} ({header.dbtime:#x})"),
        ("State", _STATES[header.state]),
        *_log_lines(header),
        ("Streaming File", "Yes" if header.has_streaming_file else "No"),
        ("Shadowed", "No" if header.flags & FLAG_SHADOWING_DISABLED else "Yes"),
        ("Last Objid", header.objid_last),
        ("Scrub Dbtime", f"{header.scrub_dbtime} ({header.scrub_dbtime:#x})"),
        ("Scrub Date", header.scrub_time),
        ("Repair Count", header.repair_count),
        ("Repair Date", header.repair_time),
        ("Old Repair Count", header.repair_count_old),
        ("Last Consistent", _position(header.consistent, header.consistent_time)),
        ("Last Attach", _position(header.attach, header.attach_time)),
        ("Last Detach", _position(header.detach, header.detach_time)),
        ("Dbid", header.dbid),
        ("Log Signature", header.log_signature),
        ("OS Version", f"({major}.{minor}.{build} SP {service_pack})"),
    )
    return [f"{label.rjust(_LABEL_WIDTH)}: {value}" for label, value in fields]


def _log_lines(header: DatabaseHeader) -> Iterator[tuple[str, str]]:
    """Yield which logs are needed; 2003 has no second line, its RTM no hexadecimal (2.2)."""
    low, high = header.generation_min_required, header.generation_max_required
    hexadecimal = f" ({low:#x}-{high:#x})" if header.file_format.has_ecc else ""
    yield "Log Required", f"{low}-{high}{hexadecimal}"
    if header.file_format.has_waypoint:
        committed = header.generation_max_committed
        yield "Log Committed", f"0-{committed} (0x0-{committed:#x})"


def _backup_lines(header: DatabaseHeader) -> list[str]:
    full, incremental = header.full_backup_kind, header.incremental_backup_kind
    backups = (
        ("Previous Full Backup", header.full_backup_previous, full),
        ("Previous Incremental Backup", header.incremental_backup_previous, incremental),
        ("Previous Copy Backup", header.copy_backup_previous, header.copy_backup_kind),
        (
            "Previous Differential Backup",
            header.differential_backup_previous,
            header.differential_backup_kind,
        ),
        ("Current Full Backup", header.full_backup_current, 0),
        ("Current Shadow copy backup", header.snapshot_current, 0),
    )
    lines = []
    for title, backup, kind in backups:
        lines += [f"{title}:", *_one_backup(backup, kind), ""]
    return lines[:-1]


def _one_backup(backup: BackupInfo, kind: int) -> list[str]:
    low, high = backup.generation_low, backup.generation_high
    suffix = " - OSSnapshot" if kind == BACKUP_OS_SNAPSHOT else ""
    fields = (
        ("Log Gen", f"{low}-{high} ({low:#x}-{high:#x}){suffix}"),
        ("Mark", backup.mark),
        ("Mark", backup.time),
    )
    return [f"{label.rjust(_BACKUP_LABEL_WIDTH)}: {value}" for label, value in fields]


def _position(lgpos: Lgpos, time: object) -> str:
    return f"{lgpos}  {time}"
