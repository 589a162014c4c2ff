"""The image of a group at one sequence: its files as they were, read lazily.

An image is one cut through all files of the group (invariant I4). Planning it reads the index and
the manifest only; bytes are read when they are asked for, from the newest of the records and
layers that cover them, and every checksum is checked again then.
"""

from collections.abc import Iterator

from engine.basics.errors import ImageFileMissing, PointRefused
from engine.basics.payload import Segments, to_bytes
from engine.journal.journal import Journal
from engine.layers.plan import LayerMap
from engine.layers.strata import View

_STEP_BYTES = 4 << 20


class Image:
    """A read-only view of all files at `sequence`.

    Args:
        journal: Where the records are; it may go on growing.
        sequence: The newest record included, durable; 0 is the empty state before all records.
        parent: The layers of the branch that the journal's own began in, if it did in one.
    """

    def __init__(self, journal: Journal, sequence: int, *, parent: LayerMap | None = None) -> None:
        if not 0 <= sequence <= journal.durable.sequence:
            raise PointRefused(
                f"No image at sequence {sequence}: the journal is durable up to "
                f"{journal.durable.sequence}",
                earlier=f"sequence {journal.durable.sequence}",
            )
        journal.check_contiguous(sequence)
        self.sequence = sequence
        self.view: View = LayerMap(journal, parent).view(sequence)
        self._ids = {name: file for file, name in self.view.names.items()}

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(self._ids)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes.

        Raises:
            ImageFileMissing: The image has no such file.
        """
        return self.view.size(self.file_of(name))

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return the bytes from `offset` on, fewer than `length` only at the file's end.

        Raises:
            ImageFileMissing: The image has no such file.
            JournalDamaged: A record or layer behind these bytes is no longer readable.
        """
        return to_bytes(self.read_segments(name, offset, length))

    def read_segments(self, name: str, offset: int, length: int) -> Segments:
        """Return what `read` does, with runs of zeros kept as runs."""
        assert offset >= 0, "an offset counts from the file's beginning"
        assert length >= 0, "a length is not negative"
        return self.view.read(self.file_of(name), offset, length)

    def pieces(self, name: str) -> Iterator[tuple[int, Segments]]:
        """Yield (offset, segments) for every written stretch of a file, in order.

        What is not yielded is zeros up to `size(name)`: materialising an image is a truncate to
        that size and one write per piece.
        """
        for piece in self.view.pieces(self.file_of(name), _STEP_BYTES):
            yield piece.start, self.view.content(piece)

    def file_of(self, name: str) -> int:
        """Return the id of a file, which it keeps when it is renamed.

        Raises:
            ImageFileMissing: The image has no such file.
        """
        if (file := self._ids.get(name)) is None:
            raise ImageFileMissing(f"No file {name!r} at sequence {self.sequence}")
        return file
