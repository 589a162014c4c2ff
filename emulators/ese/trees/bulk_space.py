"""Who owns which pages while a database is loaded in bulk: the space trees before they are pages.

Trees that are loaded alone take page after page, so that what they own is one extent. A tree that
is loaded beside another, long values beside their rows, takes extents that grow with it.
"""

from emulators.ese.formats.space_header import encode_extent

TREE_ROOT_PAGES = 3
EXTENT_PAGES_MIN = 16
GROWTH_SHARE = 8

Extents = list[tuple[int, int]]
"""First page and number of pages of each, in order."""


class Territory:
    """The pages of one tree; the database's own has no parent and grows with the file.

    Args:
        parent: the tree that gives it pages.
        pages: how many it begins with.
        is_growing: whether it takes extents rather than single pages.

    `fdp` is the first of its pages, on which its root lies.
    """

    def __init__(
        self, parent: "Territory | None", pages: int = TREE_ROOT_PAGES, *, is_growing: bool = False
    ) -> None:
        self._parent = parent
        self._is_growing = is_growing
        self._owned: Extents = []
        self._free: Extents = []
        self._pages = 0
        self.fdp = self._obtain(pages)
        self._free.append((self.fdp, pages))
        self.take(TREE_ROOT_PAGES)

    @property
    def parent_fdp(self) -> int:
        """Root of the tree that gave its pages, 0 for none."""
        return 0 if self._parent is None else self._parent.fdp

    @property
    def owned(self) -> Extents:
        """What it owns, its children's pages included."""
        return self._owned

    @property
    def available(self) -> Extents:
        """What it owns and nobody uses."""
        return self._free

    @property
    def pages(self) -> int:
        """How many pages it owns."""
        return self._pages

    def page(self) -> int:
        """Take one page for a node page of the tree."""
        if not self._free:
            wanted = max(EXTENT_PAGES_MIN, self._pages // GROWTH_SHARE) if self._is_growing else 1
            self._free.append((self._obtain(wanted), wanted))
        return self.take(1)

    def take(self, pages: int) -> int:
        """Take pages in a row out of what is available, or else from the parent."""
        for index, (first, count) in enumerate(self._free):
            if count >= pages:
                rest = [(first + pages, count - pages)] if count > pages else []
                self._free[index : index + 1] = rest
                return first
        return self._obtain(pages)

    def grow_to(self, pages: int) -> None:
        """Let it own at least that many pages; the new ones are available."""
        more = pages - self._pages
        if more > 0:
            self._free.append((self._obtain(more), more))

    def _obtain(self, pages: int) -> int:
        first = 1 + self._pages if self._parent is None else self._parent.take(pages)
        self._pages += pages
        last_first, last_count = self._owned[-1] if self._owned else (0, 0)
        if self._owned and last_first + last_count == first:
            self._owned[-1] = (last_first, last_count + pages)
        else:
            self._owned.append((first, pages))
        return first


def extent_nodes(extents: Extents) -> tuple[list[bytes], list[bytes]]:
    """Return keys and data of a space tree that lists these extents."""
    nodes = [encode_extent(first + count - 1, count) for first, count in sorted(extents)]
    return [key for key, _ in nodes], [data for _, data in nodes]
