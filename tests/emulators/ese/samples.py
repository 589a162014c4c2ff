"""A small database with every kind of tree, whose pages can be broken one by one.

Messages have two indexes and long values, one of them shared; the catalogue of long names has two
levels of branches. NULL is only in the last of the fixed columns, as esedbexport prints it as 0 in
others.
"""

import struct

from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.checksum import page_checksum
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.page import Page, page_offset
from emulators.ese.formats.schema import ColumnType, build_index, build_table
from emulators.ese.formats.values import LogTime, Signature
from emulators.ese.recovery.opened import open_database
from emulators.ese.trees.bulk_load import BulkLoader

DATABASE = "MDB1.edb"
NOW_NS = 1_180_951_200 * 10**9
MESSAGES = build_table(
    "Msg",
    (
        ("Id", ColumnType.LONG),
        ("Size", ColumnType.UNSIGNED_LONG),
        ("Folder", ColumnType.SHORT),
        ("Subject", ColumnType.TEXT),
        ("Body", ColumnType.LONG_BINARY),
    ),
    ("Id",),
    (build_index("Folder", ("Folder",)), build_index("Size", ("Size",), unique=True)),
)
FOLDERS = build_table("Folder", (("Id", ColumnType.LONG), ("Name", ColumnType.TEXT)), ("Id",))
NAMES = build_table(
    "Name", (("Name", ColumnType.TEXT), ("Data", ColumnType.LONG_BINARY)), ("Name",)
)
TABLES = (MESSAGES, FOLDERS, NAMES)


def message_rows(count=120, body_bytes=20_000):
    """Every tenth message has a body of several chunks."""
    for number in range(1, count + 1):
        size = body_bytes if number % 10 == 0 else 380
        body = number.to_bytes(4, "little") * (size // 4)
        folder = None if number % 7 == 0 else number % 3
        yield number, number * 17, folder, f"Subject {number}", body


def name_rows(count=240):
    for number in range(count):
        yield f"{number:06}" + "N" * 190, number.to_bytes(2, "big") * 500


def sample_rows():
    """The rows of each table, by its name."""
    folders = [(number, f"Folder {number}") for number in range(1, 6)]
    return {"Msg": list(message_rows()), "Folder": folders, "Name": list(name_rows())}


def sample_files(file_format=EXCHANGE_2007):
    """The database as a file in memory."""
    files = MemoryFiles()
    loader = BulkLoader(files, DATABASE, file_format, TABLES)
    for name, rows in sample_rows().items():
        loader.load(name, rows)
    loader.finish(Signature(7, LogTime.from_ns(NOW_NS), ""), LogTime.from_ns(NOW_NS))
    return files


def copy_of(files):
    return MemoryFiles({name: files.read(name, 0, files.size(name)) for name in files.names()})


def rows_of(files, file_format=EXCHANGE_2007):
    """All rows of a database, by table."""
    database = open_database(files, DATABASE, file_format)
    return {table.definition.name: list(table.rows()) for table in database.tables()}


class Pages:
    """The pages of a file, to read and to write back with a right checksum."""

    def __init__(self, files, page_bytes=8192):
        self.files = files
        self.page_bytes = page_bytes

    @property
    def last_pgno(self):
        return self.files.size(DATABASE) // self.page_bytes - 2

    def image(self, pgno):
        return self.files.read(DATABASE, page_offset(pgno, self.page_bytes), self.page_bytes)

    def page(self, pgno):
        return Page.from_bytes(self.image(pgno), pgno)

    def all(self):
        """Every page that was ever written."""
        numbers = range(1, self.last_pgno + 1)
        return [self.page(pgno) for pgno in numbers if any(self.image(pgno))]

    def of(self, objid, flags=0):
        """The pages of one object that have these flags."""
        return [p for p in self.all() if p.objid_fdp == objid and p.flags & flags == flags]

    def put(self, page):
        self.write(page.pgno, page.to_bytes(page.pgno))

    def write(self, pgno, image):
        self.files.write(DATABASE, page_offset(pgno, self.page_bytes), image)

    def patch(self, pgno, offset, data):
        """Change bytes of a page and seal it again."""
        image = bytearray(self.image(pgno))
        image[offset : offset + len(data)] = data
        self.write(pgno, sealed_page(bytes(image), pgno))

    def flip(self, pgno, offset=100):
        """Change a byte of a page and leave its checksum as it was."""
        image = bytearray(self.image(pgno))
        image[offset] ^= 0x10
        self.write(pgno, bytes(image))


def sealed_page(image, pgno):
    """The bytes of a page with its checksum in the first 8 of them."""
    return struct.pack("<II", *page_checksum(image, pgno)) + image[8:]
