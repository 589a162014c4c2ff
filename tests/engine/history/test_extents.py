"""The extent map against a plain array: whatever is laid over whatever, the newest byte wins."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.history.extents import Extent, ExtentMap

OPERATION = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 60), st.integers(0, 30)),
    st.tuples(st.just("truncate"), st.integers(0, 90), st.just(0)),
)


class Model:
    """One (sequence, offset in its payload) per byte; None is a zero."""

    def __init__(self):
        self.bytes = []

    def write(self, offset, length, sequence):
        if length:
            self.bytes += [None] * (offset - len(self.bytes))
            self.bytes[offset : offset + length] = [(sequence, n) for n in range(length)]

    def truncate(self, size):
        self.bytes = self.bytes[:size] + [None] * (size - len(self.bytes))


def bytes_of(extents, start, stop):
    found = [None] * (stop - start)
    for extent in extents.covering(start, stop):
        assert start <= extent.start < extent.stop <= stop
        for position in range(extent.start, extent.stop):
            assert found[position - start] is None, "extents do not overlap"
            found[position - start] = (extent.sequence, extent.skip + position - extent.start)
    return found


@settings(deadline=None, max_examples=300)
@given(st.lists(OPERATION, max_size=25), st.data())
def test_a_map_holds_for_every_byte_the_newest_write_to_it(operations, data):
    extents, model = ExtentMap(), Model()
    for sequence, (kind, number, length) in enumerate(operations, 1):
        if kind == "write":
            extents.write(number, length, sequence)
            model.write(number, length, sequence)
        else:
            extents.truncate(number)
            model.truncate(number)
        assert extents.size == len(model.bytes)
    assert bytes_of(extents, 0, extents.size) == model.bytes
    start = data.draw(st.integers(0, extents.size))
    stop = data.draw(st.integers(start, extents.size))
    assert bytes_of(extents, start, stop) == model.bytes[start:stop]


@settings(deadline=None, max_examples=300)
@given(st.lists(OPERATION, max_size=25), st.integers(0, 25))
def test_a_history_cut_anywhere_into_two_maps_reads_as_in_one(operations, parting):
    whole, parts = ExtentMap(), (ExtentMap(), ExtentMap())
    for sequence, (kind, number, length) in enumerate(operations, 1):
        for extents in (whole, parts[sequence > parting]):
            if kind == "write":
                extents.write(number, length, sequence)
            else:
                extents.truncate(number)
    lower, upper = parts
    assert upper.size_over(lower.size) == whole.size
    merged = bytes_of(lower, 0, whole.size)
    if upper.cut is not None:
        merged[upper.cut :] = [None] * (whole.size - upper.cut)
    for position, found in enumerate(bytes_of(upper, 0, whole.size)):
        merged[position] = found or merged[position]
    assert merged == bytes_of(whole, 0, whole.size)


def test_a_write_inside_another_leaves_both_its_ends():
    extents = ExtentMap()
    extents.write(0, 100, 1)
    extents.write(40, 20, 2)
    assert list(extents.covering(0, 100)) == [
        Extent(0, 40, 1, 0),
        Extent(40, 60, 2, 0),
        Extent(60, 100, 1, 60),
    ]
    assert extents.sequences() == [1, 2, 1]


def test_what_was_cut_off_reads_as_zeros_when_the_file_grows_again():
    extents = ExtentMap()
    extents.write(0, 100, 1)
    extents.truncate(10)
    extents.truncate(50)
    assert (extents.size, list(extents.covering(0, 50))) == (50, [Extent(0, 10, 1, 0)])
