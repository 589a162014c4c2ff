"""Names that the stream must catch up with: any permutation, creation and deletion in between."""

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.capture.files import Files, steps_between
from engine.formats.records import RecordType
from engine.history.filetable import FileTable

NAMES = ("a", "b", "c", "a.1", "a.1~")


def files_of(names):
    files = Files()
    for file, name in names.items():
        files.create(file, name)
    return files


def check_steps(emitted, live):
    """Carry the steps out on both tables that will see them, and compare."""
    gate = FileTable()
    for file, name in emitted.names.items():
        gate.stage(RecordType.CREATE, file, name)
    count = 0
    for step in steps_between(emitted, live):
        gate.stage(step.kind, step.file, step.name)
        emitted.apply(step.kind, step.file, 0, 0, step.name)
        count += 1
    gate.commit()
    assert emitted.names == live.names
    assert gate.names() == sorted(live.ids)
    return count


def test_every_permutation_of_four_names_is_reached():
    names = NAMES[:4]
    counts = [
        check_steps(
            files_of(dict(enumerate(names, start=1))),
            files_of(dict(enumerate(order, start=1))),
        )
        for order in permutations(names)
    ]
    assert min(counts) == 0
    assert max(counts) <= 6, "one detour for each circle of names"


def test_every_small_change_of_tables_is_reached():
    """Three files before and after, each there or not, under any names."""
    tables = [
        dict(zip(ids, names, strict=True))
        for ids in ((), (1,), (2,), (1, 2), (1, 3), (2, 3), (1, 2, 3))
        for names in permutations(NAMES[:3], len(ids))
    ]
    for before, after in product(tables, repeat=2):
        is_new = [file for file in after if file not in before]
        if before and is_new and min(is_new) < max(before):
            continue  # ids only ever grow
        check_steps(files_of(before), files_of(after))


@given(st.permutations(NAMES), st.permutations(NAMES), st.integers(0, 5), st.integers(0, 5))
def test_a_temporary_name_is_one_that_nobody_has(before, after, count_before, count_after):
    check_steps(
        files_of(dict(enumerate(before[:count_before], start=1))),
        files_of(dict(enumerate(after[:count_after], start=1))),
    )


def test_a_copy_goes_its_own_way():
    files = files_of({1: "a"})
    copy = files.copy()
    files.apply(RecordType.WRITE, 1, 10, 5, "")
    files.apply(RecordType.RENAME, 1, 0, 0, "b")
    assert (copy.names, copy.sizes) == ({1: "a"}, {1: 0})
    assert (files.names, files.sizes) == ({1: "b"}, {1: 15})


def test_a_table_comes_back_from_its_state():
    files = files_of({1: "a", 7: "b"})
    files.apply(RecordType.TRUNCATE, 7, 99, 0, "")
    files.apply(RecordType.DELETE, 1, 0, 0, "")
    again = Files.of(files.state())
    assert again.state() == files.state()
    assert again.id_newest == 7


@pytest.mark.parametrize(("offset", "length", "size"), [(0, 0, 0), (5, 0, 0), (5, 3, 8)])
def test_an_empty_write_does_not_extend_a_file(offset, length, size):
    files = files_of({1: "a"})
    files.apply(RecordType.WRITE, 1, offset, length, "")
    assert files.sizes[1] == size
