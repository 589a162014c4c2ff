"""`eseutil /d` and `/p`: the texts of defragmentation and repair (exchange.md 2.1)."""

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import Format
from emulators.ese.maintenance.defragmentation import defragment
from emulators.ese.maintenance.repair import RepairReport, repair
from emulators.ese.maintenance.table_salvage import TableRepair
from emulators.ese.tools.dump import Report
from emulators.ese.tools.own_format import own_format
from emulators.ese.tools.progress import ruler

DEFRAGMENTATION_TEMPORARY = "TEMPDFRG.EDB"
REPAIR_TEMPORARY = "TEMPREPAIR.EDB"

_MEGABYTE = 1 << 20
_BACKUP_NOTE = """\
Note:
  Take a full backup of this database at once. A backup that is older than this
  {operation} brings the database back as it was then: no log can be
  replayed into the database across it.
"""
_NOT_UP_TO_DATE = """\
The database is not up-to-date: what only its log files hold is not in it, and
will be lost. The 'Recovery' mode (/r) loses nothing; repair is for a database
whose logs are gone.

"""


def defragment_database(
    files: FileSet,
    name: str,
    *,
    now_ns: int,
    file_format: Format | None = None,
    temporary: str = DEFRAGMENTATION_TEMPORARY,
    backup: str = "",
    is_put_in_place: bool = True,
) -> Report:
    """Return the text of `eseutil /d`, and the error that ended it or None.

    Args:
        files: where the database lies.
        name: the file.
        now_ns: calendar time.
        file_format: its page size and revision; None for what the file says.
        temporary: the new file's name while it is made (/t).
        backup: the name under which the old file is kept (/b); empty to remove it.
        is_put_in_place: whether the new file takes the old one's place; not with /p.
    """
    text = f"            Database: {name}\n      Temp. Database: {temporary}\n\n"
    try:
        sizes = defragment(
            files,
            name,
            temporary=temporary,
            now_ns=now_ns,
            file_format=own_format(files, name, file_format),
            backup=backup,
            is_put_in_place=is_put_in_place,
        )
    except EseError as error:
        return text + ruler("Defragmentation Status", is_done=False), error
    before, after = (size / _MEGABYTE for size in sizes)
    text += ruler("Defragmentation Status")
    text += f"\n{before:.1f} MB before, {after:.1f} MB after.\n\n"
    return text + _BACKUP_NOTE.format(operation="defragmentation"), None


def repair_database(
    files: FileSet,
    name: str,
    *,
    now_ns: int,
    file_format: Format | None = None,
    temporary: str = REPAIR_TEMPORARY,
) -> Report:
    """Return the text of `eseutil /p`, and the error that ended it, the warning 595, or None."""
    text = f"        Database: {name}\n  Temp. Database: {temporary}\n\n"
    text += "Checking database integrity.\n\n"
    try:
        own = own_format(files, name, file_format)
        done = repair(files, name, temporary=temporary, now_ns=now_ns, file_format=own)
    except EseError as error:
        return text, error
    if not done.was_clean:
        text += _NOT_UP_TO_DATE
    text += ruler("Scanning Status") + "\n"
    if done.was_sound:
        return f"{text}Integrity check successful. There is nothing to repair.\n", None
    text += f"{done.findings} findings, {len(done.damaged_pages)} damaged pages.\n\n"
    text += _losses(done) + "\n" + _BACKUP_NOTE.format(operation="repair")
    hint = "run /d, then isinteg -fix: what is lost was thrown away, counters may be wrong"
    return text, ese_error(595, name, hint)


def _losses(done: RepairReport) -> str:
    lines = []
    if done.rows_from_shadow:
        lines.append(f"catalog: {done.rows_from_shadow} rows taken from its shadow")
    for table in done.tables:
        lines += [f"{table.name}: {table.rows} rows, {table.long_values} long values kept"]
        lines += [f"    lost: {loss}" for loss in _losses_of(table)]
    lines += [f"object {objid}: lost, its description is gone" for objid in done.lost_tables]
    if done.unknown_pages:
        lines.append(f"{done.unknown_pages} pages of objects that nothing describes: lost")
    return "".join(f"  {line}\n" for line in lines)


def _losses_of(table: TableRepair) -> list[str]:
    losses = (
        (table.pages_lost, "pages, with what was on them"),
        (table.rows_unreadable, "rows that cannot be read"),
        (table.rows_without_values, "rows whose long values are gone"),
        (table.rows_excluded, "rows with a key of another row in a unique index"),
        (table.long_values_incomplete, "long values of which parts are gone"),
        (table.long_values_unused, "long values that no row refers to"),
    )
    return [f"{count} {what}" for count, what in losses if count]
