"""What a cache of limited size would read, against a plain list in the order of use."""

from hypothesis import given
from hypothesis import strategies as st

from emulators.ese.trees.page_recency import READ_RUN_PAGES_MAX, PageRecency

PAGES = st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=60)


@given(PAGES, st.integers(1, 8))
def test_a_page_counts_as_read_when_it_is_not_among_those_used_last(uses, room):
    recency = PageRecency(room)
    held = []
    read = 0
    for pgno, is_made in uses:
        read += pgno not in held and not is_made
        held = ([pgno] + [other for other in held if other != pgno])[:room]
        (recency.hold if is_made else recency.use)(pgno)
        assert recency.pages_read == read
    assert recency.reads <= recency.pages_read


def test_neighbours_are_one_read_up_to_the_longest_run():
    recency = PageRecency(1000)
    for pgno in range(1, 2 * READ_RUN_PAGES_MAX + 2):
        recency.use(pgno)
    assert (recency.pages_read, recency.reads) == (2 * READ_RUN_PAGES_MAX + 1, 3)
    recency.use(500)
    assert recency.reads == 4
