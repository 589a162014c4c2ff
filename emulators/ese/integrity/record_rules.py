"""The rules of a table's records: each decodes, has the key of its row, and is in every index.

Of a later engine's tables, keys are compared only where `judgement` says that they can be computed;
of the other indexes it is known that every entry leads to a row.
"""

from collections import Counter
from collections.abc import Sequence
from struct import error

from emulators.ese.errors import EseError
from emulators.ese.formats.catalog import CatalogEntry, IndexDefinition
from emulators.ese.formats.key import RowKey
from emulators.ese.formats.page import NODE_DELETED, Page
from emulators.ese.formats.record import RecordCodec, Separated, Unread, Value
from emulators.ese.formats.schema import Index
from emulators.ese.integrity.findings import Findings, Rule
from emulators.ese.integrity.judgement import has_known_entries, has_known_key

_LISTED_MAX = 9


class IndexRules:
    """The entries that a secondary index must have: one for each row that it covers.

    Args:
        entry: the table.
        index: its index.
        findings: where violations are noted.
    """

    def __init__(self, entry: CatalogEntry, index: IndexDefinition, findings: Findings) -> None:
        self.index = index
        self._findings = findings
        self._nulls = Index(index.name, index.columns, index.flags)
        self._key = RowKey(entry.definition, index.columns)
        self._expected: set[tuple[bytes, bytes]] = set()

    def expect(self, row: Sequence[Value], primary: bytes) -> None:
        """Take note of a row with that primary key."""
        if self._nulls.has_entry(self._key.nulls_of(row)):
            self._expected.add((key_of(self._key, row) or b"", primary))

    def visit(self, _fdp: int, leaf: Page) -> None:
        """Strike out the entries of a leaf."""
        name = self.index.name
        for key, data, flags in zip(leaf.keys, leaf.datas, leaf.node_flags, strict=True):
            if flags & NODE_DELETED:
                continue
            text = f"index {name}: entry {key.hex()} is of no row"
            if self._findings.must((key, data) in self._expected, Rule.INDEX, leaf.pgno, text):
                self._expected.discard((key, data))

    def finish(self) -> None:
        """Note the rows whose entries were not met."""
        missing = sorted(key.hex() for key, _ in self._expected)[:_LISTED_MAX]
        text = f"index {self.index.name}: {len(self._expected)} rows have no entry: {missing}"
        self._findings.must(not missing, Rule.INDEX, self.index.fdp, text)


class ForeignIndexRules:
    """The entries of an index whose keys cannot be computed: each leads to a row.

    Args:
        index: the index.
        findings: where violations are noted.
    """

    def __init__(self, index: IndexDefinition, findings: Findings) -> None:
        self.index = index
        self._findings = findings
        self._primaries: set[bytes] = set()

    def expect(self, _row: Sequence[Value], primary: bytes) -> None:
        """Take note of a row with that primary key."""
        self._primaries.add(primary)

    def visit(self, _fdp: int, leaf: Page) -> None:
        """Check where the entries of a leaf lead."""
        name = self.index.name
        for key, data, flags in zip(leaf.keys, leaf.datas, leaf.node_flags, strict=True):
            if not flags & NODE_DELETED:
                text = f"index {name}: entry {key.hex()} is of no row"
                self._findings.must(data in self._primaries, Rule.INDEX, leaf.pgno, text)
                self._findings.not_judged["keys of index entries"] += 1

    def finish(self) -> None:
        """Note that it is unknown whether rows have no entry."""
        self._findings.not_judged["indexes: whether each row has its entry"] += 1


class RecordRules:
    """Follows the records of one table.

    Args:
        entry: the table as the catalog describes it.
        findings: where violations are noted.
        is_of_later_engine: whether what is not understood is counted as not judged.

    `references` counts how often each long value is referred to, `count` the rows, `unread` the
    values that were not understood.
    """

    def __init__(
        self, entry: CatalogEntry, findings: Findings, *, is_of_later_engine: bool = False
    ) -> None:
        self._name = entry.definition.name
        self._findings = findings
        self._codec = RecordCodec(entry.definition, is_of_later_engine=is_of_later_engine)
        self._key = None
        if not is_of_later_engine or has_known_key(entry.definition):
            self._key = RowKey(entry.definition)
        self.indexes: list[IndexRules | ForeignIndexRules] = [
            ForeignIndexRules(index, findings)
            if is_of_later_engine and not has_known_entries(entry.definition, index)
            else IndexRules(entry, index, findings)
            for index in entry.indexes
        ]
        self.references: Counter[int] = Counter()
        self.count = 0
        self.unread = 0

    def visit(self, _fdp: int, leaf: Page) -> None:
        """Take in the records of a leaf."""
        for key, data, flags in zip(leaf.keys, leaf.datas, leaf.node_flags, strict=True):
            if not flags & NODE_DELETED:
                self.record(leaf.pgno, key, data)

    def record(self, pgno: int, key: bytes, data: bytes) -> None:
        """Take in one record."""
        self.count += 1
        try:
            row = self._codec.decode(data, self._name)
        except EseError as damage:
            self._findings.must(False, Rule.RECORD, pgno, f"node {key.hex()}: {damage.where}")
            return
        self._check_key(pgno, key, row)
        for value in row:
            if isinstance(value, Separated):
                self.references[value.lid] += 1
            elif isinstance(value, Unread):
                self.unread += 1
                self._findings.not_judged["compressed or several values"] += 1
        for index in self.indexes:
            index.expect(row, key)

    def _check_key(self, pgno: int, key: bytes, row: Sequence[Value]) -> None:
        if self._key is None:
            self._findings.not_judged["keys of records"] += 1
            return
        is_own = key_of(self._key, row) == key
        text = f"{self._name}: the record at {key.hex()} is of another row"
        self._findings.must(is_own, Rule.RECORD, pgno, text)


def key_of(row_key: RowKey, row: Sequence[Value]) -> bytes | None:
    """Return the key of a row; None where damage left a value that no key is made of."""
    try:
        return row_key.of(row)
    except (AssertionError, error, TypeError):
        return None
