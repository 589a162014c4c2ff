"""Hydration: a virtual image copied to a volume in the background, right while it is written to.

The volume's folder is empty at the beginning. What is still to be copied is kept per file; a write
to the virtual image puts its range back on the list, and what changes names or sizes is done to the
volume too, in the same order. When the list is empty and the volume was flushed, the volume holds
what the virtual image shows; from then on the application may be given the volume in its place.
Stopped before, the volume holds no point at all: remove its files and begin again.
"""

from collections.abc import Iterator

from engine.basics.payload import length_of
from engine.basics.ranges import Ranges
from engine.contract.volumes import (
    FlushVolume,
    MakeFile,
    MoveFile,
    RemoveFile,
    SizeFile,
    VolumeAction,
    WriteRange,
)
from engine.images.virtual import VirtualImage

_STEP_BYTES = 4 << 20


class Hydration:
    """Copies a virtual image; `step` until `is_done`.

    Args:
        source: What is copied; it may be written to all the while.
        step_bytes_max: How much a step moves: protection.md 1.2's drain unit by default.
    """

    def __init__(self, source: VirtualImage, step_bytes_max: int = _STEP_BYTES) -> None:
        self._source = source
        self._step_bytes_max = step_bytes_max
        self._queue: list[VolumeAction] = []
        self._wanted: dict[int, Ranges] = {}
        self._token = 0
        self._flushed = 0
        self._is_changed = True  # since the last FlushVolume
        for file in source.files():
            self.created(file, source.name_of(file))
            if size := source.size_of(file):
                self._queue.append(SizeFile(source.name_of(file), size))
                self._wanted[file].add(0, size)
        #: Bytes of the files when it began, and those still to be looked at.
        self.bytes_total = self.bytes_left
        source.watch(self)

    @property
    def bytes_left(self) -> int:
        """Return how many bytes are still to be looked at; those never written cost nothing."""
        return sum(ranges.bytes_total for ranges in self._wanted.values())

    @property
    def is_copied(self) -> bool:
        """Return whether nothing is left to be copied, durable or not."""
        return not self._queue and not any(self._wanted.values())

    @property
    def is_done(self) -> bool:
        """Return whether the volume holds, durably, what the virtual image shows."""
        return self.is_copied and not self._is_changed and self._flushed == self._token

    def step(self) -> list[VolumeAction]:
        """Return the next actions: about a step's bytes, the flush at last, then none."""
        actions, self._queue = self._queue, []
        actions += self._copies()
        if actions:
            self._is_changed = True
        elif self._is_changed:
            self._is_changed = False
            self._token += 1
            actions = [FlushVolume(self._token)]
        return actions

    def flushed(self, token: int) -> None:
        """Note VolumeFlushed(token)."""
        assert 0 < token <= self._token, "no such flush was asked for"
        self._flushed = max(self._flushed, token)

    def _copies(self) -> Iterator[VolumeAction]:
        room = self._step_bytes_max
        for file in sorted(self._wanted):
            ranges = self._wanted[file]
            while ranges and room > 0:
                start, stop = ranges.take(self._step_bytes_max)
                # What was never written is zeros on the volume as well: it is passed over.
                known = self._source.next_start(file, start)
                if known is None or known >= stop:
                    continue
                ranges.add(max(start, known), stop)
                start, stop = ranges.take(room)
                for piece in self._source.pieces(file, start, stop):
                    payload = self._source.content(piece)
                    yield WriteRange(self._source.name_of(file), piece.start, payload)
                    room -= length_of(payload)

    # --- what the virtual image tells -----------------------------------------------------------

    def created(self, file: int, name: str) -> None:
        """Make the file on the volume, too."""
        self._queue.append(MakeFile(name))
        self._wanted[file] = Ranges()

    def written(self, file: int, start: int, stop: int) -> None:
        """Copy the range, again if it was copied before."""
        self._wanted[file].add(start, stop)

    def truncated(self, file: int, name: str, size: int) -> None:
        """Give the file on the volume the size, too."""
        self._queue.append(SizeFile(name, size))
        self._wanted[file].cut(size)

    def renamed(self, file: int, name: str, new_name: str) -> None:
        """Rename the file on the volume, too."""
        del file
        self._queue.append(MoveFile(name, new_name))

    def deleted(self, file: int, name: str) -> None:
        """Remove the file from the volume, too."""
        del self._wanted[file]
        self._queue.append(RemoveFile(name))
