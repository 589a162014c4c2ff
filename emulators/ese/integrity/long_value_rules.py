"""The rules of a long-value tree: whole values, and as many references as stated (E)."""

from collections import Counter

from emulators.ese.formats import long_value
from emulators.ese.formats.page import NODE_DELETED, Page
from emulators.ese.integrity.findings import Findings, Rule

_ROOT_BYTES = 8
_CHUNK_KEY_BYTES = 8
_OFFSET_AT = 4


class LongValueRules:
    """Follows the nodes of one tree, which come in key order, and compares at its end.

    Args:
        references: how often records refer to each LID.
        chunk_bytes: bytes of every chunk but a value's last.
        findings: where violations are noted.
        is_whole: whether all references were counted and no value is compressed; if not, counts
            and sizes are not judged.
    """

    def __init__(
        self,
        references: Counter[int],
        chunk_bytes: int,
        findings: Findings,
        *,
        is_whole: bool = True,
    ) -> None:
        self._is_whole = is_whole
        self._references = references
        self._chunk_bytes = chunk_bytes
        self._findings = findings
        self._lid = -1
        self._size = 0
        self._end = 0
        self._pgno = 0
        self._seen: set[int] = set()

    @property
    def count(self) -> int:
        """Number of values met."""
        return len(self._seen)

    def visit(self, _fdp: int, leaf: Page) -> None:
        """Take in the nodes of a leaf."""
        for key, data, flags in zip(leaf.keys, leaf.datas, leaf.node_flags, strict=True):
            if flags & NODE_DELETED:
                continue
            if long_value.is_root_key(key):
                self._begin(leaf.pgno, key, data)
            else:
                self._chunk(leaf.pgno, key, data)

    def finish(self, fdp: int) -> None:
        """Check the last value, and that no record refers to one that was not met."""
        self._close()
        missing = sorted(self._references.keys() - self._seen)
        text = f"long values {missing[:9]} are referred to and missing"
        self._findings.must(not missing, Rule.LONG_VALUE, fdp, text)

    def _begin(self, pgno: int, key: bytes, data: bytes) -> None:
        self._close()
        self._lid = long_value.lid_of(key)
        self._pgno, self._end = pgno, 0
        self._seen.add(self._lid)
        text = f"the root of long value {self._lid} has {len(data)} bytes"
        if not self._must(len(data) == _ROOT_BYTES, text):
            self._lid = -1
            return
        stated, self._size = long_value.decode_root(data)
        if not self._is_whole:
            self._findings.not_judged["long values: references and sizes"] += 1
            return
        found = self._references[self._lid]
        text = f"long value {self._lid}: {stated} references stated, {found} found"
        self._findings.must(stated == found, Rule.REFERENCE_COUNT, pgno, text)

    def _chunk(self, pgno: int, key: bytes, data: bytes) -> None:
        lid, offset = long_value.lid_of(key), int.from_bytes(key[_OFFSET_AT:], "big")
        self._pgno = pgno
        if not self._must(len(key) == _CHUNK_KEY_BYTES, f"a key of {len(key)} bytes"):
            return
        if not self._must(lid == self._lid, f"long value {lid} has a chunk and no root"):
            return
        if not self._is_whole:
            return
        self._must(offset == self._end, f"long value {lid}: chunk at {offset}, not {self._end}")
        self._end = offset + len(data)
        is_full = len(data) == self._chunk_bytes or self._end >= self._size
        self._must(is_full, f"long value {lid}: the chunk at {offset} has {len(data)} bytes")

    def _close(self) -> None:
        if self._lid >= 0 and self._is_whole:
            text = f"long value {self._lid}: {self._end} of {self._size} bytes"
            self._must(self._end == self._size, text)

    def _must(self, holds: object, text: str) -> bool:
        return self._findings.must(holds, Rule.LONG_VALUE, self._pgno, text)
