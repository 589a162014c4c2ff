"""The private overlay of a virtual image: what was written to it, in a scratch file of its own.

Fault model. The scratch file is read back through its crcs; it is never synced, for after a crash
the overlay is dropped: what it held was a test. The journal and its layers are never written to.
"""

from collections.abc import Mapping
from typing import NamedTuple

from isal.isal_zlib import crc32

from engine.basics.errors import JournalDamaged, OverlayFull
from engine.basics.payload import Segments, length_of
from engine.contract.actions import AppendFile, FileAction
from engine.contract.storage import Storage
from engine.history.extents import ExtentMap
from engine.layers.strata import Piece, Shape

_BLOCK_BYTES = 64 << 10


class _Block(NamedTuple):
    """Where a stretch of a write lies in the scratch file."""

    position: int
    length: int
    crc: int


class Overlay:
    """A stratum over an image that grows while it is used.

    Args:
        storage: Where the scratch file is.
        name: The scratch file's name.
        bytes_max: How large it may become.
        sequence: The image's.
    """

    def __init__(self, storage: Storage, name: str, bytes_max: int, sequence: int) -> None:
        self.name = name
        self.low = sequence
        self.high = sequence
        self.size = 0
        self._storage = storage
        self._bytes_max = bytes_max
        self._blocks: list[_Block | None] = []  # None: zeros
        self._maps: dict[int, ExtentMap] = {}

    # --- writing --------------------------------------------------------------------------------

    def create(self, file: int) -> None:
        """Begin an empty file."""
        self._map(file).create()

    def truncate(self, file: int, size: int) -> None:
        """Cut a file, or extend it with zeros."""
        self._map(file).truncate(size)

    def forget(self, file: int) -> None:
        """Forget a deleted file; its bytes stay in the scratch file until it is dropped."""
        self._maps.pop(file, None)

    def write(self, file: int, offset: int, payload: Segments) -> list[FileAction]:
        """Lay a write over the file; return the action that stores it.

        Raises:
            OverlayFull: It does not fit; nothing was written.
        """
        needed = sum(len(segment) for segment in payload if isinstance(segment, bytes))
        if self.size + needed > self._bytes_max:
            raise OverlayFull(
                f"A write of {length_of(payload)} bytes: the overlay {self.name!r} holds "
                f"{self.size} of at most {self._bytes_max} bytes"
            )
        data, start = [], self.size
        for segment in payload:
            if isinstance(segment, int):
                self._lay(file, offset, segment, None)
                offset += segment
                continue
            for at in range(0, len(segment), _BLOCK_BYTES):
                part = segment[at : at + _BLOCK_BYTES]
                self._lay(file, offset, len(part), _Block(self.size, len(part), crc32(part)))
                data.append(part)
                self.size += len(part)
                offset += len(part)
        return [AppendFile(self.name, start, tuple(data), needed)] if needed else []

    def _lay(self, file: int, offset: int, length: int, block: _Block | None) -> None:
        if length:
            self._blocks.append(block)
            self._map(file).write(offset, length, len(self._blocks) - 1)

    def _map(self, file: int) -> ExtentMap:
        return self._maps.setdefault(file, ExtentMap())

    # --- as a stratum -----------------------------------------------------------------------------

    def names_over(self, below: Mapping[int, str] | None) -> dict[int, str] | None:
        """Return the names below: a virtual image keeps its own."""
        return None if below is None else dict(below)

    def touches(self, file: int) -> bool:
        """Return whether anything was done to the file."""
        return file in self._maps

    def shape(self, file: int) -> Shape:
        """Return the file's size as far as the overlay tells it."""
        extents = self._maps.get(file)
        if extents is None:
            return Shape(0, None, is_absolute=False)
        return Shape(extents.size, extents.cut, extents.cut is not None)

    def covering(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return the pieces that were written here."""
        if file not in self._maps:
            return []
        return [
            Piece(
                extent.start,
                extent.stop,
                self,
                None if self._blocks[extent.sequence] is None else extent.sequence,
                extent.skip,
            )
            for extent in self._maps[file].covering(start, stop)
        ]

    def stretches(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return the pieces that were written here."""
        return self.covering(file, start, stop)

    def next_start(self, file: int, position: int) -> int | None:
        """Return where the next bytes written here begin."""
        return self._maps[file].next_start(position) if file in self._maps else None

    def payload(self, reference: object) -> Segments:
        """Read a block of the scratch file."""
        assert isinstance(reference, int), "blocks go by their numbers"
        block = self._blocks[reference]
        assert block is not None, "zeros are not read"
        data = self._storage.read(self.name, block.position, block.length)
        if crc32(data) != block.crc or len(data) != block.length:
            raise JournalDamaged(
                "An overlay's block is not what was written",
                "Drop the virtual image and make it again; the journal is not concerned.",
                file=self.name,
                offset=block.position,
                sequence=self.high,
            )
        return (data,)
