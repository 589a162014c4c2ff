"""Forgetting: old entries go by what the operator keeps, and garbage goes by its age.

Rows go first, in one transaction, then their files: a death in between leaves garbage, which the
next prune sweeps. The sweep holds the catalogue's write lock, and a writer looks for its files
under that same lock before it counts them: nothing that counts is ever swept, however old it is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from reports.store import tables
from reports.store.catalogue import Catalogue
from reports.store.errors import StoreError
from reports.store.parts import PartFile, Parts
from reports.store.records import Entry
from reports.store.rows import entry_of

GARBAGE_AGE_NS = 3_600 * 1_000_000_000
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Retention:
    """What stays: an entry goes when no rule that was given keeps it.

    Attributes:
        keep_last: of each scenario, so many of the newest entries stay; None keeps by age alone.
        keep_ns: entries that are younger stay; None keeps by number alone.
    """

    keep_last: int | None = None
    keep_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, or would go.

    Attributes:
        entries: that are forgotten, the oldest last.
        kept: entries that stay.
        garbage_files: of writers that died, or of an earlier prune that did.
        freed_bytes: in the files of both; in PostgreSQL, the parts of the entries.
    """

    entries: tuple[Entry, ...]
    kept: int
    garbage_files: int
    freed_bytes: int


def prune(
    catalogue: Catalogue, parts: Parts, retention: Retention, *, now_ns: int, dry_run: bool
) -> Pruned:
    """Forgets entries and sweeps garbage.

    Args:
        catalogue: of the store.
        parts: of the same store.
        retention: what stays.
        now_ns: calendar time.
        dry_run: only say what would go.

    Raises:
        StoreError: the catalogue is damaged, so that what looks like garbage may not be any.
    """
    with catalogue.writing() as connection:
        _refuse_damaged(catalogue, connection)
        known = [entry_of(row) for row in connection.execute(_by_age())]
        going = _going(known, retention, now_ns)
        freed_bytes = _bytes_of(connection, going)
        staying = {entry.entry_id for entry in known}
        garbage = [file for file in parts.files() if _is_garbage(file, staying, now_ns)]
        if not dry_run:
            _forget(connection, going)
            parts.remove(file.path for file in garbage)
    if not dry_run:
        gone = {entry.entry_id for entry in going}
        parts.remove(file.path for file in parts.files() if file.entry_id in gone)
    freed_bytes += sum(file.size_bytes for file in garbage)
    return Pruned(tuple(going), len(known) - len(going), len(garbage), freed_bytes)


def _by_age() -> Select[Any]:
    return select(tables.entries).order_by(
        tables.entries.c.kept_at_ns.desc(), tables.entries.c.entry_id
    )


def _refuse_damaged(catalogue: Catalogue, connection: Connection) -> None:
    if catalogue.keeps_parts:
        return
    problem = connection.exec_driver_sql("PRAGMA quick_check").scalar()
    if problem != "ok":
        hint = "nothing was pruned: restore it from a copy first"
        raise StoreError(catalogue.place, f"the catalogue is damaged: {problem}", hint)


def _going(known: Sequence[Entry], retention: Retention, now_ns: int) -> list[Entry]:
    """The entries that no rule keeps; without a rule, none."""
    if retention.keep_last is None and retention.keep_ns is None:
        return []
    seen: Counter[str] = Counter()
    going = []
    for entry in known:
        seen[entry.scenario] += 1
        is_recent = retention.keep_last is not None and seen[entry.scenario] <= retention.keep_last
        is_young = retention.keep_ns is not None and now_ns - entry.kept_at_ns <= retention.keep_ns
        if not is_recent and not is_young:
            going.append(entry)
    return going


def _bytes_of(connection: Connection, going: Sequence[Entry]) -> int:
    table = tables.parts
    gone = {entry.entry_id for entry in going}
    rows = connection.execute(select(table.c.entry_id, table.c.size_bytes))
    return sum(row.size_bytes for row in rows if row.entry_id in gone)


def _is_garbage(file: PartFile, staying: set[str], now_ns: int) -> bool:
    unfinished = file.path.suffix == ".new"
    return (unfinished or file.entry_id not in staying) and (
        now_ns - file.written_ns >= GARBAGE_AGE_NS
    )


def _forget(connection: Connection, going: Sequence[Entry]) -> None:
    ids = [entry.entry_id for entry in going]
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        some = ids[start : start + _ROWS_AT_ONCE]
        connection.execute(delete(tables.entries).where(tables.entries.c.entry_id.in_(some)))
