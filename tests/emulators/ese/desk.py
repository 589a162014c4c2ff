"""A database in memory with its log, whose every prefix can be recovered.

Pages are written as a mounted database writes them: in batches, up to the last closed generation.
"""

from checker import check_tables

from emulators.ese.formats import log_records
from emulators.ese.formats.page import Page
from emulators.ese.formats.values import Lgpos
from emulators.ese.recovery.open_transactions import OpenTransactions
from emulators.ese.recovery.redo import Redo
from emulators.ese.recovery.undo import Undo
from emulators.ese.trees.database import Database, DatabaseBuilder
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import LGPOS_MAX, PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.transaction import Transaction


class Desk:
    """A database with the given tables: `disk` are its pages as written, `log` all since then."""

    def __init__(self, tables):
        builder = DatabaseBuilder(tables)
        self.last_pgno = builder.pages_total
        self.cache = PageCache(self.never)
        for page in builder.pages().values():
            self.cache.adopt(page)
        self.disk = {pgno: page.to_bytes(pgno) for pgno, page in builder.pages().items()}
        self.log = []
        self.transactions = 0
        self.generation = 1
        self.closed = 0
        self.checkpoint = 0
        self.committed = []
        self.rolls = bool
        self.open(self.cache, builder.dbtime)

    def open(self, cache, dbtime):
        self.cache = cache
        self.editor = Editor(cache, self.append, dbtime)
        self.space = Space(cache, self.editor, self.grow)
        self.database = Database(cache, self.editor, self.space)

    def never(self, pgno):
        raise AssertionError(f"page {pgno} was read before it was made")

    def append(self, record):
        self.log.append(record)
        if self.rolls():
            self.roll()
        return Lgpos(self.generation, len(self.log) - 1, 0)

    def grow(self, pages):
        self.last_pgno += pages
        return self.last_pgno

    def begin(self):
        self.transactions += 1
        return Transaction(self.editor, self.transactions)

    def commit(self, transaction):
        """Commit; returns how long the log is with the commit record."""
        end = len(self.log) + 1
        transaction.commit()
        self.committed.append((transaction.begin.sector, len(self.log)))
        return end

    def roll(self):
        """Close the generation: all of it is on disk."""
        self.generation += 1
        self.closed = len(self.log)

    def flush(self, keep=None):
        """Write what is due; `keep` says of each write whether a crash leaves it there.

        With `keep` the batch in which a write is lost is the last one.
        """
        due = self.cache.due(waypoint=self.generation - 1, older_than=LGPOS_MAX)
        for level in self.cache.levels(due):
            taken = (self.cache.take(pgno, waypoint=self.generation - 1) for pgno in level)
            writes = [write for write in taken if write is not None]
            kept = [write for write in writes if keep is None or keep(write.pgno)]
            self.disk.update((write.pgno, write.image) for write in kept)
            if len(kept) < len(writes):
                return
        # A commit that is not on disk holds the checkpoint back, as a mounted group does it.
        oldest = self.cache.oldest_dirty()
        needed = [self.closed, *(begin for begin, end in self.committed if end > self.closed)]
        self.checkpoint = min(needed if oldest == LGPOS_MAX else (*needed, oldest.sector))

    def mounted_again(self):
        """Write all pages, as recovery does at its end, and go on with none in memory."""
        self.roll()
        self.flush()
        assert self.cache.dirty_count == 0
        self.checkpoint = self.closed
        self.committed = []
        cache = PageCache(lambda pgno: Page.from_bytes(self.disk[pgno], pgno))
        self.open(cache, self.editor.dbtime)
        return self

    def check(self):
        findings = check_tables(self.cache.page, self.database.tables(), self.last_pgno)
        assert findings.problems == []
        return findings

    def recovered(self, records):
        """Return what recovery makes of the pages on disk and so many records of the log."""
        other = Desk.__new__(Desk)
        other.disk = dict(self.disk)
        other.transactions = self.transactions
        other.log = list(self.log[:records])
        other.generation, other.closed = self.generation + 1, records
        other.checkpoint = self.checkpoint
        other.rolls = bool
        other.committed = []
        other.last_pgno = self.last_pgno
        cache = PageCache(lambda pgno: Page.from_bytes(self.disk[pgno], pgno), keep_versions=False)
        redo = Redo(cache, self.disk.__contains__, lambda _: None, "desk")
        opened = OpenTransactions()
        for number in range(self.checkpoint, len(other.log)):
            decoded = log_records.decode(other.log[number])[0]
            opened.note(decoded)
            redo.apply(decoded, Lgpos(self.generation, number, 0))
        editor = Editor(cache, other.append, max(redo.dbtime, self.editor.dbtime))
        Undo(cache, editor, Space(cache, editor, other.grow)).run(opened)
        other.open(cache, editor.dbtime)
        return other
