"""A store on a database in memory, whose structure and counters can be checked at any time."""

from checker import check_trees

from emulators.ese.formats.values import Lgpos
from emulators.ese.trees.database import Database, DatabaseBuilder
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.isinteg_tests import TESTS, Rows
from emulators.exchange.message import Message
from emulators.exchange.store import STORE_TABLES, Store


class Office:
    """A database in memory that can be written to, and opened anew for reading."""

    def __init__(self):
        builder = DatabaseBuilder(STORE_TABLES)
        self.cache = PageCache(self.never)
        for page in builder.pages().values():
            self.cache.adopt(page)
        self.last_pgno = builder.pages_total
        self.editor = Editor(self.cache, self.log, builder.dbtime)
        space = Space(self.cache, self.editor, self.grow)
        self.database = Database(self.cache, self.editor, space)
        self.store = Store(self.database)
        self.transactions = 0
        self.position = 0

    def never(self, pgno):
        raise AssertionError(f"page {pgno} was read before it was made")

    def log(self, record):
        self.position += len(record)
        return Lgpos(1, 8 + self.position, 0)

    def grow(self, pages):
        self.last_pgno += pages
        return self.last_pgno

    def begin(self):
        self.transactions += 1
        return Transaction(self.editor, self.transactions)

    def do(self, operation, *arguments, **options):
        """Carry out one operation of the store in a transaction of its own."""
        transaction = self.begin()
        result = operation(transaction, *arguments, **options)
        transaction.commit()
        return result

    def mailbox(self, name):
        return self.do(self.store.create_mailbox, name)

    def deliver(self, mailbox, folder, message, **options):
        return self.do(self.store.deliver, mailbox.folders[folder], message, **options)

    def reopened(self):
        return Store(Database(self.cache))

    def findings(self):
        """Return what isinteg finds, by test."""
        rows = Rows.of(self.reopened())
        return {test.name: found for test in TESTS if (found := [f.text for f in test.find(rows)])}

    def repair(self):
        """Repair what isinteg finds, each test after those before it."""
        for test in TESTS:
            for finding in list(test.find(Rows.of(self.store))):
                self.do(finding.repair)

    def check(self):
        """Structure and counters are right."""
        findings = check_trees(self.cache.page, self.roots(), self.last_pgno)
        assert findings.problems == []
        assert not findings.leaked
        assert self.findings() == {}

    def roots(self):
        roots = [1, 4, 7, 10, 24]
        for table in self.database.tables():
            trees = [table.tree, *(index.tree for index in table.indexes.values())]
            if table.long_values:
                trees.append(table.long_values.tree)
            roots += [tree.tree.fdp for tree in trees]
        return roots


def message(body=(b"text",), **fields):
    values = {
        "sender": "ann@example.com",
        "recipients": ("bob@example.com",),
        "subject": "Hello",
        "internet_message_id": "<1@example.com>",
        "sent_ns": 7,
    }
    return Message(body=body, **values | fields)
