"""Full pages made at once from sorted nodes, sealed and written in batches.

One precompiled header and one join per page, checksums of 256 pages in one pass of numpy: what a
page costs is mostly the memory that its nodes move through.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from struct import Struct

from emulators.ese.formats.checksum import FLAG_NEW_CHECKSUM
from emulators.ese.formats.format import Format
from emulators.ese.formats.page import (
    FLAG_NEW_RECORD,
    NODE_OVERHEAD_BYTES,
    PAGE_HEADER_BYTES,
    TAG_BYTES,
)
from emulators.ese.formats.page_verification import seal_pages

PAGES_PER_BATCH = 256

PageWriter = Callable[[int, bytes], None]
"""Writes consecutive pages: the number of the first, and their bytes."""

_HEADER = Struct("<QqIIIHHHHI")
_KEY_LENGTHS = [length.to_bytes(2, "little") for length in range(8192)]
_TAGS = [Struct(f"<{2 * count}H") for count in range(8192 // NODE_OVERHEAD_BYTES)]


class BulkPages:
    """Takes pages in any order and writes them in runs.

    Args:
        write: where they go.
        file_format: their size.
        dbtime: what all of them carry as the time of their last change.
    """

    def __init__(self, write: PageWriter, file_format: Format, dbtime: int) -> None:
        self._write = write
        self._page_bytes = file_format.page_bytes
        self._dbtime = dbtime
        self._flags = FLAG_NEW_RECORD | (FLAG_NEW_CHECKSUM if file_format.has_ecc else 0)
        self._images: list[bytes] = []
        self._numbers: list[int] = []
        self.room = file_format.page_bytes - PAGE_HEADER_BYTES - TAG_BYTES
        """Bytes that nodes with their tags may take on a page whose tag 0 is empty."""

    def add(
        self,
        pgno: int,
        objid: int,
        flags: int,
        keys: Sequence[bytes],
        datas: Sequence[bytes],
        *,
        external: bytes = b"",
        siblings: tuple[int, int] = (0, 0),
    ) -> None:
        """Make a page of nodes that fit.

        Args:
            pgno: its number.
            objid: object id of its tree.
            flags: page flags; the new record format and checksum are added.
            keys: of its nodes, in order.
            datas: of its nodes.
            external: tag 0.
            siblings: numbers of the leaf before and the leaf after, 0 for none.
        """
        count = len(keys)
        sizes = [len(external), *(2 + len(k) + len(d) for k, d in zip(keys, datas, strict=True))]
        nodes = [b""] * (3 * count)
        nodes[0::3] = [_KEY_LENGTHS[len(key)] for key in keys]
        nodes[1::3] = keys
        nodes[2::3] = datas
        ends = list(accumulate(sizes))
        end = ends[-1]
        free = self.room - end - TAG_BYTES * count
        assert free >= 0, f"page {pgno} overflows by {-free} bytes"
        header = _HEADER.pack(
            0, self._dbtime, *siblings, objid, free, 0, end, count + 1, flags | self._flags
        )
        # Tags lie from the page's end towards its beginning: size and offset of each node.
        tags = [0] * (2 * count + 2)
        tags[0::2] = sizes[::-1]
        tags[1:-1:2] = ends[-2::-1]
        tail = _TAGS[count + 1].pack(*tags)
        self._images.append(b"".join((header, external, *nodes, bytes(free), tail)))
        self._numbers.append(pgno)
        if len(self._images) == PAGES_PER_BATCH:
            self.flush()

    def flush(self) -> None:
        """Seal and write what was gathered."""
        if not self._images:
            return
        order = sorted(range(len(self._numbers)), key=self._numbers.__getitem__)
        numbers = [self._numbers[at] for at in order]
        batch = bytearray(b"".join([self._images[at] for at in order]))
        seal_pages(batch, numbers, self._page_bytes)
        start = 0
        for at in range(1, len(numbers) + 1):
            if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
                run = batch[start * self._page_bytes : at * self._page_bytes]
                self._write(numbers[start], bytes(run))
                start = at
        self._images.clear()
        self._numbers.clear()
