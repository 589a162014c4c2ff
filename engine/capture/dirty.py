"""The dirty map: which bytes of which files the target still lacks, when order was given up.

Exact ranges at first; when there are too many of them, one bit per block (protection.md 1.2:
65,536 changes in, 16,384 back). Nothing of the data is kept: whoever drains the map reads the
live files.
"""

from collections.abc import Callable

from engine.basics.ranges import Range, Ranges
from engine.basics.settings import CaptureSettings
from engine.capture.bitmap import Bitmap


class DirtyMap:
    """Dirty bytes by file id.

    Args:
        settings: When ranges become bits, and bits ranges again.
        size_of: Returns the size of a file now; it decides over the size of a block.
    """

    def __init__(self, settings: CaptureSettings, size_of: Callable[[int], int]) -> None:
        self._settings = settings
        self._size_of = size_of
        self._files: dict[int, Ranges | Bitmap] = {}
        #: Whether the map holds bits, not ranges.
        self.is_bitmap = False
        #: Ranges, or blocks of the bitmap.
        self.count = 0

    def add(self, file: int, start: int, stop: int) -> None:
        """Mark bytes of a file."""
        if start >= stop:
            return
        held = self._files.get(file)
        if held is None:
            held = Bitmap(self._size_of(file)) if self.is_bitmap else Ranges()
            self._files[file] = held
        before = _count(held)
        held.add(start, stop)
        self.count += _count(held) - before
        if not self.is_bitmap and self.count > self._settings.metadata_changes_max:
            self._become(is_bitmap=True)

    def remove(self, file: int, start: int, stop: int) -> None:
        """Note that the target gets these bytes; of a bitmap, whole blocks only."""
        if (held := self._files.get(file)) is not None and start < stop:
            before = _count(held)
            held.remove(start, stop)
            self._shrank(file, held, before)

    def cut(self, file: int, size: int) -> None:
        """Note that the file was cut: what lay behind is no more."""
        if (held := self._files.get(file)) is not None:
            before = _count(held)
            if isinstance(held, Bitmap):
                held.cut(size)
            else:
                held.remove(size, max([size, *(stop for _, stop in held.all()[-1:])]))
            self._shrank(file, held, before)

    def drop(self, file: int) -> None:
        """Note that the file is gone."""
        if (held := self._files.pop(file, None)) is not None:
            self.count -= _count(held)
            self._settle()

    def clear(self) -> None:
        """Forget everything."""
        self._files.clear()
        self.count = 0
        self.is_bitmap = False

    def take(self, bytes_max: int) -> tuple[int, int, int] | None:
        """Take one stretch out and return (file, start, stop), or None when nothing is dirty.

        The stretch may end behind the file's end, where a block of a bitmap does.
        """
        for file, held in self._files.items():
            start, stop = held.first(bytes_max)
            self.remove(file, start, stop)
            return file, start, stop
        return None

    def ranges(self) -> list[tuple[int, Range]]:
        """Return everything that is dirty, by file, in order."""
        return [(file, piece) for file in sorted(self._files) for piece in self._files[file].all()]

    def _shrank(self, file: int, held: Ranges | Bitmap, before: int) -> None:
        after = _count(held)
        self.count += after - before
        if not after:
            del self._files[file]
        self._settle()

    def _settle(self) -> None:
        """Become ranges again once few blocks are left."""
        if self.is_bitmap and self.count < self._settings.metadata_changes_low:
            self._become(is_bitmap=False)

    def _become(self, *, is_bitmap: bool) -> None:
        ranges, self._files, self.is_bitmap = self.ranges(), {}, is_bitmap
        self.count = 0
        for file, (start, stop) in ranges:
            self.add(file, start, stop)


def _count(held: Ranges | Bitmap) -> int:
    return held.count if isinstance(held, Bitmap) else len(held)
