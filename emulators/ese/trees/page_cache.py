"""The buffer of a database's pages: what is dirty, since when, and what may be written.

Rules kept here, all of exchange.md 1.1 and 1.2:

* Write-ahead (F16): a page version may be written only when the log records that made it are on
  disk. A version belongs to the generation of its newest record, and only closed generations at
  or below the waypoint are written, so both rules are one comparison.
* A page that changes in every generation would never be at or below the waypoint. Its state at the
  end of an older generation is therefore frozen as bytes before it is changed in a newer one, and
  that older version is what gets written.
* A split moves nodes to a new page, and a merge to the page after, without a copy in the log
  (LRSPLIT and LRMERGE, log version 7.3704.10). The page they were moved from may be written only
  after a version of the other page that has them. Nodes only ever move to a page further right, so
  no two pages wait for each other, as long as a page that was emptied gets no other place in the
  tree before its emptied version is on disk (`is_settled`). Redo meets the same order: what made
  such a page what it was before is then in its version on disk already.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.formats.page import Page
from emulators.ese.formats.values import Lgpos
from emulators.ese.trees.page_recency import PageRecency

LGPOS_MAX = Lgpos(0x7FFFFFFF, 0, 0)


@dataclass(slots=True)
class FrozenVersion:
    """A page as it stood at the end of `generation`, waiting to be written."""

    image: bytes
    generation: int
    oldest: Lgpos


@dataclass(slots=True)
class Buffer:
    """One page in memory with the log positions that it depends on.

    `oldest` is the position of the first record since the page was last written, `newest` that of
    the last one; both mean nothing while `dirty` is false. `write_after` are pages to be written
    first, each with the record whose change must be in them.
    """

    page: Page
    dirty: bool = False
    oldest: Lgpos = LGPOS_MAX
    newest: Lgpos = LGPOS_MAX
    frozen: FrozenVersion | None = None
    write_after: list[tuple[int, Lgpos]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PageWrite:
    """The bytes of page `pgno` that are due, and whether they are its latest version."""

    pgno: int
    image: bytes


class PageCache:
    """All pages of one database that have been touched.

    Args:
        load: reads a page that is not in memory; raises EseError -1018/-1019 when it is damaged.
        file_format: of the database; decides on the size and checksum of new pages.
        keep_versions: freeze older versions of pages that change from generation to generation;
            recovery writes only when all is done and needs none.

    Attributes:
        recency: counts what a cache of limited size would read; None where nobody asks.
    """

    def __init__(
        self,
        load: Callable[[int], Page],
        file_format: Format = EXCHANGE_2007,
        *,
        keep_versions: bool = True,
    ) -> None:
        self.file_format = file_format
        self.recency: PageRecency | None = None
        self._load = load
        self._keep_versions = keep_versions
        self._buffers: dict[int, Buffer] = {}
        self._dirty: dict[int, Buffer] = {}
        self._being_written: set[int] = set()

    def page(self, pgno: int) -> Page:
        """Return page `pgno`, reading it when it is not in memory."""
        buffer = self._buffers.get(pgno)
        if buffer is None:
            buffer = self._buffers[pgno] = Buffer(self._load(pgno))
        if self.recency is not None:
            self.recency.use(pgno)
        return buffer.page

    @property
    def plain_buffers(self) -> Mapping[int, Buffer]:
        """The pages in memory by number, for redo alone: one view, kept up to date.

        Where no versions are kept, and uses are not counted, all that `touch` does to a page with
        changes is to set `newest`: redo does that itself, for every record of its logs.
        """
        assert not self._keep_versions, "versions are kept by `touch`"
        assert self.recency is None, "uses are counted by `page`"
        return self._buffers

    def holds(self, pgno: int) -> bool:
        """Return whether page `pgno` is in memory."""
        return pgno in self._buffers

    def resident(self) -> dict[int, Page]:
        """Return all pages in memory, by number."""
        return {pgno: self._buffers[pgno].page for pgno in sorted(self._buffers)}

    def adopt(self, page: Page) -> None:
        """Take in a page that was just made and has no version on disk."""
        self._buffers[page.pgno] = Buffer(page)
        if self.recency is not None:
            self.recency.hold(page.pgno)

    def touch(self, pgno: int, lgpos: Lgpos, since: Lgpos | None = None) -> None:
        """Note that the record at `lgpos` is about to change page `pgno`.

        To be called after the record was logged and before the page is changed: the state before
        may have to be frozen.

        Args:
            pgno: the page.
            lgpos: position of the record.
            since: an earlier position from which the log is needed to redo the record.
        """
        buffer = self._buffers[pgno]
        if not buffer.dirty:
            buffer.dirty = True
            buffer.oldest = lgpos
            self._dirty[pgno] = buffer
        elif (
            self._keep_versions
            and buffer.frozen is None
            and lgpos.generation > buffer.newest.generation
        ):
            image = buffer.page.to_bytes(pgno)
            buffer.frozen = FrozenVersion(image, buffer.newest.generation, buffer.oldest)
            buffer.oldest = lgpos
        buffer.newest = lgpos
        if since is not None:
            buffer.oldest = min(buffer.oldest, since)
            if buffer.frozen is not None:
                buffer.frozen.oldest = min(buffer.frozen.oldest, since)

    def order(self, first: int, then: int, lgpos: Lgpos) -> None:
        """Require that `first` is on disk with the record at `lgpos` before `then` is with it."""
        self._buffers[then].write_after.append((first, lgpos))

    def is_settled(self, pgno: int) -> bool:
        """Return whether the latest version of a page is on disk.

        A page taken counts from the next call of `levels` on: all taken before was flushed then.
        """
        return pgno not in self._dirty and pgno not in self._being_written

    def follows(self, pgno: int) -> tuple[int, ...]:
        """Return the pages that must be on disk before a version of page `pgno` is written."""
        return tuple(first for first, _ in self._buffers[pgno].write_after)

    def oldest_dirty(self) -> Lgpos:
        """Return the position of the oldest record whose page is not on disk: the checkpoint."""
        oldest = LGPOS_MAX
        for buffer in self._dirty.values():
            frozen = buffer.frozen
            since = frozen.oldest if frozen is not None else buffer.oldest
            oldest = min(oldest, since)
        return oldest

    @property
    def dirty_count(self) -> int:
        """Number of pages with changes that are not on disk."""
        return len(self._dirty)

    def due(self, *, waypoint: int, older_than: Lgpos) -> list[int]:
        """Return the pages to write so that no record before `older_than` is still needed.

        Only pages with a version at or below the `waypoint` (a generation) are listed.
        """
        return [
            pgno
            for pgno, buffer in self._dirty.items()
            if self._since(buffer) < older_than and self._writable(buffer, waypoint)
        ]

    def levels(self, pgnos: Iterable[int]) -> list[list[int]]:
        """Arrange pages, and those they must follow, in batches to be written one after another.

        Each batch must be on disk before the next is written.
        """
        self._being_written.clear()
        depth: dict[int, int] = {}
        for pgno in pgnos:
            self._place(pgno, depth)
        levels: list[list[int]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for pgno, level in depth.items():
            levels[level].append(pgno)
        return [sorted(level) for level in levels]

    def take(self, pgno: int, *, waypoint: int) -> PageWrite | None:
        """Return the newest version of a page that may be written, and count it as written.

        None when the page is clean, or has no version at or below the waypoint that need not wait
        for another page.
        """
        buffer = self._buffers[pgno]
        if not buffer.dirty:
            return None
        awaited = min((lgpos for _, lgpos in self._awaited(buffer)), default=LGPOS_MAX)
        if buffer.newest.generation <= waypoint and buffer.newest < awaited:
            self._being_written.add(pgno)
            buffer.dirty = False
            buffer.frozen = None
            buffer.write_after.clear()
            del self._dirty[pgno]
            return PageWrite(pgno, buffer.page.to_bytes(pgno))
        frozen = buffer.frozen
        if frozen is not None and frozen.generation <= min(waypoint, awaited.generation - 1):
            self._being_written.add(pgno)
            buffer.frozen = None
            return PageWrite(pgno, frozen.image)
        return None

    def _place(self, pgno: int, depth: dict[int, int]) -> None:
        """Find the batch of a page; chains of splits are too long for recursion."""
        waiting = [pgno]
        while waiting:
            page = waiting[-1]
            before = [first for first, _ in self._awaited(self._buffers[page])]
            unknown = [first for first in before if first not in depth]
            if unknown:
                waiting += unknown
                continue
            depth[page] = 1 + max((depth[first] for first in before), default=-1)
            waiting.pop()

    def _awaited(self, buffer: Buffer) -> list[tuple[int, Lgpos]]:
        """Return which of the pages that a page must follow are not yet on disk as they must be."""
        if not buffer.write_after:
            return buffer.write_after
        buffers = self._buffers
        return [
            (first, lgpos)
            for first, lgpos in buffer.write_after
            if buffers[first].dirty and self._since(buffers[first]) <= lgpos
        ]

    @staticmethod
    def _since(buffer: Buffer) -> Lgpos:
        return buffer.frozen.oldest if buffer.frozen is not None else buffer.oldest

    @staticmethod
    def _writable(buffer: Buffer, waypoint: int) -> bool:
        if buffer.newest.generation <= waypoint:
            return True
        return buffer.frozen is not None and buffer.frozen.generation <= waypoint
