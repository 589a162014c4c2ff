"""A small real database, its pages laid out by hand from the format modules alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from emulators.ese.formats import catalog, long_value
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.formats.key import RowKey
from emulators.ese.formats.page import (
    FLAG_INDEX,
    FLAG_LEAF,
    FLAG_LONG_VALUE,
    FLAG_PARENT_OF_LEAF,
    FLAG_ROOT,
    FLAG_SPACE,
    Page,
)
from emulators.ese.formats.record import RecordCodec, Separated
from emulators.ese.formats.schema import ColumnType, TableDefinition, build_table
from emulators.ese.formats.space_header import (
    SPACE_TREE_HEADER,
    encode_extent,
    multiple_extent_header,
)
from emulators.ese.formats.values import Lgpos, LogTime, Signature

TIME = LogTime.from_ns(1_180_000_000_123_000_000)
TABLE_FDP = 33
TABLE_OBJID = 6
LONG_VALUE_OBJID = 7
ROW_COUNT = 2000

MESSAGES = build_table(
    "Msg",
    (
        ("MessageId", ColumnType.LONG),
        ("Received", ColumnType.CURRENCY),
        ("Unread", ColumnType.BIT),
        ("Size", ColumnType.UNSIGNED_LONG),
        ("Folder", ColumnType.SHORT),
        ("Score", ColumnType.DOUBLE),
        ("Subject", ColumnType.TEXT),
        ("Sender", ColumnType.BINARY),
        ("Body", ColumnType.LONG_TEXT),
        ("Attachment", ColumnType.LONG_BINARY),
    ),
    ("MessageId",),
)


@dataclass(frozen=True)
class SmallDatabase:
    """The file's bytes, and the rows and long values that it was made from."""

    image: bytes
    definition: TableDefinition
    rows: list[tuple]
    long_values: dict[int, bytes]
    pages_total: int
    page_bytes: int
    leaf_count: int


class TreeBuilder:
    """Lays sorted nodes out over leaf pages, with one level of branch above them if needed."""

    def __init__(self, file_format: Format, pgno_free: int) -> None:
        self.format = file_format
        self.pgno_free = pgno_free
        self.pages: dict[int, Page] = {}
        self.leaf_count = 0

    def page(self, pgno: int, objid: int, flags: int, external: bytes = b"") -> Page:
        page = Page(
            pgno,
            objid,
            flags,
            external=external,
            dbtime=7,
            page_bytes=self.format.page_bytes,
            has_ecc=self.format.has_ecc,
        )
        self.pages[pgno] = page
        return page

    def tree(
        self,
        nodes: Iterable[tuple[bytes, bytes]],
        *,
        fdp: int,
        objid: int,
        flags: int = 0,
        pages: int,
        parent: int = 1,
    ) -> None:
        nodes = sorted(nodes)
        header = multiple_extent_header(fdp, pages, parent)
        for pgno in (fdp + 1, fdp + 2):
            space = self.page(
                pgno, objid, FLAG_ROOT | FLAG_LEAF | FLAG_SPACE, external=SPACE_TREE_HEADER
            )
            if pgno == fdp + 1:
                space.insert(0, *encode_extent(fdp + pages - 1, pages))
        root = self.page(fdp, objid, FLAG_ROOT | FLAG_LEAF | flags, header)
        leaves = [root]
        for key, data in nodes:
            if not leaves[-1].room_for(key, data):
                leaves.append(self.page(self._free(), objid, FLAG_LEAF | flags))
            leaves[-1].insert(len(leaves[-1]), key, data)
        if len(leaves) > 1:
            self._add_branch(root, leaves, flags)
        self.leaf_count = len(leaves)

    def _add_branch(self, root: Page, leaves: list[Page], flags: int) -> None:
        first = self.page(self._free(), root.objid_fdp, FLAG_LEAF | flags)
        for index, key in enumerate(root.keys):
            first.insert(index, key, root.datas[index])
        for index in range(len(root) - 1, -1, -1):
            root.delete(index)
        root.flags = root.flags & ~FLAG_LEAF | FLAG_PARENT_OF_LEAF
        leaves[0] = first
        for index, leaf in enumerate(leaves):
            is_last = index == len(leaves) - 1
            bound = b"" if is_last else leaves[index + 1].keys[0]
            root.insert(index, bound, leaf.pgno.to_bytes(4, "little"))
            leaf.next = 0 if is_last else leaves[index + 1].pgno
            leaf.prev = 0 if index == 0 else leaves[index - 1].pgno

    def _free(self) -> int:
        self.pgno_free += 1
        return self.pgno_free - 1


def message_rows(chunk_bytes: int) -> Iterator[tuple[tuple, dict[int, bytes]]]:
    """Rows with every kind of column, NULLs among them, and their separated long values."""
    lid = 0
    for number in range(1, ROW_COUNT + 1):
        values: dict[int, bytes] = {}
        body: object = f"Dear all, this is message {number}."
        attachment: object = None
        if number % 50 == 0:
            lid += 1
            values[lid] = (f"line {number}\r\n" * (chunk_bytes // 40)).encode("utf-16-le")
            body = Separated(lid)
        if number % 97 == 0:
            lid += 1
            values[lid] = bytes((number + at) & 0xFF for at in range(chunk_bytes + number))
            attachment = Separated(lid)
        elif number % 7 == 0:
            attachment = b"%04d" % number * 3
        row = (
            number - 1000,
            number * 10**9 - 10**12,
            number % 2 == 0,
            number * 1009,
            None if number % 11 == 0 else number % 100 - 50,
            number / 8,
            None if number % 13 == 0 else f"Subject \u20ac {number}",
            b"<%d@example>" % number,
            body,
            attachment,
        )
        yield row, values


def build(file_format: Format = EXCHANGE_2007) -> SmallDatabase:
    codec, key = RecordCodec(MESSAGES), RowKey(MESSAGES)
    rows: list[tuple] = []
    long_values: dict[int, bytes] = {}
    for row, values in message_rows(file_format.long_value_chunk_bytes):
        rows.append(row)
        long_values.update(values)
    builder = TreeBuilder(file_format, pgno_free=TABLE_FDP + 6)
    builder.tree(((key.of(row), codec.encode(row)) for row in rows), fdp=33, objid=6, pages=600)
    leaf_count = builder.leaf_count
    chunks = [
        node
        for lid, value in long_values.items()
        for node in long_value.nodes_of(lid, value, file_format)
    ]
    builder.tree(chunks, fdp=36, objid=7, flags=FLAG_LONG_VALUE, pages=300, parent=TABLE_FDP)
    described = [
        *catalog.system_rows(file_format),
        *catalog.table_rows(
            MESSAGES,
            objid=TABLE_OBJID,
            fdp=TABLE_FDP,
            pages=600,
            long_value=(LONG_VALUE_OBJID, 36),
            file_format=file_format,
        ),
    ]
    records = [(row.key, row.record) for row in described]
    builder.tree(records, fdp=4, objid=2, pages=20)
    builder.tree(records, fdp=24, objid=3, pages=9)
    names = [(row.name_key, row.key) for row in described]
    roots = [(row.root_key, row.key) for row in described if row.root_key is not None]
    builder.tree(names, fdp=7, objid=4, flags=FLAG_INDEX, pages=3, parent=4)
    builder.tree(roots, fdp=10, objid=5, flags=FLAG_INDEX, pages=3, parent=4)
    pages_total = builder.pgno_free - 1
    builder.tree([], fdp=1, objid=1, pages=pages_total)
    return SmallDatabase(
        _image(builder, pages_total),
        MESSAGES,
        rows,
        long_values,
        pages_total,
        file_format.page_bytes,
        leaf_count,
    )


def _image(builder: TreeBuilder, pages_total: int) -> bytes:
    header = DatabaseHeader(
        builder.format,
        signature=Signature(0x1234, TIME, ""),
        log_signature=Signature(0x5678, TIME, ""),
        dbtime=7,
        objid_last=LONG_VALUE_OBJID,
        state=DatabaseState.CLEAN_SHUTDOWN,
        consistent=Lgpos(2, 8, 0x16),
        consistent_time=TIME,
        detach=Lgpos(2, 8, 0x16),
        detach_time=TIME,
    ).pack()
    blank = bytes(builder.format.page_bytes)
    pages = (
        builder.pages[pgno].to_bytes(pgno) if pgno in builder.pages else blank
        for pgno in range(1, pages_total + 1)
    )
    return b"".join((header, header, *pages))


@pytest.fixture(scope="session")
def small_database() -> SmallDatabase:
    return build()


@pytest.fixture(scope="session")
def build_small_database():
    return build
