"""Rollback in place: live files, as they are at one point, made what they were at another.

Only the blocks that may differ are written, as the indexes tell. The files must be quiet and must
be exactly those of the point `here`: whoever is not sure compares first (resync). Stopped midway,
the files are of neither point: begin again with a hydration of the wanted one.
"""

from collections.abc import Iterator

from engine.basics.payload import length_of
from engine.contract.volumes import (
    FlushVolume,
    MakeFile,
    MoveFile,
    RemoveFile,
    SizeFile,
    VolumeAction,
    WriteRange,
)
from engine.layers.differences import DiffMap

_STEP_BYTES = 4 << 20
#: A file on its way from one name to another that another file has still.
_ON_ITS_WAY = ".rollback-{}"


class Rollback:
    """Turns the files of `differences.here` into those of `differences.there`.

    Args:
        differences: The two points.
        step_bytes_max: How much a step moves: protection.md 1.2's drain unit by default.
    """

    def __init__(self, differences: DiffMap, step_bytes_max: int = _STEP_BYTES) -> None:
        self.bytes_done = 0
        self.is_done = False
        self._differences = differences
        self._step_bytes_max = step_bytes_max
        self._work = self._actions()
        self._is_flushing = False

    def differing(self) -> Iterator[tuple[str, int, int]]:
        """Yield (file name there, offset, length) of all that may differ in files of both points.

        Offsets and lengths lie within the file as it is there.
        """
        there = self._differences.there
        for file in self._differences.shared():
            for start, stop in self._clipped(file):
                yield there.names[file], start, stop - start

    def step(self) -> list[VolumeAction]:
        """Return the next actions, of about a step's bytes; the last one is the flush."""
        actions: list[VolumeAction] = []
        moved = 0
        for action in self._work:
            actions.append(action)
            if isinstance(action, WriteRange):
                moved += length_of(action.payload)
            if moved >= self._step_bytes_max:
                break
        self.bytes_done += moved
        return actions

    def flushed(self) -> None:
        """Note that the flush is done: the files are those of the wanted point, durably."""
        assert self._is_flushing, "all was written before"
        self.is_done = True

    def _actions(self) -> Iterator[VolumeAction]:
        differences = self._differences
        here, there = differences.here, differences.there
        yield from (RemoveFile(here.names[file]) for file in differences.only_here())
        yield from self._moves()
        for file in differences.only_there():
            name = there.names[file]
            yield MakeFile(name)
            yield SizeFile(name, there.size(file))
            for piece in there.pieces(file, self._step_bytes_max):
                yield WriteRange(name, piece.start, there.content(piece))
        for file in differences.shared():
            if here.size(file) != there.size(file):
                yield SizeFile(there.names[file], there.size(file))
            yield from self._writes(file)
        self._is_flushing = True
        yield FlushVolume(1)

    def _moves(self) -> Iterator[VolumeAction]:
        """Yield renames in two steps, for names may have gone round."""
        here, there = self._differences.here, self._differences.there
        moved = [
            file for file in self._differences.shared() if here.names[file] != there.names[file]
        ]
        for file in moved:
            yield MoveFile(here.names[file], there.names[file] + _ON_ITS_WAY.format(file))
        for file in moved:
            yield MoveFile(there.names[file] + _ON_ITS_WAY.format(file), there.names[file])

    def _writes(self, file: int) -> Iterator[VolumeAction]:
        there = self._differences.there
        for start, stop in self._clipped(file):
            for at in range(start, stop, self._step_bytes_max):
                length = min(stop - at, self._step_bytes_max)
                yield WriteRange(there.names[file], at, there.read(file, at, length))

    def _clipped(self, file: int) -> Iterator[tuple[int, int]]:
        size = self._differences.there.size(file)
        for start, stop in self._differences.ranges(file):
            if start < size:
                yield start, min(stop, size)
