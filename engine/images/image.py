"""The image of a group at one sequence: its files as they were, read lazily out of the journal.

An image is one cut through all files of the group (invariant I4). Planning it reads the index
only; bodies are read when bytes are asked for, and every checksum is checked again then.
"""

from collections import OrderedDict
from collections.abc import Iterator

from engine.basics import invariants
from engine.basics.errors import ImageFileMissing, PointRefused
from engine.basics.payload import Segments, length_of, slice_of, to_bytes
from engine.formats.records import RecordType
from engine.history.extents import Extent, ExtentMap
from engine.journal.journal import Journal

_CACHE_BYTES_MAX = 16 << 20


class Image:
    """A read-only view of all files at `sequence`.

    Args:
        journal: Where the records are; it may go on growing.
        sequence: The newest record included, durable; 0 is the empty state before all records.
    """

    def __init__(self, journal: Journal, sequence: int) -> None:
        if not 0 <= sequence <= journal.durable.sequence:
            raise PointRefused(
                f"No image at sequence {sequence}: the journal is durable up to "
                f"{journal.durable.sequence}",
                earlier=f"sequence {journal.durable.sequence}",
            )
        journal.check_contiguous(sequence)
        self.sequence = sequence
        self._journal = journal
        self._files = _files_at(journal, sequence)
        self._maps: dict[int, ExtentMap] = {}
        self._bodies = _BodyCache(journal)

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(self._files)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes.

        Raises:
            ImageFileMissing: The image has no such file.
        """
        return self._map(name).size

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return the bytes from `offset` on, fewer than `length` only at the file's end.

        Raises:
            ImageFileMissing: The image has no such file.
            JournalDamaged: A record behind these bytes is no longer readable.
        """
        return to_bytes(self.read_segments(name, offset, length))

    def read_segments(self, name: str, offset: int, length: int) -> Segments:
        """Return what `read` does, with runs of zeros kept as runs."""
        assert offset >= 0, "an offset counts from the file's beginning"
        assert length >= 0, "a length is not negative"
        extents = self._map(name)
        position, stop = offset, min(offset + length, extents.size)
        parts: list[bytes | int] = []
        for extent in extents.covering(offset, stop):
            if extent.start > position:
                parts.append(extent.start - position)
            parts += self._bodies.slice(extent)
            position = extent.stop
        if stop > position:
            parts.append(stop - position)
        return tuple(parts)

    def pieces(self, name: str) -> Iterator[tuple[int, Segments]]:
        """Yield (offset, segments) for every written stretch of a file, in order.

        What is not yielded is zeros up to `size(name)`: materialising an image is a truncate to
        that size and one write per piece.
        """
        extents = self._map(name)
        for extent in extents.covering(0, extents.size):
            yield extent.start, self._bodies.slice(extent)

    def _map(self, name: str) -> ExtentMap:
        if (file := self._files.get(name)) is None:
            raise ImageFileMissing(f"No file {name!r} at sequence {self.sequence}")
        if file not in self._maps:
            extents = _map_at(self._journal, file, self.sequence)
            invariants.one_cut_for_the_group(self.sequence, extents.sequences())
            self._maps[file] = extents
        return self._maps[file]


def _files_at(journal: Journal, sequence: int) -> dict[str, int]:
    """Return the file id behind each name at `sequence`."""
    files: dict[str, int] = {}
    names: dict[int, str] = {}
    for naming in journal.index.namings:
        if naming.sequence > sequence:
            break
        if naming.kind != RecordType.CREATE:
            del files[names.pop(naming.file)]
        if naming.kind != RecordType.DELETE:
            files[naming.name] = naming.file
            names[naming.file] = naming.name
    return files


def _map_at(journal: Journal, file: int, sequence: int) -> ExtentMap:
    extents, index = ExtentMap(), journal.index
    for number in index.shaping(file):
        if number > sequence:
            break
        row = index.row(number)
        if row.kind == RecordType.WRITE:
            extents.write(row.offset, row.raw_length, number)
        else:
            extents.truncate(row.offset)
    return extents


class _BodyCache:
    """The decoded payloads used last: neighbouring reads often share a record."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._payloads: OrderedDict[int, Segments] = OrderedDict()
        self._bytes = 0

    def slice(self, extent: Extent) -> Segments:
        payload = self._payload(extent.sequence)
        return slice_of(payload, extent.skip, extent.skip + extent.stop - extent.start)

    def _payload(self, sequence: int) -> Segments:
        if sequence in self._payloads:
            self._payloads.move_to_end(sequence)
            return self._payloads[sequence]
        payload = self._journal.payload(sequence)
        self._payloads[sequence] = payload
        self._bytes += _memory_of(payload)
        while self._bytes > _CACHE_BYTES_MAX and len(self._payloads) > 1:
            _, dropped = self._payloads.popitem(last=False)
            self._bytes -= _memory_of(dropped)
        return payload


def _memory_of(payload: Segments) -> int:
    return length_of(tuple(item for item in payload if isinstance(item, bytes)))
