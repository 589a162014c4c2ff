"""Repair keeps every row that can be proved and invents none, whatever is broken."""

import random

import pytest
from samples import DATABASE, NOW_NS, Pages, copy_of, rows_of, sample_files, sample_rows
from samples import MESSAGES as MESSAGE_TABLE

from emulators.ese.errors import EseError
from emulators.ese.formats.database_header import DatabaseState, read_header
from emulators.ese.formats.page import FLAG_EMPTY, FLAG_LEAF, FLAG_LONG_VALUE, FLAG_ROOT, FLAG_SPACE
from emulators.ese.formats.record import RecordCodec
from emulators.ese.formats.values import SIGNATURE_ZERO
from emulators.ese.integrity.check import check_database
from emulators.ese.maintenance.repair import repair

PAGE = 8192
CATALOG, SHADOW, MESSAGES, VALUES, FOLDERS, NAMES = 2, 3, 6, 7, 10, 11
TEMPORARY = "TEMPREPAIR.EDB"


@pytest.fixture(scope="module")
def sound():
    return sample_files()


@pytest.fixture
def pages(sound):
    return Pages(copy_of(sound))


def repaired(files):
    """Repair, check that the result is sound and holds nothing but true rows; return both."""
    report = repair(files, DATABASE, temporary=TEMPORARY, now_ns=NOW_NS)
    assert check_database(files, DATABASE).findings == []
    assert files.names() == [DATABASE]
    found, truth = rows_of(files), sample_rows()
    for name, rows in found.items():
        assert set(rows) <= set(truth[name]), f"{name} has rows that never were"
        assert len(set(rows)) == len(rows)
    kept = {table.name: table.rows for table in report.tables}
    if not report.was_sound:
        assert kept == {name: len(rows) for name, rows in found.items()}
    return report, found


def lost(found, name):
    return len(sample_rows()[name]) - len(found[name])


def test_a_sound_database_is_not_touched(pages):
    before = pages.files.read(DATABASE, 0, pages.files.size(DATABASE))
    report, found = repaired(pages.files)
    assert report.was_sound
    assert found == sample_rows()
    assert pages.files.read(DATABASE, 0, pages.files.size(DATABASE)) == before


def of_each_kind(pages, most):
    """Return up to `most` pages of each kind of each tree, evenly spread over their numbers."""
    kinds = {}
    for page in pages:
        kinds.setdefault((page.objid_fdp, page.flags), []).append(page)
    chosen = [page for found in kinds.values() for page in found[:: -(-len(found) // most)]]
    return sorted(chosen, key=lambda page: page.pgno)


@pytest.mark.parametrize("most", [1, pytest.param(1000, marks=pytest.mark.nightly)])
def test_a_page_flipped_anywhere_costs_no_row_that_is_not_on_it(sound, most, figure):
    """Each page in turn; what may be lost are the rows of a leaf, or those of its long values."""
    total = 0
    chosen = of_each_kind(Pages(sound).all(), most)
    for page in chosen:
        broken = Pages(copy_of(sound))
        broken.flip(page.pgno)
        report, found = repaired(broken.files)
        assert report.damaged_pages in ([page.pgno], []), f"page {page.pgno}"
        losses = {name: lost(found, name) for name in found}
        wanted = dict.fromkeys(sample_rows(), 0)
        is_leaf = page.flags & FLAG_LEAF and not page.flags & FLAG_SPACE
        if is_leaf and page.objid_fdp in (MESSAGES, FOLDERS, NAMES):
            name = {MESSAGES: "Msg", FOLDERS: "Folder", NAMES: "Name"}[page.objid_fdp]
            wanted[name] = len(page.keys)
        elif is_leaf and page.objid_fdp == VALUES:
            wanted["Msg"] = len({key[:4] for key in page.keys})
        assert losses == wanted, f"page {page.pgno}: {report}"
        total += sum(losses.values())
    assert total > 0
    figure(f"{len(chosen)} pages flipped in turn, {total} rows lost with them")


def test_several_damaged_pages_cost_only_what_is_on_them(sound):
    chance = random.Random(5)
    everything = Pages(sound).all()
    for _ in range(12):
        broken = Pages(copy_of(sound))
        for page in chance.sample(everything, 12):
            broken.flip(page.pgno)
        try:
            repaired(broken.files)
        except EseError as refusal:
            assert refusal.code == -1206  # noqa: PT017 - either outcome is right


def test_a_root_that_is_gone_is_not_needed(pages):
    """All leaves are found by themselves: by object, and by the neighbours that name them."""
    for page in pages.of(NAMES, FLAG_ROOT):
        pages.flip(page.pgno)
    report, found = repaired(pages.files)
    assert found == sample_rows()
    assert [table.pages_lost for table in report.tables if table.name == "Name"] == [1]


@pytest.mark.parametrize("pages_left", [128, 110, 80, 60, 45, 30, 20, 5, 1])
def test_a_file_cut_off_gives_what_is_left_or_a_refusal(pages, pages_left):
    pages.files.truncate(DATABASE, (pages_left + 2) * PAGE + 100)
    try:
        _, found = repaired(pages.files)
    except EseError as refusal:
        assert refusal.code == -1206  # noqa: PT017 - either outcome is right
        assert pages_left < 33
        return
    assert found["Msg"] or pages_left <= 45


def test_the_shadow_header_stands_in_for_the_header(pages):
    pages.files.write(DATABASE, 100, b"\xee")
    pages.flip(40)
    report, _ = repaired(pages.files)
    assert report.damaged_pages == [40]
    assert read_header(pages.files, DATABASE).repair_count == 1


def test_without_both_headers_repair_refuses_and_changes_nothing(pages):
    for offset in (100, PAGE + 100):
        pages.files.write(DATABASE, offset, b"\xee")
    before = pages.files.read(DATABASE, 0, pages.files.size(DATABASE))
    with pytest.raises(EseError, match="header and shadow") as refused:
        repair(pages.files, DATABASE, temporary=TEMPORARY, now_ns=NOW_NS)
    assert refused.value.code == -1206
    assert pages.files.names() == [DATABASE]
    assert pages.files.read(DATABASE, 0, pages.files.size(DATABASE)) == before


def test_a_catalog_that_is_gone_is_taken_from_its_shadow(pages):
    for page in pages.of(CATALOG):
        pages.flip(page.pgno)
    report, found = repaired(pages.files)
    assert found == sample_rows()
    assert report.rows_from_shadow > 60


def test_a_shadow_that_is_gone_is_made_anew(pages):
    for page in pages.of(SHADOW):
        pages.flip(page.pgno)
    report, found = repaired(pages.files)
    assert found == sample_rows()
    assert report.rows_from_shadow == 0


def test_without_catalog_and_shadow_nothing_is_guessed(pages):
    for page in pages.of(CATALOG) + pages.of(SHADOW):
        pages.flip(page.pgno)
    with pytest.raises(EseError, match="nothing is left of its catalog"):
        repair(pages.files, DATABASE, temporary=TEMPORARY, now_ns=NOW_NS)
    assert pages.files.names() == [DATABASE]


def test_a_table_with_a_column_missing_from_its_description_is_given_up(pages):
    """Its records would be read wrong; the index of names still knows the column."""
    for objid in (CATALOG, SHADOW):
        page = pages.of(objid, FLAG_LEAF)[0]
        column = next(i for i, key in enumerate(page.keys) if key[4:8] == b"\x0b\x7f\x80\x02")
        page.delete(column)
        pages.put(page)
    report, found = repaired(pages.files)
    assert report.lost_tables == [NAMES]
    assert report.unknown_pages > 30
    assert "Name" not in found
    assert found["Msg"] == sample_rows()["Msg"]


def test_of_two_rows_with_one_key_in_a_unique_index_the_first_is_kept(pages):
    """As it is on disk when a row that gave its key away was not written again."""
    codec = RecordCodec(MESSAGE_TABLE)
    leaves = [page for page in pages.of(MESSAGES, FLAG_LEAF) if not page.flags & FLAG_ROOT]
    row = list(codec.decode(leaves[1].datas[2]))
    row[1] = 17
    leaves[1].replace(2, codec.encode(row))
    pages.put(leaves[1])
    report = repair(pages.files, DATABASE, temporary=TEMPORARY, now_ns=NOW_NS)
    assert report.tables[0].rows_excluded == 1
    assert check_database(pages.files, DATABASE).findings == []
    found = rows_of(pages.files)["Msg"]
    assert found == [other for other in sample_rows()["Msg"] if other[0] != row[0]]


def stale_copy(pages, *, breaks_branch=True, **attributes):
    """Put an older version of a leaf, with a row that was deleted since, on an unused page."""
    leaves = [page for page in pages.of(NAMES, FLAG_LEAF) if not page.flags & FLAG_ROOT]
    old = leaves[5]
    row = old.keys[0], old.datas[0]
    old.delete(0)
    old.dbtime = 20
    pages.put(old)
    old.insert(0, *row)
    old.pgno, old.dbtime = pages.last_pgno, 10
    for name, value in attributes.items():
        setattr(old, name, value)
    pages.put(old)
    if breaks_branch:
        branch = next(page for page in pages.of(NAMES, 4))
        pages.flip(branch.pgno)


@pytest.mark.parametrize("mark", ["a newer neighbour", "available", "empty", "a newer heir"])
def test_rows_deleted_long_ago_do_not_come_back_from_a_page_given_up(pages, mark):
    leaves = [page for page in pages.of(NAMES, FLAG_LEAF) if not page.flags & FLAG_ROOT]
    if mark == "a newer neighbour":
        leaves[4].dbtime = 30
        pages.put(leaves[4])
        stale_copy(pages)
    elif mark == "empty":
        stale_copy(pages, flags=leaves[0].flags | FLAG_EMPTY)
    elif mark == "a newer heir":
        stale_copy(pages, prev=0, next=0, breaks_branch=False)
        pages.flip(leaves[9].pgno)
    else:
        space = pages.page(3)
        space.dbtime = 25
        pages.put(space)
        stale_copy(pages, prev=0, next=0)
    _, found = repaired(pages.files)
    with_a_leaf = len(leaves[9].keys) if mark == "a newer heir" else 0
    assert lost(found, "Name") == 1 + with_a_leaf, "the row that was deleted"


def test_a_long_value_of_a_page_that_nobody_names_is_not_believed(pages):
    """Identities of long values are given again, so an old page may hold another's chunks."""
    values = [page for page in pages.of(VALUES, FLAG_LEAF) if not page.flags & FLAG_ROOT]
    for page in [*pages.of(VALUES, FLAG_ROOT), *values[2::2]]:
        if not page.flags & FLAG_SPACE:
            pages.flip(page.pgno)
    report, found = repaired(pages.files)
    assert all(len(row[4]) < 1000 for row in found["Msg"])
    assert report.tables[0].rows_without_values == lost(found, "Msg")
    assert values[0].flags & FLAG_LONG_VALUE


def test_a_dirty_database_becomes_clean_and_belongs_to_no_log(pages):
    header = read_header(pages.files, DATABASE)
    header.state = DatabaseState.DIRTY_SHUTDOWN
    header.generation_min_required, header.generation_max_required = 3, 5
    header.log_signature = header.signature
    pages.files.write(DATABASE, 0, header.pack() * 2)
    report, found = repaired(pages.files)
    assert (report.was_sound, report.was_clean) == (False, False)
    assert found == sample_rows()
    after = read_header(pages.files, DATABASE)
    assert after.is_clean
    assert (after.generation_min_required, after.generation_max_required) == (0, 0)
    assert after.log_signature == SIGNATURE_ZERO
    assert after.signature != header.signature
    assert (after.repair_count, after.repair_time.to_ns()) == (1, NOW_NS)


def test_repair_gives_the_same_bytes_again(pages):
    pages.flip(40)
    twin = copy_of(pages.files)
    for files in (pages.files, twin):
        repair(files, DATABASE, temporary=TEMPORARY, now_ns=NOW_NS)
    whole = [files.read(DATABASE, 0, files.size(DATABASE)) for files in (pages.files, twin)]
    assert whole[0] == whole[1]


def test_a_leftover_of_an_earlier_repair_is_not_overwritten(pages):
    pages.flip(40)
    pages.files.create(TEMPORARY)
    with pytest.raises(EseError, match=TEMPORARY) as refused:
        repair(pages.files, DATABASE, temporary=TEMPORARY, now_ns=NOW_NS)
    assert refused.value.code == -1814


@pytest.mark.nightly
def test_random_bytes_anywhere_never_raise_anything_but_a_refusal(sound, figure):
    chance = random.Random(11)
    size = sound.size(DATABASE)
    refused = 0
    for _ in range(500):
        files = copy_of(sound)
        for _ in range(chance.randrange(1, 40)):
            files.write(
                DATABASE, chance.randrange(size), chance.randbytes(chance.randrange(1, 300))
            )
        try:
            repaired(files)
        except EseError as refusal:
            assert refusal.code == -1206  # noqa: PT017 - either outcome is right
            refused += 1
    figure(f"500 files with random damage, {refused} refused")
