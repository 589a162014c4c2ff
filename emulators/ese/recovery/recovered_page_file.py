"""Putting recovered pages in a file of the restore folder, and from there in the databases.

Fault model: see formats/recovered_pages. Writing the pages again, after a cut, does no harm as
long as the databases are backup images still.
"""

from collections.abc import Callable, Sequence

from emulators.ese.errors import ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import SECTOR_BYTES
from emulators.ese.formats.page import page_offset
from emulators.ese.formats.recovered_pages import (
    RECOVERED_PAGES_NAME,
    RecoveredPages,
    pack_entry,
    unpack_entry,
)
from emulators.ese.formats.values import Lgpos
from emulators.ese.recovery.replayed_database import ReplayedDatabase


def write_page_file(
    folder: FileSet, databases: Sequence[ReplayedDatabase], page_bytes: int, end: Lgpos
) -> None:
    """Put all changed pages of the databases in the file; it is on disk as a whole afterwards."""
    name = RECOVERED_PAGES_NAME
    folder.create(name)
    empty = RecoveredPages(page_bytes, 0, end, ())
    count = 0
    for index, database in enumerate(databases):
        for write in database.changed_pages(end.generation):
            folder.write(name, empty.place_of(count), pack_entry(index, write.pgno, write.image))
            count += 1
    listed = tuple((database.last_pgno, database.dbtime) for database in databases)
    folder.write(name, 0, RecoveredPages(page_bytes, count, end, listed).pack())
    folder.flush(name)


def read_page_file(folder: FileSet) -> RecoveredPages:
    """Return the head of the file; raises EseError -1811 or -1003."""
    head = RecoveredPages.unpack(folder.read(RECOVERED_PAGES_NAME, 0, SECTOR_BYTES))
    size = folder.size(RECOVERED_PAGES_NAME)
    if size < head.place_of(head.count):
        where = f"{RECOVERED_PAGES_NAME}: {size} bytes, it should have {head.place_of(head.count)}"
        raise ese_error(-1003, where, "restore the backup again, and recover it anew")
    return head


def put_pages(
    files: FileSet,
    folder: FileSet,
    head: RecoveredPages,
    name_of: Callable[[int], str | None],
) -> int:
    """Write the pages of the file into the databases; return how many.

    Args:
        files: where the databases lie.
        folder: the restore folder.
        head: of the file.
        name_of: the file of a database by its place in restore.env, None when it is done already.
    """
    names = [name_of(index) for index in range(len(head.databases))]
    for name, (last_pgno, _) in zip(names, head.databases, strict=True):
        size = page_offset(last_pgno + 1, head.page_bytes)
        if name is not None and files.size(name) < size:
            files.truncate(name, size)
    written = 0
    for number in range(head.count):
        entry = folder.read(RECOVERED_PAGES_NAME, head.place_of(number), head.entry_bytes)
        index, pgno, image = unpack_entry(entry)
        name = names[index]
        if name is not None:
            files.write(name, page_offset(pgno, head.page_bytes), image)
            written += 1
    for name in names:
        if name is not None:
            files.flush(name)
    return written
