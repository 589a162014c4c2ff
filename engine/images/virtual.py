"""A virtual image: a past point as a set of files that can be written to, ready at once.

Reads go to the image, lazily; writes go to a private overlay. Neither the journal nor its layers
are ever written to, and nobody else sees the overlay. While it stands, whoever compacts the journal
must hold (`LayerKeeper.hold`), for the image reads its files until it is dropped.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Protocol

from engine.basics.errors import FileAlreadyExists, ImageFileMissing
from engine.basics.payload import Segments, length_of, to_bytes
from engine.contract.actions import CreateFile, DeleteFile, FileAction
from engine.contract.storage import Storage
from engine.images.image import Image
from engine.images.overlay import Overlay
from engine.layers.strata import PayloadCache, Piece, Stratum, filled, next_start, resolve

#: Ids of files that were created in the overlay; those of the capture stay below.
_FIRST_OWN_ID = 1 << 32


class Watcher(Protocol):
    """Is told of every change, after it was made; files go by their ids."""

    def created(self, file: int, name: str) -> None:
        """Note a new, empty file."""
        ...

    def written(self, file: int, start: int, stop: int) -> None:
        """Note that bytes start..stop have changed."""
        ...

    def truncated(self, file: int, name: str, size: int) -> None:
        """Note a new size."""
        ...

    def renamed(self, file: int, name: str, new_name: str) -> None:
        """Note a new name."""
        ...

    def deleted(self, file: int, name: str) -> None:
        """Note that a file is gone."""
        ...


class VirtualImage:
    """An image with a private copy-on-write overlay.

    The actions of each call must be carried out before the next one.

    Args:
        image: The past point.
        scratch: Where the overlay's file is to be.
        name: What it is called there; no other file may be.
        bytes_max: How large it may become.
    """

    def __init__(self, image: Image, scratch: Storage, name: str, bytes_max: int = 1 << 40) -> None:
        self.image = image
        self._overlay = Overlay(scratch, name, bytes_max, image.sequence)
        self._names = dict(image.view.names)
        self._ids = {text: file for file, text in self._names.items()}
        self._next_id = _FIRST_OWN_ID
        self._payloads = PayloadCache()
        self._watchers: list[Watcher] = []

    def begin(self) -> list[FileAction]:
        """Return the actions that make the overlay's file."""
        return [CreateFile(self._overlay.name)]

    def drop(self) -> list[FileAction]:
        """Give everything written up; return the actions that take the overlay's file away."""
        return [DeleteFile(self._overlay.name)]

    @property
    def overlay_bytes(self) -> int:
        """Return how large the overlay's file is."""
        return self._overlay.size

    # --- reading --------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(self._ids)

    def files(self) -> list[int]:
        """Return the ids of all files, ascending."""
        return sorted(self._names)

    def name_of(self, file: int) -> str:
        """Return the name of a file that lives."""
        return self._names[file]

    def size(self, name: str) -> int:
        """Return the size of a file in bytes.

        Raises:
            ImageFileMissing: There is no such file.
        """
        return self.size_of(self._file(name))

    def size_of(self, file: int) -> int:
        """Return the size of a file that lives."""
        shape = self._overlay.shape(file)
        is_below = file < _FIRST_OWN_ID and not shape.is_absolute
        return max(shape.size, self.image.view.size(file) if is_below else 0)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return the bytes from `offset` on, fewer than `length` only at the file's end.

        Raises:
            ImageFileMissing: There is no such file.
            JournalDamaged: What is behind these bytes is no longer readable.
        """
        return to_bytes(self.read_segments(name, offset, length))

    def read_segments(self, name: str, offset: int, length: int) -> Segments:
        """Return what `read` does, with runs of zeros kept as runs."""
        file = self._file(name)
        stop = min(offset + length, self.size_of(file))
        return filled(self.pieces(file, offset, stop), self.content, offset, stop)

    def pieces(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return what was ever written of start..stop of a file that lives, in order."""
        return resolve(self._strata_of(file), file, start, stop)

    def next_start(self, file: int, position: int) -> int | None:
        """Return where, from `position` on, there may be something written."""
        return next_start(self._strata_of(file), file, position)

    def content(self, piece: Piece) -> Segments:
        """Return a piece's bytes."""
        if piece.stratum is self._overlay:
            return self._payloads.content(piece)
        return self.image.view.content(piece)

    # --- writing --------------------------------------------------------------------------------

    def watch(self, watcher: Watcher) -> None:
        """Tell the watcher of every change from now on."""
        self._watchers.append(watcher)

    def create(self, name: str) -> list[FileAction]:
        """Create an empty file.

        Raises:
            FileAlreadyExists: There is one of this name.
        """
        self._require_free(name)
        file, self._next_id = self._next_id, self._next_id + 1
        self._names[file], self._ids[name] = name, file
        self._overlay.create(file)
        for watcher in self._watchers:
            watcher.created(file, name)
        return []

    def write(self, name: str, offset: int, payload: Segments) -> list[FileAction]:
        """Write over a file, beyond its end too.

        Raises:
            ImageFileMissing: There is no such file.
            OverlayFull: The overlay may not grow so large; nothing was written.
        """
        file = self._file(name)
        actions = self._overlay.write(file, offset, payload)
        for watcher in self._watchers:
            watcher.written(file, offset, offset + length_of(payload))
        return actions

    def truncate(self, name: str, size: int) -> list[FileAction]:
        """Cut a file, or extend it with zeros.

        Raises:
            ImageFileMissing: There is no such file.
        """
        file = self._file(name)
        self._overlay.truncate(file, size)
        for watcher in self._watchers:
            watcher.truncated(file, name, size)
        return []

    def rename(self, name: str, new_name: str) -> list[FileAction]:
        """Give a file another name.

        Raises:
            ImageFileMissing: There is no such file.
            FileAlreadyExists: There is one of the new name.
        """
        file = self._file(name)
        self._require_free(new_name)
        del self._ids[name]
        self._names[file], self._ids[new_name] = new_name, file
        for watcher in self._watchers:
            watcher.renamed(file, name, new_name)
        return []

    def delete(self, name: str) -> list[FileAction]:
        """Delete a file.

        Raises:
            ImageFileMissing: There is no such file.
        """
        file = self._file(name)
        del self._ids[name], self._names[file]
        self._overlay.forget(file)
        for watcher in self._watchers:
            watcher.deleted(file, name)
        return []

    def _strata_of(self, file: int) -> Iterable[Stratum]:
        if file >= _FIRST_OWN_ID:
            return [self._overlay]
        return chain([self._overlay], self.image.view.strata_of(file))

    def _file(self, name: str) -> int:
        if (file := self._ids.get(name)) is None:
            raise ImageFileMissing(f"No file {name!r} in this virtual image")
        return file

    def _require_free(self, name: str) -> None:
        if name in self._ids:
            raise FileAlreadyExists(f"The virtual image has a file {name!r} already")
