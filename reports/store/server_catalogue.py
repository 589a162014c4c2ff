"""A catalogue in PostgreSQL, with the parts inside: a team needs to share nothing but the server.

Entries and their parts are one transaction there, so that a dead writer leaves nothing behind.
"""

from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.exc import NoSuchModuleError

from reports.store import tables
from reports.store.catalogue import Catalogue, refuse_newer, version_of, write_about
from reports.store.errors import StoreAbsentError, StoreError, damaged
from reports.store.locations import ServerLocation
from reports.store.migrations import migrate

CONNECT_S = 10


def open_server(location: ServerLocation, *, create: bool, program: str) -> Catalogue:
    """Opens the catalogue of a database.

    Args:
        location: the database.
        create: make the tables if there are none.
        program: who asks, for the catalogue's own record.

    Raises:
        StoreError: the driver is missing, the server is out of reach, or the store is not there,
            damaged or newer.
    """
    place = str(location)
    catalogue = Catalogue(_engine(location, place), place, keeps_parts=True)
    try:
        _prepare(catalogue, program, create=create)
    except BaseException:
        catalogue.close()
        raise
    return catalogue


def _engine(location: ServerLocation, place: str) -> Engine:
    arguments = {"connect_timeout": CONNECT_S, "application_name": "rpolab"}
    try:
        return create_engine(location.url, connect_args=arguments, pool_pre_ping=True)
    except (ImportError, NoSuchModuleError):
        hint = "install it: pip install 'rpolab[postgresql]'"
        raise StoreError(place, "the driver psycopg is missing", hint) from None


def _prepare(catalogue: Catalogue, program: str, *, create: bool) -> None:
    with catalogue.reading() as connection:
        present = _present(connection)
        if tables.about.name in present:
            version = version_of(connection, catalogue.place)
            refuse_newer(version, connection, catalogue.place)
        elif present:
            raise damaged(catalogue.place, f"of the tables there are only {sorted(present)}")
        else:
            version = 0
    if version == 0 and not create:
        hint = "`rpolab run --store URL` makes one"
        raise StoreAbsentError(catalogue.place, "there is no store in this database", hint)
    if version == 0:
        _make(catalogue, program)
    elif version < tables.SCHEMA_VERSION:
        migrate(catalogue, program)


def _present(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) & set(tables.metadata.tables)


def _make(catalogue: Catalogue, program: str) -> None:
    with catalogue.writing() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({tables.APPLICATION_ID})")
        if _present(connection):
            return  # another process was faster
        tables.metadata.create_all(connection)
        write_about(connection, program)
