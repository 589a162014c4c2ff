"""Which format a file is of, by what its own header says (ese-format.md B, G).

Tools look at whatever they are given; engines are configured for one format and refuse the others.
A database of a revision that no Exchange of `FORMATS` writes (Windows keeps many, with pages of 2
to 32 KB) gets a format of its own, with which its header and its pages' checksums can be read;
whatever follows for logs, catalog and records is not known for it.
"""

from dataclasses import replace
from struct import Struct
from typing import Protocol

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.checksum import block_checksum
from emulators.ese.formats.database_header import HEADER_MAGIC, FileType
from emulators.ese.formats.format import (
    EXCHANGE_2007,
    FORMATS,
    LOG_HEADER_BYTES,
    Format,
    archive_generation,
    current_name,
)
from emulators.ese.formats.page_verification import VERIFIABLE_PAGE_BYTES

_PAGE_BYTES_UNSTATED = 4096
_DATABASE_BYTES_MIN = 671
_DATABASE = Struct("<II224xII427xI")
_LOG = Struct("<I8xHH")


class Reader(Protocol):
    """What headers are read from."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes of a file."""


class NamedReader(Reader, Protocol):
    """A reader that knows which files there are."""

    def names(self) -> list[str]:
        """Return all names, sorted."""


def format_of(revision: int, page_bytes: int) -> Format:
    """Return the format of a database, one of `FORMATS` or one made up for it."""
    for known in FORMATS:
        if (known.revision, known.page_bytes) == (revision, page_bytes):
            return known
    name = f"ESE 0x620,{revision:#x}, {page_bytes // 1024} KB"
    return replace(EXCHANGE_2007, name=name, revision=revision, page_bytes=page_bytes)


def detect_database(files: Reader, name: str) -> Format:
    """Return the format of a database or streaming file, by its header or, if need be, its shadow.

    Raises:
        EseError: -1206 when neither is whole, and what reading the file raises.
    """
    offsets = (0, *VERIFIABLE_PAGE_BYTES)
    for offset in offsets:
        block = files.read(name, offset, max(VERIFIABLE_PAGE_BYTES))
        found = _stated_format(block)
        if found is not None and offset in (0, found.page_bytes):
            return found
    hint = "restore the database from a copy or a backup"
    raise ese_error(-1206, f"{name}: header and shadow are damaged", hint)


def detect_log(files: Reader, name: str) -> Format | None:
    """Return the format of a log file, or None when its header is of none of them or unreadable.

    The two formats of Exchange 2003 have logs of the same size; the newer reads both.
    """
    try:
        block = files.read(name, 0, LOG_HEADER_BYTES)
    except EseError:
        return None
    if len(block) < LOG_HEADER_BYTES:
        return None
    checksum, sectors, page_bytes = _LOG.unpack_from(block)
    if checksum != block_checksum(block):
        return None
    for known in reversed(FORMATS):
        if (sectors, page_bytes or _PAGE_BYTES_UNSTATED) == (known.log_sectors, known.page_bytes):
            return known
    return None


def detect_log_set(files: NamedReader, prefix: str) -> Format | None:
    """Return the format of the logs of a base name, or None when no log tells.

    Args:
        files: where the logs lie.
        prefix: their base name, such as 'E00'.
    """
    for name in files.names():
        found = detect_log(files, name) if _is_log(name, prefix) else None
        if found is not None:
            return found
    return None


def _is_log(name: str, prefix: str) -> bool:
    if name.upper() == current_name(prefix).upper():
        return True
    return any(archive_generation(name, prefix, known) is not None for known in FORMATS)


def _stated_format(block: bytes) -> Format | None:
    if len(block) < _DATABASE_BYTES_MIN:
        return None
    checksum, magic, revision, stated_bytes, file_type = _DATABASE.unpack_from(block)
    page_bytes = stated_bytes or _PAGE_BYTES_UNSTATED
    if magic != HEADER_MAGIC or page_bytes not in VERIFIABLE_PAGE_BYTES:
        return None
    if file_type not in set(FileType) or checksum != block_checksum(block[:page_bytes]):
        return None
    return format_of(revision, page_bytes)


assert _DATABASE.size == _DATABASE_BYTES_MIN, "the fields of a database header do not add up"
