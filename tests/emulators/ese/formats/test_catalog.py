"""The catalog describes itself and any table, and a table is opened from it alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.ese.errors import EseError
from emulators.ese.formats import catalog
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007, FORMATS
from emulators.ese.formats.record import RecordCodec
from emulators.ese.formats.schema import (
    LONG_TYPES,
    ColumnType,
    TableDefinition,
    build_index,
    build_table,
)

MESSAGES = build_table(
    "Msg",
    (
        ("Id", ColumnType.LONG_LONG),
        ("Unread", ColumnType.BIT),
        ("Subject", ColumnType.TEXT),
        ("Body", ColumnType.LONG_TEXT),
    ),
    ("Id",),
)
VARIABLE = (ColumnType.BINARY, ColumnType.TEXT)
BY_FIRST = build_index("ByFirst", ("Column0",), unique=True)


@st.composite
def tables(draw):
    fixed = [kind for kind in ColumnType if kind not in (*LONG_TYPES, *VARIABLE)]
    kinds = [ColumnType.LONG]
    kinds += draw(st.lists(st.sampled_from(fixed), max_size=20))
    kinds += draw(st.lists(st.sampled_from(VARIABLE), max_size=8))
    kinds += draw(st.lists(st.sampled_from(LONG_TYPES), max_size=4))
    columns = tuple((f"Column{number}", kind) for number, kind in enumerate(kinds))
    name = draw(st.sampled_from(["Folders", "Msg", "Att"]))
    return build_table(name, columns, ("Column0",), (BY_FIRST,))


def nodes_of(rows):
    return sorted((row.key, row.record) for row in rows)


@given(tables(), st.sampled_from(FORMATS))
def test_any_table_is_opened_from_its_rows_alone(definition, file_format):
    secondary = catalog.IndexDefinition(BY_FIRST.name, BY_FIRST.columns, 8, 90, BY_FIRST.flags)
    rows = [
        *catalog.system_rows(file_format),
        *catalog.table_rows(
            definition,
            objid=6,
            fdp=33,
            pages=48,
            long_value=(7, 60),
            indexes=(secondary,),
            file_format=file_format,
        ),
    ]
    (entry,) = catalog.read_catalog(nodes_of(rows), file_format)
    assert entry == catalog.CatalogEntry(definition, 6, 33, 48, 7, 60, (secondary,))


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_catalog_describes_itself_and_its_shadow(file_format):
    entries = list(
        catalog.read_catalog(
            nodes_of(catalog.system_rows(file_format)), file_format, with_system_tables=True
        )
    )
    itself, shadow = entries
    wanted = catalog.catalog_definition("MSysObjects", file_format)
    assert itself.definition.columns == wanted.columns
    assert itself.definition.primary_key == wanted.primary_key
    assert (itself.objid, itself.fdp, itself.pages) == (2, 4, 20)
    assert [(index.name, index.objid, index.fdp) for index in itself.indexes] == [
        ("Name", 4, 7),
        ("RootObjects", 5, 10),
    ]
    assert itself.indexes[1].columns == ("RootFlag", "Name")
    assert [index.is_unique for index in itself.definition.indexes] == [True, True]
    assert shadow.definition.columns == wanted.columns
    assert (shadow.objid, shadow.fdp, shadow.pages, shadow.indexes) == (3, 24, 9, ())


def test_the_older_catalog_has_neither_key_most_nor_version():
    names = {c.name for c in catalog.catalog_definition("MSysObjects", EXCHANGE_2003).columns}
    newer = {c.name for c in catalog.catalog_definition("MSysObjects", EXCHANGE_2007).columns}
    assert newer - names == {"KeyMost", "Version"}


def test_rows_have_the_shapes_that_were_seen():
    codec = RecordCodec(catalog.catalog_definition("MSysObjects"))
    shapes = {}
    for row in catalog.table_rows(MESSAGES, objid=6, fdp=33, pages=48, long_value=(7, 60)):
        values = codec.decode_named(row.record)
        shapes[values["Name"]] = (row.record[0], row.record[1], values)
    assert shapes["Msg"][:2] == (8, 128)
    assert shapes["Msg"][2]["SpaceUsage"] == 80
    assert shapes["Id"][:2] == (9, 128)
    assert (shapes["Id"][2]["RecordOffset"], shapes["Unread"][2]["RecordOffset"]) == (4, 12)
    assert shapes["Subject"][:2] == shapes["Body"][:2] == (7, 128)
    assert shapes["Subject"][2]["PagesOrLocale"] == 1200
    assert shapes["Primary"][:2] == (10, 132)
    assert shapes["Primary"][2]["Flags"] == 0x1002F
    assert shapes["Primary"][2]["KeyFldIDs"] == bytes.fromhex("0000 0100")
    lv = shapes["LV"][2]
    assert shapes["LV"][:2] == (7, 128)
    assert (lv["Id"], lv["ColtypOrPgnoFDP"], lv["SpaceUsage"]) == (7, 60, 100)


def test_every_row_has_its_name_entry_and_only_tables_have_a_root_entry():
    rows = list(catalog.system_rows())
    assert len({row.key for row in rows}) == len({row.name_key for row in rows}) == len(rows)
    assert [row.root_key for row in rows if row.root_key is not None] == [
        b"\x7f\xff\x7fMSYSOBJECTS\0",
        b"\x7f\xff\x7fMSYSOBJECTSSHADOW\0",
    ]


def test_a_part_of_a_table_that_has_no_row_is_damage():
    rows = nodes_of(catalog.table_rows(MESSAGES, objid=6, fdp=33, pages=48))
    with pytest.raises(EseError, match=r"-1206 .*object 6, which has no row"):
        list(catalog.read_catalog(rows[1:]))


def test_an_index_on_a_column_that_is_missing_is_damage():
    rows = list(catalog.table_rows(MESSAGES, objid=6, fdp=33, pages=48))
    without_id = nodes_of(row for row in rows if b"Id" not in row.record)
    with pytest.raises(EseError, match=r"-1206 .*an index of 'Msg' has column 1"):
        list(catalog.read_catalog(without_id))


def test_a_table_definition_knows_its_columns_by_kind():
    assert [c.name for c in MESSAGES.fixed] == ["Id", "Unread"]
    assert [c.name for c in MESSAGES.variable] == ["Subject"]
    assert [c.name for c in MESSAGES.tagged] == ["Body"]
    with pytest.raises(AssertionError, match="order"):
        TableDefinition("T", MESSAGES.columns[::-1], ())
