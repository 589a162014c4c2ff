"""The modes of eseutil that look into a database and change it: texts, endings, errors."""

import pytest
from samples import DATABASE, NOW_NS, Pages, copy_of, rows_of, sample_files, sample_rows

from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.database_header import DatabaseState, read_header
from emulators.ese.tools import eseutil
from emulators.ese.tools.maintenance_modes import (
    DEFRAGMENTATION_TEMPORARY,
    REPAIR_TEMPORARY,
    defragment_database,
    repair_database,
)

RULER = "          |----|----|----|----|----|----|----|----|----|----|"
DOTS = f"          {'.' * 51}"


@pytest.fixture(scope="module")
def sound():
    return sample_files()


@pytest.fixture
def pages(sound):
    return Pages(copy_of(sound))


def lines_of(outcome):
    text, error = outcome
    return text.splitlines(), error


def make_dirty(files):
    header = read_header(files, DATABASE)
    header.state = DatabaseState.DIRTY_SHUTDOWN
    files.write(DATABASE, 0, header.pack() * 2)


def test_a_sound_database_passes_the_integrity_check(sound):
    lines, error = lines_of(eseutil.file_dump("/g", sound, DATABASE))
    assert error is None
    assert lines[0] == f"        Database: {DATABASE}"
    assert lines[-1] == "Integrity check successful."
    assert RULER in lines
    assert DOTS in lines
    assert "  Msg: 120 rows, 12 long values" in lines


def test_every_finding_is_printed_and_the_ending_is_1206(pages):
    pages.flip(40)
    lines, error = lines_of(eseutil.file_dump("/g", pages.files, DATABASE))
    assert error.code == -1206
    assert "  page 40: checksum: Checksum error on a database page." in lines
    assert lines[-1] == "Integrity check completed. The database is damaged."
    assert "findings, the first is page 40" in error.where


def test_more_findings_than_can_be_read_are_counted(pages):
    for page in pages.all():
        if page.pgno > 12:
            pages.write(page.pgno, bytes(8192))
    lines, error = lines_of(eseutil.file_dump("/g", pages.files, DATABASE))
    assert error.code == -1206
    assert len(lines) < 130


@pytest.mark.parametrize("mode", ["/g", "/ms", "/mm"])
def test_modes_that_need_a_clean_database_refuse_a_dirty_one_with_550(mode, pages):
    make_dirty(pages.files)
    _, error = eseutil.file_dump(mode, pages.files, DATABASE)
    assert error.code == -550
    assert "soft recovery (eseutil /r)" in error.hint


@pytest.mark.parametrize("mode", ["/g", "/ms", "/mm"])
def test_a_missing_file_is_an_error_of_the_mode(mode):
    assert eseutil.file_dump(mode, MemoryFiles(), DATABASE)[1].code == -1811


def test_space_is_told_tree_by_tree(sound):
    lines, error = lines_of(eseutil.file_dump("/ms", sound, DATABASE))
    assert error is None
    assert lines[0].strip("*") == " SPACE DUMP "
    cells = {line.split()[0]: line.split()[1:] for line in lines[3:-1]}
    assert cells[DATABASE] == ["Db", "1", "1", "254", "97"]
    assert cells["Msg"][:3] == ["Tbl", "6", "33"]
    assert cells["Size"][:2] == ["Idx", "9"]
    tables = [int(cells[name][3]) for name in ("Msg", "Folder", "Name", "MSysObjects")]
    assert sum(tables) + int(cells["MSysObjectsShadow"][3]) + 3 == 254 - 97


def test_metadata_names_every_object_and_column(sound):
    lines, error = lines_of(eseutil.file_dump("/mm", sound, DATABASE))
    assert error is None
    words = [line.split() for line in lines]
    assert ["Folder", "Idx", "8", "93"] in words
    assert ["Subject", "Col", "128", "Text"] in words
    assert ["Body", "Col", "256", "LongBinary"] in words


def test_a_dump_of_a_damaged_database_says_so(pages):
    pages.flip(40)
    assert eseutil.file_dump("/ms", pages.files, DATABASE)[1].code == -1206


def test_defragmentation_tells_what_it_gained(pages):
    lines, error = lines_of(defragment_database(pages.files, DATABASE, now_ns=NOW_NS))
    assert error is None
    assert f"      Temp. Database: {DEFRAGMENTATION_TEMPORARY}" in lines
    assert DOTS in lines
    assert "2.0 MB before, 2.0 MB after." in lines
    assert "Note:" in lines


def test_a_defragmentation_that_fails_shows_no_dots(pages):
    make_dirty(pages.files)
    lines, error = lines_of(defragment_database(pages.files, DATABASE, now_ns=NOW_NS))
    assert error.code == -550
    assert DOTS not in lines


def test_repair_tells_per_table_what_it_lost_and_ends_with_a_warning(pages):
    pages.flip(40)
    make_dirty(pages.files)
    lines, warning = lines_of(repair_database(pages.files, DATABASE, now_ns=NOW_NS))
    assert f"  Temp. Database: {REPAIR_TEMPORARY}" in lines
    assert any(line.startswith("The database is not up-to-date") for line in lines)
    kept = len(rows_of(pages.files)["Msg"])
    assert kept < 120
    assert any(line.startswith(f"  Msg: {kept} rows, ") for line in lines)
    assert "      lost: 1 pages, with what was on them" in lines
    assert "  Folder: 5 rows, 0 long values kept" in lines
    text = eseutil.report("/p", "", warning, 1)
    assert "completed successfully with 595 (JET_wrnDatabaseRepaired" in text


def test_repair_of_a_sound_database_finds_nothing_to_do(pages):
    lines, error = lines_of(repair_database(pages.files, DATABASE, now_ns=NOW_NS))
    assert error is None
    assert lines[-1] == "Integrity check successful. There is nothing to repair."
    assert rows_of(pages.files) == sample_rows()


def test_repair_that_is_refused_says_why(pages):
    for offset in (100, 8192 + 100):
        pages.files.write(DATABASE, offset, b"\xee")
    _, error = repair_database(pages.files, DATABASE, now_ns=NOW_NS)
    assert error.code == -1206


def test_tables_and_pages_that_nothing_describes_are_named_as_lost(pages):
    for objid in (2, 3):
        page = pages.of(objid, 2)[0]
        column = next(i for i, key in enumerate(page.keys) if key[4:8] == b"\x0b\x7f\x80\x02")
        page.delete(column)
        pages.put(page)
    pages.flip(page.pgno + 1)
    lines, _ = lines_of(repair_database(pages.files, DATABASE, now_ns=NOW_NS))
    assert "  object 11: lost, its description is gone" in lines
    assert any("pages of objects that nothing describes: lost" in line for line in lines)
