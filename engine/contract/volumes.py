"""What restoring asks its driver to do to the files of a volume, in the order given.

The volume is the application's, not the journal's: files have names there, and are written in
place. Only FlushVolume reports back (VolumeFlushed); nothing is durable before it does.
"""

from dataclasses import dataclass

from engine.basics.payload import Segments


@dataclass(frozen=True, slots=True)
class MakeFile:
    """Create an empty file; its folders, too, where they are missing."""

    name: str


@dataclass(frozen=True, slots=True)
class WriteRange:
    """Write the payload at `offset` of a file, zero runs as zeros."""

    name: str
    offset: int
    payload: Segments


@dataclass(frozen=True, slots=True)
class SizeFile:
    """Cut a file to `size` bytes, or extend it with zeros."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class MoveFile:
    """Rename a file; no other has the new name."""

    name: str
    new_name: str


@dataclass(frozen=True, slots=True)
class RemoveFile:
    """Delete a file."""

    name: str


@dataclass(frozen=True, slots=True)
class FlushVolume:
    """Make all that was done so far durable, then tell VolumeFlushed(token)."""

    token: int


@dataclass(frozen=True, slots=True)
class VolumeFlushed:
    """All that was done before this FlushVolume is durable now."""

    token: int


VolumeAction = MakeFile | WriteRange | SizeFile | MoveFile | RemoveFile | FlushVolume


@dataclass(frozen=True, slots=True)
class ReadRange:
    """Read a file of the volume, and answer with RangeRead(token)."""

    token: int
    name: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class RangeRead:
    """What was read, shorter where the file ended."""

    token: int
    data: Segments
