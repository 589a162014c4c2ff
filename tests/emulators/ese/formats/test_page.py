"""Pages: what is written is read back, and what breaks a rule is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import sealed_page

from emulators.ese.errors import EseError
from emulators.ese.formats.checksum import FLAG_NEW_CHECKSUM
from emulators.ese.formats.format import FORMATS
from emulators.ese.formats.page import (
    FLAG_INDEX,
    FLAG_LEAF,
    FLAG_LONG_VALUE,
    FLAG_NON_UNIQUE,
    FLAG_PARENT_OF_LEAF,
    FLAG_ROOT,
    NODE_DELETED,
    Page,
)
from emulators.ese.formats.space_header import SpaceHeader, multiple_extent_header

nodes = st.dictionaries(
    st.binary(min_size=1, max_size=60),
    st.tuples(st.binary(min_size=1, max_size=300), st.sampled_from([0, 1, NODE_DELETED])),
    max_size=40,
)


def page_with(items, flags=FLAG_LEAF, page_bytes=8192, external=b""):
    page = Page(9, 42, flags, external=external, dbtime=0x123456789A, page_bytes=page_bytes)
    for key, (data, node_flags) in sorted(items.items()):
        if page.room_for(key, data):
            page.insert(len(page), key, data, node_flags)
    return page


def contents(page):
    fields = (page.dbtime, page.prev, page.next, page.objid_fdp, page.flags, page.free_bytes)
    return fields, page.external, page.keys, page.datas, page.node_flags


@settings(deadline=None)
@given(nodes, st.sampled_from([4096, 8192]), st.booleans())
def test_a_page_survives_its_bytes(items, page_bytes, is_root):
    external = multiple_extent_header(9, 20, 1) if is_root else b""
    page = page_with(items, FLAG_LEAF | (FLAG_ROOT if is_root else 0), page_bytes, external)
    page.prev, page.next = 8, 10
    image = page.to_bytes(9)
    assert len(image) == page_bytes
    assert contents(Page.from_bytes(image, 9)) == contents(page)
    assert page.used + page.free_bytes == page_bytes - 40


def test_the_upper_bits_of_a_tags_size_mean_nothing():
    page = Page(9, 42, FLAG_LEAF)
    for number in range(5):
        page.insert(number, b"key%d" % number, b"data")
    image = bytearray(page.to_bytes())
    for tag in range(6):
        image[8192 - 4 * tag - 3] |= 0xE0
    assert contents(Page.from_bytes(sealed_page(bytes(image), 9), 9)) == contents(page)


def test_an_empty_tag_0_may_have_any_offset():
    image = bytearray(Page(9, 42, FLAG_LEAF).to_bytes())
    image[8190:8192] = (2705).to_bytes(2, "little")
    assert Page.from_bytes(sealed_page(bytes(image), 9), 9).external == b""


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_page_has_the_size_and_the_checksum_of_its_format(file_format):
    page = Page(9, 42, FLAG_LEAF, page_bytes=file_format.page_bytes, has_ecc=file_format.has_ecc)
    page.insert(0, b"key", b"data")
    sibling = page.sibling(10, FLAG_LEAF | FLAG_INDEX)
    for each in (page, sibling):
        image = each.to_bytes()
        assert len(image) == file_format.page_bytes
        assert bool(each.flags & FLAG_NEW_CHECKSUM) == file_format.has_ecc
        if not file_format.has_ecc:
            assert image[4:8] == each.pgno.to_bytes(4, "little")
        assert contents(Page.from_bytes(image, each.pgno)) == contents(each)
    assert (sibling.flags & FLAG_INDEX, len(sibling), sibling.objid_fdp) == (FLAG_INDEX, 0, 42)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["insert", "replace", "delete"]),
            st.binary(min_size=1, max_size=20),
            st.binary(min_size=1, max_size=400),
        ),
        max_size=60,
    )
)
def test_free_space_is_what_the_nodes_leave_after_any_changes(changes):
    page = Page(9, 42, FLAG_LEAF)
    model: dict[bytes, bytes] = {}
    for kind, key, data in changes:
        index, exact = page.find(key)
        if kind == "insert" and not exact and page.room_for(key, data):
            page.insert(index, key, data)
            model[key] = data
        elif kind == "replace" and exact and len(data) <= len(model[key]) + page.free_bytes:
            page.replace(index, data)
            model[key] = data
        elif kind == "delete" and exact:
            page.delete(index)
            del model[key]
        assert dict(zip(page.keys, page.datas, strict=True)) == model
        assert page.keys == sorted(model)
        taken = sum(6 + len(k) + len(d) for k, d in model.items())
        assert page.free_bytes == 8192 - 40 - 4 - taken
    assert contents(Page.from_bytes(page.to_bytes(), 9)) == contents(page)


def test_a_branch_finds_the_child_by_exclusive_upper_bounds():
    page = Page(9, 42, FLAG_PARENT_OF_LEAF)
    for index, (bound, child) in enumerate(((b"d", 11), (b"m", 12), (b"", 13))):
        page.insert(index, bound, child.to_bytes(4, "little"))
    found = {key: page.child(page.child_index(key)) for key in (b"a", b"d", b"l", b"m", b"z")}
    assert found == {b"a": 11, b"d": 12, b"l": 12, b"m": 13, b"z": 13}


def test_an_overfull_page_is_a_programming_error():
    page = Page(9, 42, FLAG_LEAF)
    page.insert(0, b"a", bytes(8000))
    assert not page.room_for(b"b", bytes(200))
    with pytest.raises(AssertionError, match="page 9 overflows"):
        page.insert(1, b"b", bytes(200))


def test_the_page_number_is_part_of_the_checksum():
    image = page_with({b"k": (b"v", 0)}).to_bytes(9)
    with pytest.raises(EseError, match=r"-1018 .*MDB1.edb, page 10"):
        Page.from_bytes(image, 10, "MDB1.edb")


def test_a_page_of_zeros_was_never_written():
    with pytest.raises(EseError, match=r"-1019 .*PageNotInitialized"):
        Page.from_bytes(bytes(8192), 9)


def field(image, offset, value, size=2):
    changed = image[:offset] + value.to_bytes(size, "little") + image[offset + size :]
    return sealed_page(changed, 9)


GOOD = page_with({b"a": (b"1", 0), b"b": (b"2", 0), b"c": (b"3", 0)}).to_bytes(9)
BRANCH = page_with({b"a": (bytes(4), 0), b"b": (bytes(4), 0)}, FLAG_PARENT_OF_LEAF).to_bytes(9)
FIRST_TAG = 8192 - 8


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (field(GOOD, 28, 1), "cbFree is 1"),
        (field(GOOD, 30, 9000), "cbUncommittedFree"),
        (field(GOOD, 32, 9000), "do not fit"),
        (field(GOOD, 34, 0), "0 tags"),
        (field(GOOD, 34, 2000), "do not fit"),
        (field(GOOD, 36, FLAG_LEAF | FLAG_LONG_VALUE | FLAG_INDEX), "at once"),
        (field(GOOD, FIRST_TAG + 2, 8100), "ends outside"),
        (field(GOOD, 40, 700), "damaged key"),
        (field(GOOD, 42, ord("x"), 1), "out of order"),
        (field(GOOD, 36, FLAG_NEW_CHECKSUM), "does not hold a page number"),
        (field(GOOD, 36, FLAG_LEAF | FLAG_ROOT), "tag 0 has 0 bytes"),
        (field(BRANCH, 42, ord("z"), 1), "out of order"),
    ],
)
def test_a_page_that_breaks_a_rule_is_refused_although_its_checksum_is_right(image, problem):
    with pytest.raises(EseError, match=rf"-1206 .*page 9: .*{problem}"):
        Page.from_bytes(image, 9)


def test_equal_keys_are_allowed_only_where_keys_need_not_be_unique():
    page = Page(9, 42, FLAG_LEAF | FLAG_INDEX | FLAG_NON_UNIQUE)
    page.insert(0, b"k", b"1")
    page.insert(1, b"k", b"2")
    assert Page.from_bytes(page.to_bytes(), 9).datas == [b"1", b"2"]
    page.flags &= ~FLAG_NON_UNIQUE
    with pytest.raises(EseError, match="out of order"):
        Page.from_bytes(page.to_bytes(), 9)


def test_keys_that_another_writer_compressed_are_read_in_full():
    prefix = b"common"
    page = Page(9, 42, FLAG_LEAF)
    page.set_external(prefix)
    plain = [(b"other", b"A"), (b"zzz", b"C")]
    for index, (key, data) in enumerate(plain):
        page.insert(index, key, data)
    image = bytearray(page.to_bytes())
    node = (4).to_bytes(2, "little") + (1).to_bytes(2, "little") + b"X" + b"B"
    end = int.from_bytes(image[32:34], "little")
    image[40 + end : 40 + end + len(node)] = node
    tags = [image[8192 - 4 * n : 8192 - 4 * (n - 1)] for n in (1, 2, 3)]
    new = len(node).to_bytes(2, "little") + (end | 4 << 13).to_bytes(2, "little")
    for number, tag in enumerate((tags[0], new, tags[1], tags[2]), start=1):
        image[8192 - 4 * number : 8192 - 4 * (number - 1)] = tag
    free = int.from_bytes(image[28:30], "little") - len(node) - 4
    image[28:36] = b"".join(value.to_bytes(2, "little") for value in (free, 0, end + len(node), 4))
    found = Page.from_bytes(sealed_page(bytes(image), 9), 9)
    assert found.keys == [b"commX", b"other", b"zzz"]
    assert found.datas == [b"B", b"A", b"C"]
    assert found.node_flags == [0, 0, 0]
    assert Page.from_bytes(found.to_bytes(), 9).keys == found.keys


def test_the_space_header_says_where_the_space_trees_are():
    header = SpaceHeader.unpack(multiple_extent_header(33, 48, 1))
    assert header == SpaceHeader(primary_pages=48, parent_fdp=1, flags=1, pgno_owned=34)
