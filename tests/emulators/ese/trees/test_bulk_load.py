"""Bulk load: any rows come out as they went in, of a file that breaks no rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import DATABASE, NOW_NS, rows_of

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2003_RTM, EXCHANGE_2007, FORMATS
from emulators.ese.formats.schema import ColumnType, build_index, build_table
from emulators.ese.formats.values import LogTime, Signature
from emulators.ese.integrity.check import check_database
from emulators.ese.trees.bulk_load import BulkLoader
from emulators.ese.trees.bulk_pages import BulkPages
from emulators.ese.trees.bulk_space import Territory
from emulators.ese.trees.bulk_tree import BulkTree
from sim.payload import to_bytes

ITEMS = build_table(
    "Item",
    (
        ("Rank", ColumnType.LONG),
        ("Key", ColumnType.TEXT),
        ("Data", ColumnType.LONG_BINARY),
    ),
    ("Key",),
    (build_index("Rank", ("Rank",)), build_index("Both", ("Rank", "Key"), nulls=False)),
)
OTHERS = build_table("Other", (("Id", ColumnType.LONG),), ("Id",))
NAMES = st.text("ABCDEFGHIJ", min_size=1, max_size=12).map(lambda text: text * 16)
RANKS = st.one_of(st.none(), st.integers(0, 4))
DATA = st.one_of(st.none(), st.integers(0, 900), st.integers(1020, 30_000))


def loaded(file_format, **rows):
    files = MemoryFiles()
    loader = BulkLoader(files, DATABASE, file_format, (ITEMS, OTHERS))
    for name, given_rows in rows.items():
        loader.load(name, given_rows)
    loader.finish(Signature(3, LogTime.from_ns(NOW_NS), ""), LogTime.from_ns(NOW_NS))
    return files


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(NAMES, st.tuples(RANKS, DATA), max_size=60), st.sampled_from(FORMATS))
def test_any_rows_come_out_as_they_went_in(content, file_format):
    rows = [
        (rank, name, None if size is None else bytes([size % 251]) * size)
        for name, (rank, size) in sorted(content.items())
    ]
    files = loaded(file_format, Item=rows)
    report = check_database(files, DATABASE, file_format)
    assert report.findings == []
    assert not report.leaked
    assert rows_of(files, file_format) == {"Item": rows, "Other": []}


@pytest.mark.parametrize("file_format", [EXCHANGE_2007, EXCHANGE_2003, EXCHANGE_2003_RTM])
@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 900])
def test_trees_of_every_height_break_no_rule(file_format, count):
    rows = [(n % 3, f"{n:05}" + "K" * 200, b"x" * 600) for n in range(count)]
    files = loaded(file_format, Item=rows, Other=[(n,) for n in range(5000)])
    assert check_database(files, DATABASE, file_format).findings == []
    found = rows_of(files, file_format)
    assert found["Item"] == rows
    assert len(found["Other"]) == 5000


def test_payloads_may_be_segments_and_text():
    payload = (b"head", 20_000, b"tail")
    rows = [(1, "A", payload), (2, "B", (b"short", 3)), (3, "C", 700 * b"ab")]
    found = rows_of(loaded(EXCHANGE_2007, Item=rows))["Item"]
    assert [row[2] for row in found] == [
        to_bytes(payload),
        b"short\0\0\0",
        700 * b"ab",
    ]


def test_rows_loaded_at_once_and_one_by_one_make_the_same_file():
    plain = [(n % 7, f"{n:05}" + "K" * 50, bytes([n % 251]) * (n % 900)) for n in range(1000)]
    # Segments are put together row by row.
    pieces = [(rank, key, (data[:9], data[9:])) for rank, key, data in plain]
    at_once, one_by_one = (loaded(EXCHANGE_2007, Item=rows) for rows in (plain, pieces))
    size = at_once.size(DATABASE)
    assert at_once.read(DATABASE, 0, size) == one_by_one.read(DATABASE, 0, size + 1)


def test_rows_out_of_order_are_refused():
    for rows in ([(1, "B", None), (2, "A", None)], [(1, "A", None), (2, "A", None)]):
        with pytest.raises(EseError, match="is not above the one before it") as refused:
            loaded(EXCHANGE_2007, Item=rows)
        assert refused.value.code == -1206


def test_two_rows_of_one_key_in_a_unique_index_are_refused():
    unique = build_table(
        "Item", (("Key", ColumnType.LONG), ("Rank", ColumnType.LONG)), ("Key",),
        (build_index("Rank", ("Rank",), unique=True),),
    )  # fmt: skip
    loader = BulkLoader(MemoryFiles(), DATABASE, EXCHANGE_2007, (unique,))
    with pytest.raises(EseError, match="is not above the one before it"):
        loader.load("Item", [(1, 5), (2, 5)])


def test_a_file_that_is_there_is_not_overwritten():
    with pytest.raises(EseError) as taken:
        BulkLoader(MemoryFiles({DATABASE: b"x"}), DATABASE, EXCHANGE_2007, ())
    assert taken.value.code == -1814


def test_leaves_are_full_and_lie_in_the_order_of_their_keys():
    made = {}
    pages = BulkPages(lambda pgno, image: made.update({pgno: image}), EXCHANGE_2007, dbtime=1)
    land = Territory(None)
    tree = BulkTree(pages, Territory(land), 6)
    tree.add_all((number.to_bytes(4, "big"), bytes(500)) for number in range(1, 1000))
    tree.finish()
    pages.flush()
    assert land.owned == [(1, 3 + 3 + 67)]
    assert tree.territory.available == []


def test_a_catalog_of_many_tables_goes_beyond_its_first_pages():
    tables = [
        build_table(f"T{number:03}", (("Id", ColumnType.LONG), ("A", ColumnType.TEXT)), ("Id",))
        for number in range(300)
    ]
    files = MemoryFiles()
    loader = BulkLoader(files, DATABASE, EXCHANGE_2007, tables)
    loader.load("T150", [(1, "one")])
    loader.finish(Signature(3, LogTime.from_ns(NOW_NS), ""), LogTime.from_ns(NOW_NS))
    assert check_database(files, DATABASE).findings == []
    found = rows_of(files)
    assert len(found) == 300
    assert found["T150"] == [(1, "one")]
