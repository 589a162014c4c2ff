"""Which pages a database cache of limited size would hold, so that reads from disk can be counted.

The emulated cache keeps every page it ever touched: that makes a run fast. This model only keeps
the numbers of the pages used last, as many as the cache has room for. A page that is not among them
counts as read; the page after the one that was read last belongs to the same read.

Assumptions: pages leave the cache in the order of their last use (ESE weighs the last two uses of a
page, LRU-K), and neighbours are read together in runs as long as those that are written together.
Not modelled: a page that leaves while it has changes is written later, by the checkpoint, not then;
reads take no time of the disk; a page that is not on disk yet when it leaves counts as read when it
is used again.
"""

from collections import OrderedDict

READ_RUN_PAGES_MAX = 32


class PageRecency:
    """The numbers of the pages used last.

    Args:
        pages_max: pages that the cache has room for, at least 1.

    Attributes:
        pages_read: pages that were used and not in the cache.
        reads: operations of the disk that bring them in.
    """

    def __init__(self, pages_max: int) -> None:
        assert pages_max > 0, "a cache has room for a page"
        self.pages_read = 0
        self.reads = 0
        self._room = pages_max
        self._recent: OrderedDict[int, None] = OrderedDict()
        self._read_last = 0
        self._run_left = 0

    def use(self, pgno: int) -> None:
        """Note that page `pgno` was used, and count a read where it is not in the cache."""
        if pgno in self._recent:
            self._recent.move_to_end(pgno)
        else:
            self._count(pgno)
            self.hold(pgno)

    def hold(self, pgno: int) -> None:
        """Note that page `pgno` was made in the cache; it takes the place of the one used last."""
        self._recent[pgno] = None
        self._recent.move_to_end(pgno)
        if len(self._recent) > self._room:
            self._recent.popitem(last=False)

    def _count(self, pgno: int) -> None:
        self.pages_read += 1
        if pgno == self._read_last + 1 and self._run_left:
            self._run_left -= 1
        else:
            self.reads += 1
            self._run_left = READ_RUN_PAGES_MAX - 1
        self._read_last = pgno
