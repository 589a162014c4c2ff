"""A database of each format: pages of its size and checksum, and the rows that were put in."""

import pytest
from built_database import ITEMS, BuiltDatabase
from checker import check_database

from emulators.ese.errors import EseError
from emulators.ese.formats.checksum import FLAG_NEW_CHECKSUM
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007, FORMATS
from emulators.ese.formats.record import Separated
from emulators.ese.formats.schema import ColumnType, build_index, build_table
from emulators.ese.recovery.opened import open_database
from emulators.ese.trees.transaction import Transaction

NAME = "MDB1.edb"
ROW_COUNT = 400


def row(number):
    """Rows with long values on both sides of what a record, a page and two pages hold."""
    sizes = (0, 10, 1000, 1024, 1025, 4014, 4015, 8110, 8111, 30_000)
    body = f"{number} ".encode() * 20_000
    return (
        number,
        number % 3 == 0,
        f"Subject {number}" * (number % 12),
        body[: sizes[number % len(sizes)]],
        (2 * sizes[-1],) if number % 40 == 0 else None,
    )


WIDE = build_table(
    "Wide",
    (
        ("Id", ColumnType.LONG),
        *((f"Text{n}", ColumnType.TEXT) for n in range(10)),
        *(
            (f"Long{n}", ColumnType.LONG_TEXT if n % 2 else ColumnType.LONG_BINARY)
            for n in range(6)
        ),
    ),
    ("Id",),
)


@pytest.fixture(scope="module", params=FORMATS, ids=[each.name for each in FORMATS])
def built(request):
    database = BuiltDatabase(request.param)
    database.insert(row(number) for number in range(ROW_COUNT))
    return database


def test_every_row_is_read_back_from_the_file(built):
    table = open_database(built.files(), NAME, built.file_format).table("Item")
    found = list(table.rows())
    assert len(found) == ROW_COUNT
    for number, values in enumerate(found):
        wanted = list(row(number))
        wanted[4] = bytes(wanted[4][0]) if wanted[4] else None
        assert list(values) == wanted


def test_the_structure_keeps_every_rule(built):
    findings = check_database(built.files(), NAME, built.file_format)
    assert findings.problems == []
    assert len(findings.used) >= 7


def test_every_page_has_the_size_and_checksum_of_the_format(built):
    flags = {bool(page.flags & FLAG_NEW_CHECKSUM) for page in built.pages().values()}
    assert flags == {built.file_format.has_ecc}
    assert {page.page_bytes for page in built.pages().values()} == {built.file_format.page_bytes}
    assert len(built.pages()) > 100


@pytest.mark.parametrize(
    ("written", "opened"), [(EXCHANGE_2003, EXCHANGE_2007), (EXCHANGE_2007, EXCHANGE_2003)]
)
def test_a19_a_database_opened_with_the_other_page_size_is_refused(written, opened):
    files = BuiltDatabase(written).files()
    with pytest.raises(EseError, match=r"-1213 \(JET_errPageSizeMismatch\)"):
        open_database(files, NAME, opened)


def wide_row(number, text, size):
    values = ["z" * (size // 2) if n % 2 else b"%d" % n * size for n in range(6)]
    return (number, *[text] * 10, *values)


@pytest.mark.parametrize("file_format", FORMATS, ids=[each.name for each in FORMATS])
def test_a_record_that_does_not_fit_into_a_page_gives_up_its_largest_long_values(file_format):
    built = BuiltDatabase(file_format, [ITEMS, WIDE])
    rows = [wide_row(number, "x", size) for number, size in enumerate((10, 600, 700, 1000, 1024))]
    built.insert(rows, "Wide")
    files = built.files()
    table = open_database(files, NAME, file_format).table("Wide")
    assert list(table.rows()) == rows
    apart = [sum(isinstance(value, Separated) for value in row) for row in table.records()]
    is_small = file_format.page_bytes == 4096
    assert apart == ([0, 0, 1, 3, 3] if is_small else [0, 0, 0, 0, 0])
    assert check_database(files, NAME, file_format).problems == []


@pytest.mark.parametrize("file_format", FORMATS, ids=[each.name for each in FORMATS])
def test_a_record_that_never_fits_is_refused(file_format):
    built = BuiltDatabase(file_format, [WIDE])
    text = "x" * (file_format.page_bytes // 20)
    with pytest.raises(EseError, match=r"-1026 \(JET_errRecordTooBig\)"):
        built.insert([wide_row(1, text, 100)], "Wide")


TEXTS = (("Id", ColumnType.LONG), *((f"Text{n}", ColumnType.TEXT) for n in range(40)))
PLAIN = build_table("Plain", TEXTS, ("Id",))
INDEXED = build_table("Indexed", TEXTS, ("Id",), (build_index("First", ("Text0",)),))


@pytest.mark.parametrize("way", ["replace", "update", "move"])
@pytest.mark.parametrize("table", [PLAIN, INDEXED], ids=["plain", "indexed"])
@pytest.mark.parametrize("file_format", FORMATS, ids=[each.name for each in FORMATS])
def test_a_row_that_outgrows_a_page_is_refused_and_stays_as_it_was(file_format, table, way):
    built = BuiltDatabase(file_format, [table])
    small = (1, *["x"] * 40)
    built.insert([small], table.name)
    large = ("y" * (file_format.page_bytes // 40),) * 40
    opened = built.database.table(table.name)
    transaction = Transaction(built.editor, 2)
    columns = {f"Text{n}": text for n, text in enumerate(large)}
    ways = {
        "replace": lambda: opened.replace(transaction, (1, *large)),
        "update": lambda: opened.update(transaction, (1,), columns),
        "move": lambda: opened.update(transaction, (1,), columns | {"Id": 2}),
    }
    with pytest.raises(EseError, match=r"-1026 \(JET_errRecordTooBig\)"):
        ways[way]()
    transaction.rollback()
    files = built.files()
    found = open_database(files, NAME, file_format).table(table.name)
    assert list(found.rows()) == [small]
    assert check_database(files, NAME, file_format).problems == []
