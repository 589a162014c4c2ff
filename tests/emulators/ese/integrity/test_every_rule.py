"""For each rule of the checker a database in which exactly that rule is broken."""

from struct import pack

import pytest
from samples import DATABASE, Pages, copy_of, sample_files, sample_rows

from emulators.ese.formats.page import (
    FLAG_INDEX,
    FLAG_LEAF,
    FLAG_LONG_VALUE,
    FLAG_PARENT_OF_LEAF,
    FLAG_ROOT,
    Page,
)
from emulators.ese.formats.space_header import SpaceHeader, encode_extent
from emulators.ese.integrity.check import check_database
from emulators.ese.integrity.findings import Rule

CATALOG, SHADOW, MESSAGES, VALUES, BY_FOLDER, FOLDERS, NAMES = 2, 3, 6, 7, 8, 10, 11
CATALOG_NAMES_FDP = 7


@pytest.fixture(scope="module")
def sound():
    return sample_files()


@pytest.fixture
def pages(sound):
    return Pages(copy_of(sound))


def rules_of(pages):
    return {finding.rule for finding in check_database(pages.files, DATABASE).findings}


def leaf(pages, objid=NAMES, number=2):
    """A leaf of a tree with several, where nothing else refers to."""
    leaves = [page for page in pages.of(objid, FLAG_LEAF) if not page.flags & FLAG_ROOT]
    return leaves[number]


def root(pages, objid):
    return next(page for page in pages.of(objid, FLAG_ROOT))


def branch(pages):
    return next(page for page in pages.of(NAMES, FLAG_PARENT_OF_LEAF))


def change(pages, page, **attributes):
    for name, value in attributes.items():
        setattr(page, name, value)
    pages.put(page)


def set_key(pages, page, index, key):
    page.free_bytes += len(page.keys[index]) - len(key)
    page.keys[index] = key
    pages.put(page)


def set_data(pages, page, index, data):
    page.replace(index, data)
    pages.put(page)


def flag_as_root(pages):
    page = leaf(pages)
    page.set_external(bytes(16))
    change(pages, page, flags=page.flags | FLAG_ROOT)


def patch_tag(pages, size=None, offset=None, number=2):
    page = leaf(pages)
    at = 8192 - 4 * (number + 1)
    image = pages.image(page.pgno)
    old_size, old_offset = (int.from_bytes(image[at + n : at + n + 2], "little") for n in (0, 2))
    new_size = old_size if size is None else size
    pages.patch(page.pgno, 28, pack("<H", page.free_bytes + old_size - new_size))
    pages.patch(page.pgno, at, pack("<HH", new_size, old_offset if offset is None else offset))


def swap_keys(pages):
    page = leaf(pages)
    page.keys[1], page.keys[2] = page.keys[2], page.keys[1]
    pages.put(page)


def lower_a_separator(pages):
    page = branch(pages)
    set_key(pages, page, 3, page.keys[2] + b"\0")


def raise_a_separator(pages):
    page = branch(pages)
    set_key(pages, page, 3, page.keys[3] + b"\0")


def loosen_the_last_key(pages):
    page = branch(pages)
    set_key(pages, page, len(page.keys) - 1, page.keys[-1] + b"\0")


def lengthen_an_entry(pages):
    page = branch(pages)
    set_data(pages, page, 0, page.datas[0] + b"\0")


def deepen_one_side(pages):
    top = root(pages, NAMES)
    free = pages.last_pgno
    between = Page(free, NAMES, 0)
    between.insert(0, b"", top.datas[-1])
    pages.put(between)
    set_data(pages, top, len(top.keys) - 1, free.to_bytes(4, "little"))


def visit_a_page_twice(pages):
    page = branch(pages)
    set_data(pages, page, 1, page.datas[0])


def move_the_space_trees(pages):
    page = root(pages, NAMES)
    header = SpaceHeader.unpack(page.external)
    page.set_external(header._replace(pgno_owned=page.pgno + 2).pack())
    pages.put(page)


def claim_another_parent(pages):
    page = root(pages, FOLDERS)
    page.set_external(SpaceHeader.unpack(page.external)._replace(parent_fdp=200).pack())
    pages.put(page)


def add_extent(pages, objid, which, last, count):
    space = pages.page(root(pages, objid).pgno + which)
    key, data = encode_extent(last, count)
    space.insert(space.find(key)[0], key, data)
    pages.put(space)


def give_away_a_page_in_use(pages):
    add_extent(pages, NAMES, 2, leaf(pages).pgno, 1)


def own_a_page_of_another(pages):
    add_extent(pages, FOLDERS, 1, leaf(pages).pgno, 1)


def own_a_page_behind_the_end(pages):
    add_extent(pages, FOLDERS, 1, pages.last_pgno + 5, 1)


def own_a_page_twice(pages):
    add_extent(pages, NAMES, 1, leaf(pages).pgno, 1)


def rename_an_object(pages):
    for page in pages.of(FOLDERS):
        change(pages, page, objid_fdp=77)


def lose_a_row_of_the_shadow(pages):
    page = root(pages, SHADOW)
    page.delete(len(page.keys) - 1)
    pages.put(page)


def lose_the_row_of_a_table(pages):
    for objid in (CATALOG, SHADOW):
        page = root(pages, objid)
        page.delete(
            next(i for i, key in enumerate(page.keys) if key[4:8] == bytes([10, 0x7F, 0x80, 1]))
        )
        pages.put(page)


def lose_the_row_of_a_column(pages):
    for objid in (CATALOG, SHADOW):
        page = root(pages, objid)
        column = bytes([MESSAGES, 0x7F, 0x80, 2, 0x7F, 0x80, 0, 0, 2])
        page.delete(next(i for i, key in enumerate(page.keys) if key[4:13] == column))
        pages.put(page)


def lose_an_entry(pages, fdp):
    page = pages.page(fdp)
    page.delete(5)
    pages.put(page)


def break_a_record(pages):
    page = root(pages, FOLDERS)
    set_data(pages, page, 1, b"\xff" + page.datas[1][1:])


def swap_records(pages):
    page = root(pages, FOLDERS)
    page.datas[0], page.datas[1] = page.datas[1], page.datas[0]
    pages.put(page)


def redirect_an_entry(pages):
    page = root(pages, BY_FOLDER)
    set_data(pages, page, 0, b"\x7f\x80\0\0\0")


def lose_a_chunk(pages):
    page = leaf(pages, VALUES)
    page.delete(len(page.keys) - 1)
    pages.put(page)


def root_of_a_value(pages):
    for page in pages.of(VALUES, FLAG_LEAF):
        for index, key in enumerate(page.keys):
            if len(key) == 4 and not page.flags & FLAG_ROOT:
                return page, index
    raise AssertionError("no page holds the root of a long value")


def misstate_a_size(pages):
    page, index = root_of_a_value(pages)
    set_data(pages, page, index, pack("<II", 1, 20_001))


def misstate_a_count(pages):
    page, index = root_of_a_value(pages)
    set_data(pages, page, index, pack("<II", 2, 20_000))


def lose_the_root_of_a_value(pages):
    page, index = root_of_a_value(pages)
    page.delete(index)
    pages.put(page)


DAMAGES = {
    "a flipped bit": (lambda p: p.flip(leaf(p).pgno), {Rule.CHECKSUM}),
    "a root with a flipped bit": (lambda p: p.flip(root(p, FOLDERS).pgno), {Rule.CHECKSUM}),
    "a page never written": (lambda p: p.write(leaf(p).pgno, bytes(8192)), {Rule.CHECKSUM}),
    "the free space": (lambda p: p.patch(leaf(p).pgno, 28, b"\x07\0"), {Rule.FREE_SPACE}),
    "uncommitted space": (lambda p: p.patch(leaf(p).pgno, 30, b"\xff\x1f"), {Rule.FREE_SPACE}),
    "the end of nodes": (lambda p: p.patch(leaf(p).pgno, 32, b"\xff\x1f"), {Rule.FREE_SPACE}),
    "a tag outside": (lambda p: patch_tag(p, offset=8000), {Rule.TAGS}),
    "two tags on one node": (lambda p: patch_tag(p, offset=0), {Rule.TAGS}),
    "an empty tag": (lambda p: patch_tag(p, size=0), {Rule.TAGS}),
    "a node of a key only": (lambda p: patch_tag(p, size=20), {Rule.TAGS}),
    "a root flag": (flag_as_root, {Rule.FLAGS}),
    "two kinds at once": (
        lambda p: change(p, leaf(p), flags=leaf(p).flags | FLAG_LONG_VALUE | FLAG_INDEX),
        {Rule.FLAGS},
    ),
    "another kind": (
        lambda p: change(p, leaf(p), flags=leaf(p).flags | FLAG_LONG_VALUE),
        {Rule.FLAGS},
    ),
    "the flag of a parent": (
        lambda p: change(p, branch(p), flags=branch(p).flags & ~FLAG_PARENT_OF_LEAF),
        {Rule.FLAGS},
    ),
    "another object": (lambda p: change(p, leaf(p), objid_fdp=77), {Rule.OBJECT}),
    "keys out of order": (swap_keys, {Rule.KEY_ORDER}),
    "an empty key": (lambda p: set_key(p, leaf(p), 0, b""), {Rule.KEY_ORDER}),
    "a separator too low": (lower_a_separator, {Rule.KEY_BOUNDS}),
    "a separator too high": (raise_a_separator, {Rule.KEY_BOUNDS}),
    "a bound that is not the parent's": (loosen_the_last_key, {Rule.KEY_BOUNDS}),
    "a linked branch": (lambda p: change(p, branch(p), next=9), {Rule.BRANCH}),
    "an entry of five bytes": (lengthen_an_entry, {Rule.BRANCH}),
    "a lost way on": (lambda p: change(p, leaf(p), next=leaf(p).pgno), {Rule.SIBLINGS}),
    "a lost way back": (lambda p: change(p, leaf(p), prev=0), {Rule.SIBLINGS}),
    "a first leaf with one before": (
        lambda p: change(p, leaf(p, number=0), prev=9),
        {Rule.SIBLINGS},
    ),
    "a last leaf with one behind": (
        lambda p: change(p, leaf(p, number=-1), next=9),
        {Rule.SIBLINGS},
    ),
    "a deeper side, on a page of none": (deepen_one_side, {Rule.HEIGHT, Rule.SPACE}),
    "a page in two places": (visit_a_page_twice, {Rule.REACHED_TWICE, Rule.SIBLINGS}),
    "space trees elsewhere": (move_the_space_trees, {Rule.SPACE_HEADER}),
    "a parent that is none": (claim_another_parent, {Rule.SPACE_HEADER}),
    "a page in use and available": (give_away_a_page_in_use, {Rule.SPACE}),
    "a page of two trees": (own_a_page_of_another, {Rule.SPACE}),
    "a page behind the end": (own_a_page_behind_the_end, {Rule.SPACE}),
    "a page listed twice": (own_a_page_twice, {Rule.SPACE}),
    "another object in the catalog": (rename_an_object, {Rule.CATALOG}),
    "parts of no table": (lose_the_row_of_a_table, {Rule.CATALOG}),
    "a gap in the columns": (lose_the_row_of_a_column, {Rule.CATALOG}),
    "another shadow": (lose_a_row_of_the_shadow, {Rule.CATALOG_SHADOW}),
    "an index of the catalog": (lambda p: lose_an_entry(p, CATALOG_NAMES_FDP), {Rule.INDEX}),
    "a record that is none": (break_a_record, {Rule.RECORD}),
    "a record of another key": (swap_records, {Rule.RECORD}),
    "a lost entry": (lambda p: lose_an_entry(p, root(p, BY_FOLDER).pgno), {Rule.INDEX}),
    "an entry of no row": (redirect_an_entry, {Rule.INDEX}),
    "a lost chunk": (lose_a_chunk, {Rule.LONG_VALUE}),
    "a size": (misstate_a_size, {Rule.LONG_VALUE}),
    "a value without its root": (lose_the_root_of_a_value, {Rule.LONG_VALUE}),
    "a number of references": (misstate_a_count, {Rule.REFERENCE_COUNT}),
}


def test_the_sample_breaks_no_rule_and_every_row_is_counted(sound):
    report = check_database(sound, DATABASE)
    assert report.findings == []
    assert not report.leaked
    wanted = {name: len(rows) for name, rows in sample_rows().items()}
    assert {table.name: table.rows for table in report.tables} == wanted
    assert [table.long_values for table in report.tables] == [12, 0, 0]


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_broken_is_found_and_nothing_else(name, pages):
    damage, wanted = DAMAGES[name]
    damage(pages)
    assert rules_of(pages) == wanted, check_database(pages.files, DATABASE).findings


def test_there_is_a_damage_for_every_rule():
    planted = {rule for _, rules in DAMAGES.values() for rule in rules}
    assert planted == set(Rule)


def test_a_page_that_was_taken_and_never_used_is_leaked_and_no_damage(pages):
    space = pages.page(3)
    first = pages.last_pgno
    _, data = encode_extent(first, int.from_bytes(space.datas[0], "little") - 1)
    space.delete(0)
    space.insert(0, (first - 1).to_bytes(4, "big"), data)
    pages.put(space)
    report = check_database(pages.files, DATABASE)
    assert report.findings == []
    assert report.leaked == {first}


def test_findings_say_rule_page_and_what(pages):
    page = leaf(pages)
    pages.flip(page.pgno)
    [finding] = check_database(pages.files, DATABASE).findings
    assert (finding.rule, finding.pgno) == (Rule.CHECKSUM, page.pgno)
    assert str(finding) == f"page {page.pgno}: checksum: Checksum error on a database page."


def test_a_file_cut_off_is_told_by_the_pages_that_are_missing(pages):
    pages.files.truncate(DATABASE, 130 * 8192)
    findings = check_database(pages.files, DATABASE).findings
    assert {finding.rule for finding in findings} == {Rule.CHECKSUM, Rule.SPACE}
    assert any("the file ends at page 128" in finding.text for finding in findings)
