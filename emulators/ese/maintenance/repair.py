"""Repair: a database made anew from what can still be read of a damaged or dirty one.

What is taken is proved: pages by their checksum and rules, records by decoding and by lying under
their own key, long values by chunks that make up their size. The rest is thrown away and counted:
pages that cannot be read, records that cannot, records whose long values are gone, long values that
no record refers to, rows with a key that a unique index can hold only once. Indexes and reference
counts are made from the records that are left. Nothing is guessed, so a row is there as it was, or
not at all.

Fault model: any damage. Header and shadow both damaged, or a catalog of which nothing is left, is
refused with -1206. What a lost page held is not known, so lost rows on such pages are not counted.
A database that was not shut down cleanly is taken as it lies on disk: changes that are only in its
logs are lost, changes of transactions that never committed may stay, and a row that was moved by an
unfinished change may be there in its older form. Counters that the store keeps in rows of its own
are isinteg's to put right.
"""

from dataclasses import dataclass, field

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.catalog import OBJID_USER_FIRST
from emulators.ese.formats.database_header import DatabaseHeader, read_header
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.formats.values import LogTime
from emulators.ese.integrity.check import check_database
from emulators.ese.integrity.page_reader import PageReader
from emulators.ese.maintenance.exchange_file import discard, made_anew, put_in_place
from emulators.ese.maintenance.page_scan import scan_pages
from emulators.ese.maintenance.salvage import Salvage
from emulators.ese.maintenance.salvaged_catalog import salvage_catalog
from emulators.ese.maintenance.table_salvage import TableRepair, TableSalvage
from emulators.ese.trees.bulk_database import BulkDatabase
from emulators.ese.trees.bulk_load import BulkFile, renew_streaming_file


@dataclass(slots=True)
class RepairReport:
    """What a repair did.

    `was_sound` says that nothing had to be done and the file was not touched, `was_clean` that it
    had been shut down cleanly. `lost_tables` are the
    object ids of tables whose description is gone, `unknown_pages` pages of no known object.
    """

    was_sound: bool
    was_clean: bool
    findings: int = 0
    damaged_pages: list[int] = field(default_factory=list)
    tables: list[TableRepair] = field(default_factory=list)
    lost_tables: list[int] = field(default_factory=list)
    rows_from_shadow: int = 0
    unknown_pages: int = 0


def repair(
    files: FileSet,
    name: str,
    *,
    temporary: str,
    now_ns: int,
    file_format: Format = EXCHANGE_2007,
) -> RepairReport:
    """Repair a database; one that is clean and sound stays as it is.

    Args:
        files: where it lies; there must be room for a copy.
        name: the file.
        temporary: name of the new file while it is made.
        now_ns: calendar time, for header and signature.
        file_format: its page size and revision.

    Raises:
        EseError: -1206 when nothing can be made of the file, -1808 when there is no room, -1814
            when there is a file of the temporary name; nothing is changed then.
    """
    header = read_header(files, name, file_format)
    findings = len(check_database(files, name, file_format).findings)
    if header.is_clean and not findings:
        return RepairReport(was_sound=True, was_clean=True)
    work = _Repair(files, name, file_format, header)
    target = BulkFile(files, temporary, file_format, work.dbtime)
    try:
        work.fill(target.database)
        after = _header_after(header, now_ns)
        last_pgno = target.finish(after)
    except EseError:
        discard(files, temporary)
        raise
    put_in_place(files, temporary, name)
    renew_streaming_file(files, name, after, last_pgno)
    work.report.findings = findings
    return work.report


class _Repair:
    """The steps of a repair; `dbtime` is above that of every page."""

    def __init__(
        self, files: FileSet, name: str, file_format: Format, header: DatabaseHeader
    ) -> None:
        self._format = file_format
        reader = PageReader(files, name, file_format)
        self._scan = scan_pages(reader)
        self._salvage = Salvage(reader, self._scan, is_up_to_date=header.is_clean)
        self._catalog = salvage_catalog(self._salvage, file_format)
        if not self._catalog.entries and not self._catalog.is_whole:
            hint = "restore the database from a copy or a backup"
            raise ese_error(-1206, f"{name}: nothing is left of its catalog", hint)
        self.dbtime = max(header.dbtime, self._scan.dbtime_max) + 1
        self.report = RepairReport(
            was_sound=False,
            was_clean=header.is_clean,
            damaged_pages=self._scan.damaged,
            lost_tables=self._catalog.lost_tables,
            rows_from_shadow=self._catalog.rows_from_shadow,
        )

    def fill(self, target: BulkDatabase) -> None:
        known: set[int] = set()
        for entry in self._catalog.entries:
            self.report.tables.append(TableSalvage(self._salvage, entry, self._format).run(target))
            known |= {entry.objid, entry.long_value_objid}
            known |= {index.objid for index in entry.indexes}
        self.report.unknown_pages = sum(
            len(leaves)
            for objid, leaves in self._scan.leaves.items()
            if objid >= OBJID_USER_FIRST and objid not in known
        )


def _header_after(old: DatabaseHeader, now_ns: int) -> DatabaseHeader:
    """Return the header of the repaired database: no log can be replayed into it any more."""
    header = made_anew(old, now_ns)
    header.repair_time = LogTime.from_ns(now_ns)
    header.repair_count = old.repair_count + 1
    header.repair_count_old = old.repair_count_old
    return header
