"""Bookmarks that should be there: which have come, which are late, and which never will.

The classes are WAL-G's (protection.md 2.2). A bookmark is due every so often, by the source's wall
clock. The stream is ordered, and that tells late from lost at the copy, without asking anybody:
once the stream has passed the time of a bookmark without bringing it, it never will.

    FOUND      it is a durable point here
    LOST       the stream has passed its time: refused, revoked, in a gap, or never made
    UPLOADING  the stream has not come so far, but the source is connected
    DELAYED    the stream has not come so far, and the source is not connected
"""

from dataclasses import dataclass
from enum import Enum


class Whereabouts(Enum):
    """What became of a bookmark that was due."""

    FOUND = "found"
    UPLOADING = "uploading"
    DELAYED = "delayed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class BookmarkFigures:
    """What became of the bookmarks that were due.

    Attributes:
        counts: How many are where.
        lost_in_a_row: How many were lost since the newest one that came.
        newest_ns: Source time of the newest one, None before the first.
    """

    counts: dict[Whereabouts, int]
    lost_in_a_row: int
    newest_ns: int | None


class BookmarkWatch:
    """Counts the bookmarks of one copy.

    Args:
        every_ns: How often one is due.
        grace_ns: How much later it may be made and committed.
        begin_ns: The source's wall clock now; the first one is due `every_ns` later.
    """

    def __init__(self, every_ns: int, grace_ns: int, begin_ns: int) -> None:
        assert every_ns > 0, "bookmarks have an interval"
        assert grace_ns >= 0, "nobody is early"
        self._every_ns = every_ns
        self._grace_ns = grace_ns
        self._last_ns = begin_ns
        self._newest_ns: int | None = None
        self._found = 0
        self._lost = 0

    def arrived(self, time_ns: int) -> None:
        """Note that a bookmark of this source time is a durable point now."""
        if self._newest_ns is not None and time_ns <= self._newest_ns:
            # Committed after a newer one, or found again in an opened journal.
            return
        self._lost += self._overdue(time_ns)
        self._found += 1
        self._last_ns = self._newest_ns = time_ns

    def figures(self, now_ns: int, stream_ns: int | None, *, is_connected: bool) -> BookmarkFigures:
        """Return what became of the bookmarks due until now.

        Args:
            now_ns: The source's wall clock.
            stream_ns: Source time of the newest durable record, None without any.
            is_connected: Whether records flow.
        """
        lost = 0 if stream_ns is None else self._overdue(stream_ns)
        late = max(0, self._overdue(now_ns) - lost)
        return BookmarkFigures(
            counts={
                Whereabouts.FOUND: self._found,
                Whereabouts.UPLOADING: late if is_connected else 0,
                Whereabouts.DELAYED: 0 if is_connected else late,
                Whereabouts.LOST: self._lost + lost,
            },
            lost_in_a_row=lost,
            newest_ns=self._newest_ns,
        )

    def _overdue(self, time_ns: int) -> int:
        """Return how many were due before a time, and their grace over, since the newest one."""
        return max(0, (time_ns - self._last_ns - self._grace_ns - 1) // self._every_ns)
