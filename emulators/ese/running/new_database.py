"""Making the file of a new database.

Fault model: a crash while the pages are written leaves a file in state 'just created', which
nothing mounts or recovers. Once they are on disk the header says Clean Shutdown, and the database
is attached like any other: no instant lies between in which the log names a database that cannot
be recovered.
"""

from collections.abc import Generator, Sequence
from typing import Any

from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import Format
from emulators.ese.formats.page import HEADER_PAGES, page_offset
from emulators.ese.formats.schema import TableDefinition
from emulators.ese.formats.streaming_file import (
    streaming_bytes,
    streaming_header,
    streaming_name,
)
from emulators.ese.formats.values import Signature
from emulators.ese.trees.database import DatabaseBuilder
from sim.volume import Volume


def create_database_file(
    volume: Volume,
    name: str,
    tables: Sequence[TableDefinition],
    file_format: Format,
    *,
    signature: Signature,
    log_signature: Signature,
    dbid: int,
) -> Generator[Any, Any, None]:
    """Write a clean database with empty tables."""
    builder = DatabaseBuilder(tables, file_format)
    pages = builder.pages()
    header = DatabaseHeader(
        file_format=file_format,
        signature=signature,
        log_signature=log_signature,
        dbtime=builder.dbtime,
        objid_last=builder.objid_last,
        dbid=dbid,
    )
    page_bytes = file_format.page_bytes
    yield volume.create(name)
    yield from _write_header(volume, name, header)
    yield volume.truncate(name, (builder.pages_total + HEADER_PAGES) * page_bytes)
    for pgno, page in pages.items():
        yield volume.write(name, page_offset(pgno, page_bytes), (page.to_bytes(pgno),))
    yield volume.flush(name)
    header.state = DatabaseState.CLEAN_SHUTDOWN
    if header.has_streaming_file:
        yield from _create_streaming_file(volume, name, header, builder.pages_total)
    yield from _write_header(volume, name, header)
    yield volume.flush(name)


def _create_streaming_file(
    volume: Volume, database_name: str, header: DatabaseHeader, last_pgno: int
) -> Generator[Any, Any, None]:
    """Make the clean companion of a database of 2003 before the database is clean itself."""
    name = streaming_name(database_name)
    yield volume.create(name)
    yield volume.truncate(name, streaming_bytes(last_pgno, header.file_format))
    yield from _write_header(volume, name, streaming_header(header))
    yield volume.flush(name)


def _write_header(volume: Volume, name: str, header: DatabaseHeader) -> Generator[Any, Any, None]:
    block = header.pack()
    yield volume.write(name, 0, (block, block))
