"""Restoring streaming backups: the files go back to disk, and restore.env says what is to be done.

Fault model: the power may go after any operation, and the disk may fill up. A database gets its
header last, after its streaming file, so that one that is not whole cannot be opened; restore.env
is written when all else is on disk. A restore that was cut is made again from its beginning.
"""

from collections.abc import Sequence

from emulators.ese.backup_set import BackupSet
from emulators.ese.errors import ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import Format, archive_name
from emulators.ese.formats.page import HEADER_PAGES
from emulators.ese.formats.restore_env import RESTORE_ENV_NAME, RestoredDatabase, RestoreEnv
from emulators.ese.formats.streaming_file import streaming_name
from emulators.ese.formats.values import LogTime

BYTES_PER_COPY = 1 << 20


def restore_backup(
    backups: Sequence[BackupSet],
    folder: FileSet,
    target: FileSet,
    *,
    now_ns: int,
    target_group: str | None = None,
    databases: Sequence[str] = (),
) -> RestoreEnv:
    """Put databases in their place, logs in a restore folder, and restore.env beside these.

    Args:
        backups: a full or copy backup, and those of logs that were made after it, in order.
        folder: the restore folder, apart from the folder of the group's own logs.
        target: where the databases go; those of their names are replaced.
        now_ns: calendar time.
        target_group: the group that they belong to from now on; the one they came from if absent.
        databases: which of the set to restore; empty for all.

    Raises:
        EseError: -506 when the folder holds a restore that was not recovered, -521 when the sets
            do not make one backup, -1003 for a database that is not in the set, -1811 for files of
            databases that the medium lacks; nothing was replaced then.
    """
    if folder.exists(RESTORE_ENV_NAME):
        where = f"{RESTORE_ENV_NAME} is there from another restore"
        raise ese_error(-506, where, "run hard recovery (eseutil /cc) on it, or use another folder")
    _require_one_backup(backups)
    first = backups[0]
    chosen = [each for each in first.databases if not databases or each.name in databases]
    if len(chosen) < max(len(databases), 1):
        names = ", ".join(each.name for each in first.databases)
        raise ese_error(-1003, f"the backup holds {names}", "name databases of the backup")
    wanted = [database.name for database in chosen]
    if first.file_format.has_streaming_file:
        wanted += [streaming_name(name) for name in wanted]
    _require_files(first.files, wanted)
    for database in chosen:
        _restore_database(first.files, target, database.name, first.file_format)
    for backup in backups:
        for generation in backup.generations:
            name = archive_name(backup.prefix, generation, backup.file_format)
            _copy(backup.files, folder, name, 0)
    env = RestoreEnv(
        first.prefix,
        first.group,
        target_group or first.group,
        tuple(RestoredDatabase(each.name, each.name, each.signature) for each in chosen),
        first.log_signature,
        first.file_format,
        first.info.generation_low,
        max(backup.info.generation_high for backup in backups),
        LogTime.from_ns(now_ns),
    )
    folder.create(RESTORE_ENV_NAME)
    folder.write(RESTORE_ENV_NAME, 0, env.pack())
    folder.flush(RESTORE_ENV_NAME)
    return env


def _require_one_backup(backups: Sequence[BackupSet]) -> None:
    """Whether logs are missing between the sets is found out by hard recovery (-557)."""
    hint = "give one full or copy backup, and the backups of logs that were made after it"
    if not backups or not backups[0].kind.has_databases:
        raise ese_error(-521, "the first set holds no databases", hint)
    for backup in backups[1:]:
        if backup.kind.has_databases:
            raise ese_error(-521, f"a second set, of kind {backup.kind.name}, has databases", hint)
        if backup.log_signature != backups[0].log_signature:
            raise ese_error(-521, "the sets are of different log streams", hint)


def _require_files(medium: FileSet, names: Sequence[str]) -> None:
    """Refuse a medium that is not whole, before the first file is replaced."""
    missing = [name for name in names if not medium.exists(name)]
    if missing:
        where = f"{', '.join(missing)}: missing on the medium of the backup"
        raise ese_error(-1811, where, "bring the medium's files back, or use another backup")


def _restore_database(source: FileSet, target: FileSet, name: str, file_format: Format) -> None:
    header_bytes = HEADER_PAGES * file_format.page_bytes
    _copy(source, target, name, header_bytes)
    if file_format.has_streaming_file:
        _copy(source, target, streaming_name(name), 0)
    target.write(name, 0, source.read(name, 0, header_bytes))
    target.flush(name)


def _copy(source: FileSet, target: FileSet, name: str, start: int) -> None:
    """Copy a file from offset `start` on, in place of one that may be there."""
    if target.exists(name):
        target.delete(name)
    size = source.size(name)
    target.create(name, size)
    for offset in range(start, size, BYTES_PER_COPY):
        data = source.read(name, offset, BYTES_PER_COPY)
        if any(data):
            target.write(name, offset, data)
    target.flush(name)
