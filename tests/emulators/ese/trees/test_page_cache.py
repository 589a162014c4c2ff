"""The page cache: which version of a page may be written when, and after which others."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.formats.page import FLAG_LEAF, Page
from emulators.ese.formats.values import Lgpos
from emulators.ese.trees.page_cache import LGPOS_MAX, PageCache


def at(generation, place=0):
    return Lgpos(generation, 8 + place, 0)


def make_cache(*pgnos, keep_versions=True):
    def load(pgno):
        return Page(pgno, 6, FLAG_LEAF)

    cache = PageCache(load, keep_versions=keep_versions)
    for pgno in pgnos:
        cache.page(pgno)
    return cache


def change(cache, pgno, lgpos):
    """Change a page as an editor does; its dbtime then tells the version."""
    cache.touch(pgno, lgpos)
    cache.page(pgno).dbtime += 1
    return cache.page(pgno).dbtime


def version_of(write):
    return Page.from_bytes(write.image, write.pgno).dbtime


def test_a_page_is_dirty_from_its_first_change_until_it_is_taken():
    cache = make_cache(5)
    assert cache.dirty_count == 0
    assert cache.take(5, waypoint=9) is None
    change(cache, 5, at(1))
    assert cache.dirty_count == 1
    assert version_of(cache.take(5, waypoint=1)) == 1
    assert cache.dirty_count == 0
    assert cache.take(5, waypoint=1) is None


def test_no_version_above_the_waypoint_is_given_out():
    cache = make_cache(5)
    change(cache, 5, at(3))
    assert cache.due(waypoint=2, older_than=LGPOS_MAX) == []
    assert cache.take(5, waypoint=2) is None
    assert cache.dirty_count == 1
    assert cache.due(waypoint=3, older_than=LGPOS_MAX) == [5]


def test_a_page_that_changes_in_every_generation_is_written_as_it_stood_before():
    cache = make_cache(5)
    change(cache, 5, at(1))
    old = change(cache, 5, at(1, 1))
    change(cache, 5, at(2))
    change(cache, 5, at(3))
    assert cache.due(waypoint=2, older_than=at(2)) == [5]
    assert version_of(cache.take(5, waypoint=2)) == old
    assert cache.oldest_dirty() == at(2)
    assert cache.take(5, waypoint=2) is None, "the later version is of generation 3"
    assert version_of(cache.take(5, waypoint=3)) == 4


def test_the_newest_version_is_taken_where_the_waypoint_allows_it():
    cache = make_cache(5)
    change(cache, 5, at(1))
    newest = change(cache, 5, at(2))
    assert version_of(cache.take(5, waypoint=2)) == newest
    assert cache.oldest_dirty() == LGPOS_MAX


def test_a_page_changed_after_it_was_taken_is_dirty_from_that_change_on():
    cache = make_cache(5)
    change(cache, 5, at(1))
    cache.take(5, waypoint=1)
    change(cache, 5, at(4))
    assert cache.oldest_dirty() == at(4)
    assert cache.due(waypoint=9, older_than=at(4)) == []
    assert cache.due(waypoint=9, older_than=at(4, 1)) == [5]


def test_the_checkpoint_is_the_oldest_change_of_any_page():
    cache = make_cache(5, 6, 7)
    change(cache, 6, at(2))
    change(cache, 5, at(1))
    change(cache, 7, at(3))
    change(cache, 5, at(3))
    assert cache.oldest_dirty() == at(1)
    cache.take(5, waypoint=1)
    assert cache.oldest_dirty() == at(2)
    cache.take(6, waypoint=2)
    assert cache.oldest_dirty() == at(3)


def test_recovery_keeps_no_older_versions():
    cache = make_cache(5, keep_versions=False)
    change(cache, 5, at(1))
    change(cache, 5, at(2))
    assert cache.take(5, waypoint=1) is None
    assert cache.oldest_dirty() == at(1)


def test_a_page_follows_all_pages_that_its_nodes_were_moved_to():
    cache = make_cache(1, 2, 3, 4)
    for pgno in (1, 2, 3, 4):
        change(cache, pgno, at(1))
    cache.order(2, 1, at(1))
    cache.order(3, 2, at(1))
    cache.order(4, 1, at(1))
    assert cache.levels([1, 2, 3, 4]) == [[3, 4], [2], [1]]
    assert cache.levels([1]) == [[3, 4], [2], [1]], "what it must follow comes along"
    assert cache.levels([4]) == [[4]]
    assert cache.levels([]) == []


def test_a_page_already_on_disk_holds_nobody_back():
    cache = make_cache(1, 2)
    change(cache, 1, at(1))
    change(cache, 2, at(1))
    cache.order(2, 1, at(1))
    cache.take(2, waypoint=1)
    assert cache.levels([1]) == [[1]]


def test_a_chain_of_thousands_of_splits_is_put_in_order():
    count = 5000
    cache = make_cache(*range(1, count + 1))
    for pgno in range(1, count + 1):
        change(cache, pgno, at(1))
        if pgno > 1:
            cache.order(pgno, pgno - 1, at(1))
    assert cache.levels([1]) == [[pgno] for pgno in range(count, 0, -1)]


@dataclass
class Model:
    """Every version of every page, and what is on disk: the rules, without cleverness."""

    versions: dict = field(default_factory=dict)
    on_disk: dict = field(default_factory=dict)

    def oldest_lost(self):
        """The oldest change that the disk does not hold."""
        missing = [
            lgpos
            for pgno, changes in self.versions.items()
            for lgpos, dbtime in changes
            if dbtime > self.on_disk.get(pgno, 0)
        ]
        return min(missing, default=LGPOS_MAX)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(1, 4)),
        st.tuples(st.just("roll"), st.just(0)),
        st.tuples(st.just("write"), st.integers(0, 12)),
    ),
    max_size=80,
)


@settings(deadline=None, max_examples=200)
@given(STEPS, st.sampled_from((1, 3)))
def test_in_any_history_the_disk_holds_only_allowed_versions_and_all_before_the_checkpoint(
    steps, depth
):
    cache, model = make_cache(1, 2, 3, 4), Model()
    generation = waypoint = 1
    for place, (what, number) in enumerate(steps):
        if what == "change":
            lgpos = at(generation, place)
            dbtime = change(cache, number, lgpos)
            model.versions.setdefault(number, []).append((lgpos, dbtime))
        elif what == "roll":
            generation += 1
            waypoint = max(waypoint, generation - depth)
        elif generation > 1:
            for pgno in cache.due(waypoint=waypoint, older_than=at(number)):
                write = cache.take(pgno, waypoint=waypoint)
                lgpos_of = {dbtime: lgpos for lgpos, dbtime in model.versions[pgno]}
                assert lgpos_of[version_of(write)].generation <= waypoint
                assert version_of(write) > model.on_disk.get(pgno, 0)
                model.on_disk[pgno] = version_of(write)
        assert cache.oldest_dirty() <= model.oldest_lost(), "the log would be cut too early"
    for pgno in (1, 2, 3, 4):
        cache.take(pgno, waypoint=generation)
    assert cache.dirty_count == 0
    assert cache.oldest_dirty() == LGPOS_MAX
