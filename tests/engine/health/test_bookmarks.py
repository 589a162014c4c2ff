"""Bookmarks: what is late is not lost, and what is lost is not late."""

from hypothesis import given
from hypothesis import strategies as st

from engine.health.bookmarks import BookmarkWatch, Whereabouts

EVERY, GRACE = 900, 120
FOUND, UPLOADING = Whereabouts.FOUND, Whereabouts.UPLOADING
DELAYED, LOST = Whereabouts.DELAYED, Whereabouts.LOST


def counts(watch, now, stream, *, is_connected=True):
    figures = watch.figures(now, stream, is_connected=is_connected)
    return tuple(figures.counts[kind] for kind in Whereabouts)


def test_a_bookmark_in_time_is_found():
    watch = BookmarkWatch(EVERY, GRACE, 0)
    watch.arrived(910)
    watch.arrived(1_805)
    assert counts(watch, 1_900, 1_900) == (2, 0, 0, 0)


def test_within_its_grace_a_bookmark_is_neither_late_nor_lost():
    watch = BookmarkWatch(EVERY, GRACE, 0)
    assert counts(watch, EVERY + GRACE, EVERY + GRACE) == (0, 0, 0, 0)
    assert counts(watch, EVERY + GRACE + 1, EVERY + GRACE + 1) == (0, 0, 0, 1)


def test_what_the_stream_has_passed_is_lost():
    watch = BookmarkWatch(EVERY, GRACE, 0)
    watch.arrived(900)
    assert counts(watch, 900 + 3 * EVERY + 200, 900 + 3 * EVERY + 200) == (1, 0, 0, 3)
    watch.arrived(900 + 4 * EVERY)
    figures = watch.figures(900 + 4 * EVERY, 900 + 4 * EVERY, is_connected=True)
    assert figures.counts[LOST] == 3
    assert figures.lost_in_a_row == 0
    assert figures.newest_ns == 900 + 4 * EVERY


def test_what_the_stream_has_not_reached_is_late_and_comes_without_any_loss():
    watch = BookmarkWatch(EVERY, GRACE, 0)
    watch.arrived(900)
    now = 900 + 2 * EVERY + 200
    assert counts(watch, now, 1_000) == (1, 2, 0, 0)
    assert counts(watch, now, 1_000, is_connected=False) == (1, 0, 2, 0)
    watch.arrived(1_800)
    watch.arrived(2_700)
    assert counts(watch, now, now) == (3, 0, 0, 0)


def test_before_anything_is_durable_all_is_late():
    watch = BookmarkWatch(EVERY, GRACE, 0)
    assert counts(watch, 10 * EVERY, None) == (0, 9, 0, 0)


def test_one_committed_after_a_newer_one_is_not_counted_again():
    watch = BookmarkWatch(EVERY, GRACE, 0)
    watch.arrived(1_800)
    watch.arrived(900)
    figures = watch.figures(1_900, 1_900, is_connected=True)
    assert figures.newest_ns == 1_800
    assert figures.counts[FOUND] == 1


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 60))
def test_found_late_and_lost_together_are_those_that_were_due(made, reached):
    """`made[k]` tells if bookmark k + 1 was made; the stream has come `reached` of them far."""
    watch, found, lost = BookmarkWatch(EVERY, GRACE, 0), 0, 0
    reached = min(reached, len(made))
    for number, is_made in enumerate(made[:reached], start=1):
        found, lost = found + is_made, lost + (not is_made)
        if is_made:
            watch.arrived(number * EVERY)
    now, stream = len(made) * EVERY + GRACE + 1, reached * EVERY + GRACE + 1
    figures = watch.figures(now, stream, is_connected=True)
    assert figures.counts == {
        FOUND: found,
        LOST: lost,
        UPLOADING: len(made) - reached,
        DELAYED: 0,
    }
