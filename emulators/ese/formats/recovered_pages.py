"""The pages that hard recovery is about to write, in a file of the restore folder.

A page of a backup's image may be older than those that its nodes were moved to, and may have been
emptied and used again within the logs that are replayed, so that no order of writing is safe to be
cut off and redone. All pages are therefore put in this file first; from then on recovery goes on
from it. The layout is this project's own: one sector with checksum (as in headers, ese-format.md
C), magic number, page size, number of pages, the end of the log and, for each database, its last
page and newest dbtime; then each page with its database's place in restore.env and its number.

Fault model: the file is on disk as a whole before restore.env says that databases change. Damage
to it afterwards is found by the checksums of the sector and of each page, and refused.
"""

from dataclasses import dataclass
from struct import Struct

from emulators.ese.errors import ese_error
from emulators.ese.formats.checksum import block_checksum
from emulators.ese.formats.format import SECTOR_BYTES
from emulators.ese.formats.values import Lgpos

RECOVERED_PAGES_NAME = "restore.pag"
MAGIC = 0x47415052
DATABASES_MAX = 20

_FIXED = Struct("<IIIII8s")
_DATABASE = Struct("<Iq")
_PAGE_HEAD = Struct("<II")


@dataclass(frozen=True, slots=True)
class RecoveredPages:
    """The first sector of the file.

    Args:
        page_bytes: size of a page.
        count: how many pages follow.
        end: where the log ends that the pages are brought up to.
        databases: last page and newest dbtime of each database, as restore.env lists them.
    """

    page_bytes: int
    count: int
    end: Lgpos
    databases: tuple[tuple[int, int], ...]

    def pack(self) -> bytes:
        """Return the bytes of the sector."""
        assert len(self.databases) <= DATABASES_MAX, "a group has fewer databases"
        fields = _FIXED.pack(
            0, MAGIC, self.page_bytes, self.count, len(self.databases), self.end.pack()
        )
        block = fields + b"".join(_DATABASE.pack(*each) for each in self.databases)
        block = block.ljust(SECTOR_BYTES, b"\0")
        return block_checksum(block).to_bytes(4, "little") + block[4:]

    @classmethod
    def unpack(cls, block: bytes) -> "RecoveredPages":
        """Read the sector; raises EseError -1003 when it is damaged."""
        is_whole = len(block) == SECTOR_BYTES and _FIXED.unpack_from(block)[:2] == (
            block_checksum(block),
            MAGIC,
        )
        if not is_whole:
            where = f"{RECOVERED_PAGES_NAME}: its first sector is damaged"
            raise ese_error(-1003, where, "restore the backup again, and recover it anew")
        _, _, page_bytes, count, databases, end = _FIXED.unpack_from(block)
        found = (
            _DATABASE.unpack_from(block, _FIXED.size + index * _DATABASE.size)
            for index in range(databases)
        )
        return cls(
            page_bytes, count, Lgpos.unpack(end), tuple((last, time) for last, time in found)
        )

    def place_of(self, number: int) -> int:
        """Return the offset in the file of a page's entry."""
        return SECTOR_BYTES + number * self.entry_bytes

    @property
    def entry_bytes(self) -> int:
        """Size of a page with what stands before it."""
        return _PAGE_HEAD.size + self.page_bytes


def pack_entry(database: int, pgno: int, image: bytes) -> bytes:
    """Return a page with the place of its database in restore.env and its number."""
    return _PAGE_HEAD.pack(database, pgno) + image


def unpack_entry(entry: bytes) -> tuple[int, int, bytes]:
    """Return the place of the database in restore.env, the page's number, and the page."""
    database, pgno = _PAGE_HEAD.unpack_from(entry)
    return database, pgno, entry[_PAGE_HEAD.size :]
