"""The dirty map against the plainest model: a set of bytes."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import CaptureSettings
from engine.basics.ranges import Ranges
from engine.capture.bitmap import BLOCK_BYTES, BLOCK_BYTES_LARGE, LARGE_FILE_BYTES, Bitmap
from engine.capture.dirty import DirtyMap

SPANS = st.tuples(st.booleans(), st.integers(0, 60), st.integers(1, 20))


@given(st.lists(SPANS, max_size=30), st.integers(0, 60), st.integers(1, 30))
def test_ranges_are_a_set_of_bytes_in_as_few_pieces_as_there_can_be(spans, start, length):
    ranges, model = Ranges(), set()
    for is_added, first, count in spans:
        span = range(first, first + count)
        if is_added:
            ranges.add(first, first + count)
            model.update(span)
        else:
            ranges.remove(first, first + count)
            model.difference_update(span)
    pieces = ranges.all()
    assert {byte for piece in pieces for byte in range(*piece)} == model
    assert all(left[1] < right[0] for left, right in pairwise(pieces))
    assert len(ranges) == len(pieces)
    window = set(range(start, start + length))
    inside = ranges.within(start, start + length)
    outside = ranges.without(start, start + length)
    assert {byte for piece in inside for byte in range(*piece)} == model & window
    assert {byte for piece in outside for byte in range(*piece)} == window - model


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "cut"]), SPANS), max_size=30))
def test_a_bitmap_is_a_set_of_blocks(steps):
    bitmap, model, grain = Bitmap(0), set(), 1_024
    for kind, (_, first, count) in steps:
        start, stop = first * grain, (first + count) * grain
        if kind == "add":
            bitmap.add(start, stop)
            model.update(range(start // BLOCK_BYTES, -(-stop // BLOCK_BYTES)))
        elif kind == "remove":
            bitmap.remove(start, stop)
            model -= set(range(-(-start // BLOCK_BYTES), stop // BLOCK_BYTES))
        else:
            bitmap.cut(start)
            model = {block for block in model if block * BLOCK_BYTES < start}
    assert [start // BLOCK_BYTES for start, _ in bitmap.all()] == sorted(model)
    assert bitmap.count == len(model)
    if model:
        start, stop = bitmap.first(3 * BLOCK_BYTES)
        first = min(model)
        run = next(n for n in range(1, 4) if n == 3 or first + n not in model)
        assert (start, stop) == (first * BLOCK_BYTES, (first + run) * BLOCK_BYTES)


def test_the_blocks_of_a_very_large_file_are_larger():
    assert Bitmap(LARGE_FILE_BYTES).block_bytes == BLOCK_BYTES == 4_096
    assert Bitmap(LARGE_FILE_BYTES + 1).block_bytes == BLOCK_BYTES_LARGE == 16_384


def test_a_bitmap_of_a_sparse_terabyte_is_small_and_its_last_block_is_found():
    bitmap = Bitmap(1 << 40)
    bitmap.add((1 << 40) - 1, 1 << 40)
    assert len(bitmap._bits) == (1 << 40) // BLOCK_BYTES_LARGE // 8 == 8 << 20
    assert bitmap.first(1) == ((1 << 40) - BLOCK_BYTES_LARGE, 1 << 40)


FILE_BYTES = 40 * BLOCK_BYTES
CHANGES = st.tuples(
    st.sampled_from(["add", "add", "add", "remove", "cut", "drop", "take"]),
    st.integers(1, 3),
    st.integers(0, FILE_BYTES - 1),
    st.integers(1, 3 * BLOCK_BYTES),
)


@settings(deadline=None)
@given(st.lists(CHANGES, max_size=60))
def test_a_dirty_map_never_loses_a_dirty_byte_whatever_it_is_kept_as(changes):
    few = CaptureSettings(metadata_changes_max=6, metadata_changes_low=3)
    dirty = DirtyMap(few, lambda _: FILE_BYTES)
    model = {file: Ranges() for file in (1, 2, 3)}
    for kind, file, start, length in changes:
        stop = start + length
        if kind == "add":
            dirty.add(file, start, stop)
            model[file].add(start, stop)
        elif kind == "remove":
            dirty.remove(file, start, stop)
            model[file].remove(start, stop)
        elif kind == "cut":
            dirty.cut(file, start)
            model[file].remove(start, 1 << 40)
        elif kind == "drop":
            dirty.drop(file)
            model[file] = Ranges()
        elif (taken := dirty.take(length)) is not None:
            model[taken[0]].remove(taken[1], taken[2])
        held = {file: Ranges() for file in model}
        for file_, (first, last) in dirty.ranges():
            held[file_].add(first, last)
        for file_, ranges in model.items():
            assert all(not held[file_].without(*piece) for piece in ranges.all())
        assert dirty.is_bitmap or dirty.count <= 6
        assert (dirty.count == 0) == (not dirty.ranges())


def test_too_many_ranges_become_a_bitmap_and_few_blocks_ranges_again():
    dirty = DirtyMap(CaptureSettings(), lambda _: 1 << 30)
    for n in range(65_537):
        assert not dirty.is_bitmap
        dirty.add(1, n * 2 * BLOCK_BYTES, n * 2 * BLOCK_BYTES + 10)
    assert dirty.is_bitmap
    assert dirty.count == 65_537
    for n in range(65_537 - 16_383):
        assert dirty.is_bitmap
        assert dirty.take(1) == (1, n * 2 * BLOCK_BYTES, (n * 2 + 1) * BLOCK_BYTES)
    assert not dirty.is_bitmap
    assert dirty.count == 16_383


@pytest.mark.parametrize("kind", [Ranges, lambda: Bitmap(0)])
def test_adding_twice_changes_nothing(kind):
    one, two = kind(), kind()
    one.add(5, 9_000)
    two.add(5, 9_000)
    two.add(5, 9_000)
    assert one.all() == two.all()
