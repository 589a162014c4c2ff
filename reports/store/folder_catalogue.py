"""A catalogue in a folder: SQLite with a write-ahead log.

A new catalogue is built under another name and renamed into place, so that nobody ever opens half
of one; who makes or migrates one holds the folder's lock, which the system takes back from the
dead.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from reports.store import tables
from reports.store.catalogue import WRITING, Catalogue, refuse_newer, version_of, write_about
from reports.store.errors import StoreAbsentError, StoreError, damaged, told
from reports.store.migrations import migrate
from reports.store.mounts import is_on_network

CATALOGUE = "catalogue.sqlite"
PARTS = "parts"
LOCK = "lock"
BUSY_S = 60
_NEW = tuple(f"{CATALOGUE}.new{suffix}" for suffix in ("", "-journal", "-wal", "-shm"))
_OWN = frozenset({LOCK, ".gitignore", *_NEW})
_MAGIC = b"SQLite format 3\x00"


def open_folder(folder: Path, *, create: bool, program: str) -> Catalogue:
    """Opens the catalogue of a folder.

    Args:
        folder: the store's.
        create: make the store if it is not there.
        program: who asks, for the catalogue's own record.

    Raises:
        StoreError: it is not there, damaged, foreign, newer or out of reach.
    """
    place, path = str(folder), folder / CATALOGUE
    with told(place):
        if not path.exists():
            if not create:
                _refuse_absent(folder, place)
            _make(folder, place, program)
        _check_header(path, place)
    catalogue = Catalogue(_engine(path, _journal(folder)), place, keeps_parts=False)
    try:
        _check(catalogue, folder, program)
    except BaseException:
        catalogue.close()
        raise
    return catalogue


def _check(catalogue: Catalogue, folder: Path, program: str) -> None:
    with catalogue.reading() as connection:
        version = version_of(connection, catalogue.place)
        refuse_newer(version, connection, catalogue.place)
    if version < tables.SCHEMA_VERSION:
        with _locked(folder):
            migrate(catalogue, program)


def _refuse_absent(folder: Path, place: str) -> None:
    if (folder / PARTS).is_dir():
        raise damaged(place, f"{CATALOGUE} is missing, and {PARTS}/ is there")
    hint = "`rpolab run` makes one where it runs; or name another with --store"
    raise StoreAbsentError(place, "there is no store here", hint)


def _check_header(path: Path, place: str) -> None:
    """Refuses a file that SQLite would take for an empty database, or for somebody else's."""
    with path.open("rb") as file:
        header = file.read(72)
    if not header.startswith(_MAGIC) or len(header) < 72:
        what = "is empty" if not header else "is no SQLite database"
        raise damaged(place, f"{CATALOGUE} {what}")
    if int.from_bytes(header[68:72]) != tables.APPLICATION_ID:
        raise StoreError(place, f"{CATALOGUE} is not of this program", "name another folder")


def _journal(folder: Path) -> str:
    return "DELETE" if is_on_network(folder) else "WAL"


def _engine(path: Path, journal: str) -> Engine:
    url = f"sqlite:///{path.resolve()}"
    engine = create_engine(url, connect_args={"timeout": BUSY_S, "isolation_level": None})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        for pragma in (f"journal_mode={journal}", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer asks for the lock at once: two readers that both became writers would deadlock.
        writes = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make(folder: Path, place: str, program: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(folder, place)  # before a lock is put into somebody else's folder
    with _locked(folder):
        _refuse_foreign(folder, place)
        if (folder / CATALOGUE).exists():
            return  # another process was faster
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        _build(folder, program)


def _refuse_foreign(folder: Path, place: str) -> None:
    names = {path.name for path in folder.iterdir()} - _OWN
    if (folder / CATALOGUE).exists():
        return
    if PARTS in names:
        raise damaged(place, f"{CATALOGUE} is missing, and {PARTS}/ is there")
    if names:
        problem = f"the folder holds other things, such as {min(names)}"
        raise StoreError(place, problem, "name an empty or a new folder: a store is kept alone")


def _build(folder: Path, program: str) -> None:
    for leftover in _NEW:
        (folder / leftover).unlink(missing_ok=True)
    new = folder / _NEW[0]
    engine = _engine(new, _journal(folder))
    with engine.execution_options(**{WRITING: True}).begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id={tables.APPLICATION_ID}")
        tables.metadata.create_all(connection)
        write_about(connection, program)
    engine.dispose()
    new.rename(folder / CATALOGUE)
    sync_folder(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds the folder's lock; a process that dies lets go of it."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
