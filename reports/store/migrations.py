"""Older catalogues are brought forward: after a copy, in one transaction, step by step."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, inspect, update

from reports.store import tables
from reports.store.catalogue import Catalogue, refuse_newer, version_of
from reports.store.errors import damaged, told

# What brings a catalogue of a version to the next one. The first version has nothing before it.
STEPS: Mapping[int, Sequence[str]] = {}


def migrate(catalogue: Catalogue, program: str, steps: Mapping[int, Sequence[str]] = STEPS) -> None:
    """Brings a catalogue to the version of this program, or leaves it as it was.

    The copy is kept: `catalogue.sqlite.v1` beside an SQLite catalogue, tables whose names end in
    `_v1` in PostgreSQL.

    Args:
        catalogue: of an older version; nobody else makes or migrates it meanwhile.
        program: who does it, for the catalogue's own record.
        steps: the statements that lead from each version to the next.

    Raises:
        StoreDamagedError: the older catalogue is damaged, or lacks what the steps change.
    """
    if not catalogue.keeps_parts:
        _copy_file(catalogue)
    with catalogue.writing() as connection:
        if catalogue.keeps_parts:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({tables.APPLICATION_ID})")
        version = version_of(connection, catalogue.place)
        refuse_newer(version, connection, catalogue.place)
        if catalogue.keeps_parts and version < tables.SCHEMA_VERSION:
            _copy_tables(connection, version)
        for number in range(version, tables.SCHEMA_VERSION):
            if number not in steps:
                raise damaged(catalogue.place, f"no way is known from version {number}")
            for statement in steps[number]:
                connection.exec_driver_sql(statement)
        _note(connection, "schema_version", str(tables.SCHEMA_VERSION))
        _note(connection, "changed_by", program)


def _note(connection: Connection, name: str, value: str) -> None:
    table = tables.about
    connection.execute(update(table).where(table.c.name == name).values(value=value))


def _copy_file(catalogue: Catalogue) -> None:
    """Copies an SQLite catalogue as of one moment, write-ahead log included, once a version."""
    source = Path(str(catalogue.engine.url.database))
    with catalogue.reading() as connection:
        version = version_of(connection, catalogue.place)
        problem = connection.exec_driver_sql("PRAGMA quick_check").scalar()
    if problem != "ok":
        raise damaged(catalogue.place, f"the catalogue is damaged: {problem}")
    target = source.with_name(f"{source.name}.v{version}")
    if target.exists() or version >= tables.SCHEMA_VERSION:
        return
    unfinished = target.with_name(f"{target.name}.new")
    unfinished.unlink(missing_ok=True)
    with told(catalogue.place):
        old, new = sqlite3.connect(source), sqlite3.connect(unfinished)
        try:
            old.backup(new)
        finally:
            new.close()
            old.close()
        unfinished.rename(target)


def _copy_tables(connection: Connection, version: int) -> None:
    for name in sorted(inspect(connection).get_table_names()):
        if name in tables.metadata.tables:
            connection.exec_driver_sql(f'CREATE TABLE "{name}_v{version}" AS TABLE "{name}"')
