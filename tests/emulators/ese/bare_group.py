"""One table and its index with their log and pages, without simulated time, disks and processes.

Everything that turns a row into bytes is the real thing: records, framing with checksums, group
commit, the roll, and pages written once their generation is closed. The bytes go to dictionaries.
"""

from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.log_stream import LogFrame, blank_log
from emulators.ese.formats.schema import ColumnType, build_index, build_table
from emulators.ese.formats.values import Lgpos
from emulators.ese.running.log_buffer import LogBuffer
from emulators.ese.trees.database import Database, DatabaseBuilder
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.transaction import Transaction

LOG_BYTES = EXCHANGE_2007.log_bytes
CHECKPOINT_DEPTH = 4
"""Generations by which pages may trail the log."""

ITEMS = build_table(
    "Items",
    (
        ("Id", ColumnType.LONG),
        ("Received", ColumnType.CURRENCY),
        ("Unread", ColumnType.BIT),
        ("Size", ColumnType.LONG),
        ("Sender", ColumnType.TEXT),
        ("Subject", ColumnType.TEXT),
        ("Content", ColumnType.LONG_BINARY),
    ),
    ("Id",),
    (build_index("ByReceived", ("Unread", "Received")),),
)
TEXT = bytes(range(1, 256)) * 3


def rows_of(count, first=1):
    """Return rows whose records have 0.2 to 0.5 KB."""
    return [
        (
            number,
            number * 10**9,
            number % 2 == 0,
            number * 7,
            "ann@example.com",
            f"About number {number}",
            TEXT[number % 200 : number % 200 + 100 + number * 31 % 250],
        )
        for number in range(first, first + count)
    ]


class BareGroup:
    """The group: `insert` is one transaction, `flush` a group commit."""

    def __init__(self, definition=ITEMS):
        builder = DatabaseBuilder([definition])
        self.cache = PageCache(self._never)
        for page in builder.pages().values():
            self.cache.adopt(page)
        self._last_pgno = builder.pages_total
        self._buffer = LogBuffer(EXCHANGE_2007, LogFrame(1, LOG_BYTES))
        self._editor = Editor(self.cache, self._buffer.append, builder.dbtime)
        space = Space(self.cache, self._editor, self._grow)
        self.table = Database(self.cache, self._editor, space).table(definition.name)
        self.transactions = 0
        self.logs = {1: self._blank(1)}
        self.pages = {}
        self.pages_written = 0

    def insert(self, row):
        self.transactions += 1
        transaction = Transaction(self._editor, self.transactions)
        self.table.insert(transaction, row)
        transaction.commit()

    def insert_all(self, rows, per_flush):
        """Insert rows, each in a transaction, with a group commit every `per_flush` of them."""
        for number, row in enumerate(rows, 1):
            self.insert(row)
            if number % per_flush == 0:
                self.flush()
        self.flush()

    def flush(self):
        """Write the log out; where it rolled, also the pages that are due by then."""
        while True:
            self._write_log()
            if not self._buffer.flushing_is_closed:
                return
            self._buffer.rolled()
            generation = self._buffer.generation
            self.logs[generation] = self._blank(generation)
            self.write_pages(generation - 1, Lgpos(generation - CHECKPOINT_DEPTH, 0, 0))

    def write_pages(self, waypoint, older_than):
        due = self.cache.due(waypoint=waypoint, older_than=older_than)
        for level in self.cache.levels(due):
            for pgno in level:
                write = self.cache.take(pgno, waypoint=waypoint)
                if write is not None:
                    self.pages[pgno] = write.image
                    self.pages_written += 1

    def _write_log(self):
        frame = self._buffer.flushing
        log = self.logs[frame.generation]
        while frame.pending:
            offset, data = frame.flush()
            log[offset : offset + len(data)] = data

    def _grow(self, pages):
        self._last_pgno += pages
        return self._last_pgno

    @staticmethod
    def _blank(generation):
        return bytearray(b"".join(blank_log(bytes(4096), generation, LOG_BYTES)))

    @staticmethod
    def _never(pgno):
        raise AssertionError(f"page {pgno} is always in memory")
