"""Puts a new database file in the place of an old one, so that one of them is always whole."""

import zlib

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.values import SIGNATURE_ZERO, LogTime, Signature

_KEPT_ASIDE_SUFFIX = ".old"


def discard(files: FileSet, name: str) -> None:
    """Remove a file that was not completed; one that cannot be removed is left."""
    try:
        files.delete(name)
    except EseError:
        return


def put_in_place(files: FileSet, new: str, name: str, backup: str = "") -> None:
    """Rename `new` to `name`; the old file is removed, or kept as `backup`.

    A crash in between leaves the old file under its own or its other name.

    Raises:
        EseError: -1814 when the other name is taken.
    """
    aside = backup or name + _KEPT_ASIDE_SUFFIX
    files.rename(name, aside)
    files.rename(new, name)
    if not backup:
        files.delete(aside)


def made_anew(old: DatabaseHeader, now_ns: int) -> DatabaseHeader:
    """Return the header of a database made from another: one that no log and no backup knows.

    Its signature has no chance in it: the same database at the same time gives the same bytes.
    """
    now = LogTime.from_ns(now_ns)
    number = zlib.crc32(old.signature.pack() + now_ns.to_bytes(8, "little"))
    return DatabaseHeader(
        old.file_format,
        Signature(number, now, ""),
        SIGNATURE_ZERO,
        dbid=old.dbid,
        consistent_time=now,
        detach_time=now,
    )
