"""Keys order as their values do, and have the bytes of the annexes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.ese.formats.key import KeyCodec, RowKey
from emulators.ese.formats.schema import (
    CODE_PAGE_ASCII,
    CODE_PAGE_UNICODE,
    Column,
    ColumnType,
    build_table,
)

RANGES = {
    ColumnType.UNSIGNED_BYTE: (0, 0xFF),
    ColumnType.UNSIGNED_SHORT: (0, 0xFFFF),
    ColumnType.UNSIGNED_LONG: (0, 0xFFFFFFFF),
    ColumnType.SHORT: (-(1 << 15), (1 << 15) - 1),
    ColumnType.LONG: (-(1 << 31), (1 << 31) - 1),
    ColumnType.CURRENCY: (-(1 << 63), (1 << 63) - 1),
    ColumnType.LONG_LONG: (-(1 << 63), (1 << 63) - 1),
}


def column(kind, code_page=0):
    return Column("C", 1, kind, code_page=code_page)


@pytest.mark.parametrize("kind", RANGES)
@given(data=st.data())
def test_integers_order_as_their_keys_do(kind, data):
    codec = KeyCodec([column(kind)])
    one, other = (data.draw(st.none() | st.integers(*RANGES[kind])) for _ in range(2))
    low = RANGES[kind][0] - 1
    as_number = [low if value is None else value for value in (one, other)]
    assert (codec.encode((one,)) < codec.encode((other,))) == (as_number[0] < as_number[1])


@given(st.lists(st.text(st.characters(codec="ascii", min_codepoint=1), max_size=30), min_size=2))
def test_text_orders_without_case(texts):
    codec = KeyCodec([column(ColumnType.TEXT, CODE_PAGE_ASCII)])
    keys = [codec.encode((text,)) for text in texts]
    by_key = sorted(zip(keys, texts, strict=True))
    assert [t.upper() for _, t in by_key] == sorted(text.upper() for text in texts)


@given(st.lists(st.tuples(st.integers(-5, 5), st.sampled_from(["", "a", "ab", "b"])), max_size=9))
def test_segments_order_one_after_another(pairs):
    codec = KeyCodec([column(ColumnType.LONG), column(ColumnType.TEXT, CODE_PAGE_ASCII)])
    assert sorted(pairs) == sorted(pairs, key=codec.encode)


ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-5, 5),
        st.none() | st.binary(max_size=300),
    ),
    max_size=6,
)


@given(ROWS, st.sampled_from([("A",), ("B",), ("A", "B"), ("B", "A")]))
def test_keys_made_column_by_column_are_those_of_the_rows(several, names):
    table = build_table("T", (("A", ColumnType.LONG), ("B", ColumnType.BINARY)), ("A",))
    key = RowKey(table, names)
    columns = list(zip(*several, strict=True)) or [(), ()]
    assert key.of_columns(columns) == [key.of(row) for row in several]


def test_the_keys_of_annex_f_are_reproduced():
    identifiers = (ColumnType.LONG, ColumnType.SHORT, ColumnType.LONG)
    key = KeyCodec([column(kind) for kind in identifiers]).encode((2, 1, 2))
    assert key == bytes.fromhex("7f80000002 7f8001 7f80000002")
    root = [column(ColumnType.BIT), column(ColumnType.TEXT, CODE_PAGE_ASCII)]
    assert KeyCodec(root).encode((True, "MSysObjects")) == b"\x7f\xff\x7fMSYSOBJECTS\0"


def test_a_key_is_cut_at_255_bytes():
    key = KeyCodec([column(ColumnType.TEXT, CODE_PAGE_ASCII)]).encode(("x" * 400,))
    assert len(key) == 255


def test_the_key_of_a_row_is_that_of_its_primary_key_or_of_named_columns():
    table = build_table("T", (("A", ColumnType.LONG), ("B", ColumnType.SHORT)), ("B",))
    assert RowKey(table).of((1, 2)) == b"\x7f\x80\x02"
    assert RowKey(table, ("A",)).of((1, 2)) == b"\x7f\x80\x00\x00\x01"


@pytest.mark.parametrize("kind", [ColumnType.DOUBLE, ColumnType.GUID, ColumnType.LONG_TEXT])
def test_a_type_that_cannot_be_normalised_is_a_programming_error(kind):
    with pytest.raises(AssertionError, match="cannot be a key"):
        KeyCodec([column(kind)])


def test_unicode_text_cannot_be_a_key():
    with pytest.raises(AssertionError, match="Unicode"):
        KeyCodec([column(ColumnType.TEXT, CODE_PAGE_UNICODE)])
    with pytest.raises(AssertionError, match="ASCII"):
        KeyCodec([column(ColumnType.TEXT, CODE_PAGE_ASCII)]).encode(("\u00e9",))
