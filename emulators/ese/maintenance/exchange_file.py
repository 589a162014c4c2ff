"""Puts a new database file in the place of an old one, so that one of them is always whole."""

import zlib

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet
from emulators.ese.formats.values import LogTime, Signature

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


def new_signature(old: Signature, now_ns: int) -> Signature:
    """Return the signature of a database that was made from another at that time.

    It has no chance in it: the same database at the same time gives the same bytes.
    """
    created = LogTime.from_ns(now_ns)
    return Signature(zlib.crc32(old.pack() + now_ns.to_bytes(8, "little")), created, "")
