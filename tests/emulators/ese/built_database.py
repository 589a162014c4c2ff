"""A database file built through the trees, without a log or a simulated disk."""

from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.page import HEADER_PAGES, page_offset
from emulators.ese.formats.schema import ColumnType, build_table
from emulators.ese.formats.values import Lgpos, LogTime, Signature
from emulators.ese.trees.database import Database, DatabaseBuilder
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.transaction import Transaction

TIME = LogTime.from_ns(1_180_000_000_123_000_000)
ITEMS = build_table(
    "Item",
    (
        ("Id", ColumnType.LONG),
        ("Unread", ColumnType.BIT),
        ("Subject", ColumnType.TEXT),
        ("Body", ColumnType.LONG_BINARY),
        ("Attachment", ColumnType.LONG_BINARY),
    ),
    ("Id",),
)


class BuiltDatabase:
    """Tables of one format in memory, and the clean file that they make."""

    def __init__(self, file_format, tables=(ITEMS,)):
        self.file_format = file_format
        builder = DatabaseBuilder(tables, file_format)
        self.objid_last = builder.objid_last
        self.last_pgno = builder.pages_total
        self.cache = PageCache(self._never, file_format)
        for page in builder.pages().values():
            self.cache.adopt(page)
        self.editor = Editor(self.cache, lambda _: Lgpos(1, 8, 22), builder.dbtime)
        self.database = Database(
            self.cache, self.editor, Space(self.cache, self.editor, self._grow)
        )

    def insert(self, rows, table="Item"):
        transaction = Transaction(self.editor, 1)
        for row in rows:
            self.database.table(table).insert(transaction, row)
        transaction.commit()

    def pages(self):
        return self.cache.resident()

    def files(self, name="MDB1.edb"):
        page_bytes = self.file_format.page_bytes
        header = DatabaseHeader(
            self.file_format,
            signature=Signature(0x1234, TIME, ""),
            log_signature=Signature(0x5678, TIME, ""),
            dbtime=self.editor.dbtime,
            objid_last=self.objid_last,
            state=DatabaseState.CLEAN_SHUTDOWN,
            consistent=Lgpos(2, 8, 0x16),
            consistent_time=TIME,
            detach=Lgpos(2, 8, 0x16),
            detach_time=TIME,
        ).pack()
        files = MemoryFiles()
        files.create(name, (self.last_pgno + HEADER_PAGES) * page_bytes)
        files.write(name, 0, header + header)
        for pgno, page in self.pages().items():
            files.write(name, page_offset(pgno, page_bytes), page.to_bytes())
        return files

    def _never(self, pgno):
        raise AssertionError(f"page {pgno} was read before it was made")

    def _grow(self, pages):
        self.last_pgno += pages
        return self.last_pgno
