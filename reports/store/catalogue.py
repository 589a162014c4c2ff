"""The catalogue: a database that tells which entries there are, opened with care.

What is promised: a transaction is there as a whole or not at all, and once committed it stays,
through the death of any process and, as far as the disk keeps its promises, of the machine. A
catalogue that is damaged, foreign or newer is refused and left as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from reports.store import tables
from reports.store.errors import StoreVersionError, damaged, told

WRITING = "rpolab_writing"


class Catalogue:
    """An open catalogue.

    Attributes:
        engine: the connections to it.
        place: its name in messages, without a password.
        keeps_parts: whether parts lie in its tables, and not in files beside it.
    """

    def __init__(self, engine: Engine, place: str, *, keeps_parts: bool) -> None:
        self.engine = engine
        self.place = place
        self.keeps_parts = keeps_parts
        self._writer = engine.execution_options(**{WRITING: True})

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads: it sees one state of the catalogue, and waits for none.

        Raises:
            StoreError: the catalogue cannot be used.
        """
        with told(self.place), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; SQLite has one at a time, and the others wait for it.

        Raises:
            StoreError: the catalogue cannot be used; nothing of the transaction remains.
        """
        with told(self.place), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()


def write_about(connection: Connection, program: str) -> None:
    """Notes the schema's version and who made the store."""
    version = str(tables.SCHEMA_VERSION)
    rows = {"schema_version": version, "made_by": program, "changed_by": program}
    connection.execute(
        insert(tables.about), [{"name": name, "value": value} for name, value in rows.items()]
    )


def version_of(connection: Connection, place: str) -> int:
    """The version of an open catalogue's schema.

    Raises:
        StoreDamagedError: it does not say.
    """
    about = read_about(connection, place)
    text = about.get("schema_version", "")
    if not text.isdecimal() or int(text) < 1:
        raise damaged(place, f"the catalogue says that its version is '{text}'")
    return int(text)


def refuse_newer(version: int, connection: Connection, place: str) -> None:
    """Refuses a catalogue that this program is too old for.

    Raises:
        StoreVersionError: the version is above ours.
    """
    if version <= tables.SCHEMA_VERSION:
        return
    by = read_about(connection, place).get("changed_by") or "a newer program"
    known = tables.SCHEMA_VERSION
    message = f"this is a store of version {version}, and this program knows up to {known}"
    hint = f"use {by}, or another store; nothing was changed"
    raise StoreVersionError(place, message, hint)


def read_about(connection: Connection, place: str) -> dict[str, str]:
    """What the catalogue says of itself, by name.

    Raises:
        StoreDamagedError: the table is not there.
    """
    query = select(tables.about.c.name, tables.about.c.value)
    try:
        return {row.name: row.value for row in connection.execute(query)}
    except (OperationalError, ProgrammingError) as error:
        raise _without_about(error, place) from error


def _without_about(error: OperationalError | ProgrammingError, place: str) -> Exception:
    text = str(error.orig).lower()
    if "no such table" in text or "does not exist" in text or "undefined" in text:
        return damaged(place, "the catalogue does not say what it is")
    return error
