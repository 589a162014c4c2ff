"""The streaming file (.stm) that Exchange 2003 keeps beside every database (exchange.md F8).

Fault model: a write of its header may be torn or lost; header and shadow are two copies, and either
alone is enough. A file that is missing is -1811; one that is damaged or of another database, or
of another moment of a clean one, is -540, and its database is neither mounted nor recovered.

Not modelled: its content. The product keeps there what Internet clients send, as it came; here all
of a message is in the .edb, so no mail is lost with a .stm, but without it there is no mount.
Nothing behind the header is read, and damage there is not noticed.

Assumptions, as the published engine has no streaming files any more: header and shadow are laid out
as those of the database, with file type 2 (published/inc/jethdr.w) and attribute 1 (attribSLV of
inc/daedef.hxx, obsolete); the pair is told by the database's signature and that of the streaming
file (signSLV), which equal one another; the streaming file has a page for sixteen of the database.

The order of writes makes every power cut harmless: the database's header becomes dirty before the
streaming file's, and clean after it. So a clean database always has a clean streaming file of the
same dbtime and position, and a dirty one may have any of its own.
"""

from dataclasses import replace
from pathlib import PurePath

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.database_header import DatabaseHeader, FileType, read_header
from emulators.ese.formats.format import Format
from emulators.ese.formats.page import HEADER_PAGES

DATABASE_PAGES_PER_STREAMING_PAGE = 16
STREAMING_SUFFIX = ".stm"

_HINT = "restore both files of the database from one backup, or from one point of a copy"


def streaming_name(database_name: str) -> str:
    """Return the name of the streaming file: MDB1.stm for MDB1.edb."""
    return str(PurePath(database_name).with_suffix(STREAMING_SUFFIX))


def streaming_bytes(last_pgno: int, file_format: Format) -> int:
    """Return the size of the streaming file of a database whose last page is `last_pgno`."""
    pages = -(-last_pgno // DATABASE_PAGES_PER_STREAMING_PAGE)
    return (HEADER_PAGES + pages) * file_format.page_bytes


def streaming_header(header: DatabaseHeader) -> DatabaseHeader:
    """Return the header that the streaming file has while the database has `header`."""
    return replace(header, file_type=FileType.STREAMING, image=b"")


def streaming_line(name: str, header: DatabaseHeader) -> str:
    """Return the line by which eseutil names the streaming file of a database, if it has one."""
    return f"  Streaming File: {streaming_name(name)}\n" if header.has_streaming_file else ""


def create(files: FileSet, name: str, header: DatabaseHeader, last_pgno: int) -> None:
    """Make the streaming file of a database.

    Args:
        files: where both files lie.
        name: the database.
        header: the database's header.
        last_pgno: the database's last page.
    """
    companion = streaming_name(name)
    files.create(companion, streaming_bytes(last_pgno, header.file_format))
    write_header(files, name, header)


def grow(files: FileSet, name: str, last_pgno: int, file_format: Format) -> None:
    """Make the streaming file as long as a database of `last_pgno` pages wants it."""
    companion = streaming_name(name)
    size = streaming_bytes(last_pgno, file_format)
    if files.size(companion) < size:
        files.truncate(companion, size)


def write_header(files: FileSet, name: str, header: DatabaseHeader) -> None:
    """Let header and shadow of the streaming file say what the database's say, on disk."""
    companion = streaming_name(name)
    block = streaming_header(header).pack()
    files.write(companion, 0, block + block)
    files.flush(companion)


def check_files(files: FileSet, name: str, header: DatabaseHeader) -> None:
    """Check that the database with `header` has its streaming file, where it needs one.

    Raises:
        EseError: -1811 when it is missing, -540 when it is damaged or not the right one.
    """
    if not header.has_streaming_file:
        return
    companion = streaming_name(name)
    if not files.exists(companion):
        raise ese_error(-1811, f"{companion}, which belongs to {name}", _HINT)
    try:
        found = read_header(files, companion, header.file_format, FileType.STREAMING)
    except EseError as damage:
        if damage.code not in (-1018, -1206, -1213):
            raise
        raise ese_error(-540, f"{companion}: {damage.where}", _HINT) from damage
    check_pair(header, found, companion)


def check_pair(header: DatabaseHeader, streaming: DatabaseHeader, where: str) -> None:
    """Check that two headers are of one database and, for a clean one, of one moment.

    Args:
        header: the database's.
        streaming: the streaming file's.
        where: the streaming file, for the error.

    Raises:
        EseError: -540 when they are not.
    """
    problem = _mismatch(header, streaming)
    if problem:
        raise ese_error(-540, f"{where}: {problem}", _HINT)


def _mismatch(header: DatabaseHeader, streaming: DatabaseHeader) -> str:
    if streaming.file_type is not FileType.STREAMING:
        return "it is no streaming file"
    if streaming.signature != header.signature:
        return "it belongs to another database"
    if streaming.streaming_signature != header.streaming_signature:
        return "it is another streaming file of this database"
    return _mismatch_when_clean(header, streaming) if header.is_clean else ""


def _mismatch_when_clean(header: DatabaseHeader, streaming: DatabaseHeader) -> str:
    if not streaming.is_clean:
        return "it was not shut down with the database"
    moment = (streaming.dbtime, streaming.consistent, streaming.consistent_time)
    if moment != (header.dbtime, header.consistent, header.consistent_time):
        return f"it is of dbtime {streaming.dbtime}, the database of {header.dbtime}"
    return ""
