"""Parts: the document of an entry and its samples, as bytes with a digest.

Beside an SQLite catalogue a part is a file, written under a temporary name, synced, and renamed.
Only then is its row written: a file without a row is garbage, which prune sweeps; a row without
its file is damage, which is told. In PostgreSQL a part is in its row.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from reports.store import tables
from reports.store.catalogue import Catalogue
from reports.store.errors import StoreDamagedError, damaged, told
from reports.store.folder_catalogue import PARTS, sync_folder

DOCUMENT = "document.json.zst"
SAMPLES = "samples.parquet"
_NAMES = frozenset({DOCUMENT, SAMPLES})
_UNFINISHED = ".new"


class PartRow(NamedTuple):
    """A part as the catalogue describes it; the content is there only in PostgreSQL."""

    entry_id: str
    name: str
    size_bytes: int
    digest: str
    content: bytes | None = None


class PartFile(NamedTuple):
    """A file in the folder of parts, and when it was last written."""

    path: Path
    entry_id: str
    size_bytes: int
    written_ns: int


def digest_of(content: bytes) -> str:
    """The fingerprint of a part."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


class Parts:
    """The parts of one store."""

    def __init__(self, catalogue: Catalogue, folder: Path | None) -> None:
        assert (folder is None) == catalogue.keeps_parts, folder
        self._catalogue = catalogue
        self._folder = None if folder is None else folder / PARTS

    def stage(self, entry_id: str, contents: Mapping[str, bytes]) -> list[PartRow]:
        """Makes parts durable, so that their rows can be written; again does no harm."""
        with told(self._catalogue.place):
            if self._folder is not None:
                _write_files(self._folder, self._room(entry_id), entry_id, contents)
        keeps = self._catalogue.keeps_parts
        return [
            PartRow(entry_id, name, len(content), digest_of(content), content if keeps else None)
            for name, content in contents.items()
        ]

    def are_there(self, rows: Iterable[PartRow]) -> bool:
        """Whether staged parts are still there: a sweep may have taken them for garbage."""
        if self._folder is None:
            return True
        return all(self._file(row.entry_id, row.name).exists() for row in rows)

    def insert(self, connection: Connection, rows: Iterable[PartRow]) -> None:
        """Writes the rows of staged parts; with the transaction's end they count."""
        connection.execute(insert(tables.parts), [row._asdict() for row in rows])

    def read(self, connection: Connection, entry_id: str, name: str) -> bytes:
        """Reads a part, and compares it with what was written.

        Raises:
            StoreDamagedError: it is missing or is not what was written.
        """
        table = tables.parts
        query = select(table).where(table.c.entry_id == entry_id, table.c.name == name)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise damaged(self._catalogue.place, f"entry {entry_id} has no {name}")
        content = row.content if row.content is not None else self._read_file(entry_id, name)
        if len(content) != row.size_bytes or digest_of(content) != row.digest:
            raise damaged(self._catalogue.place, f"{name} of entry {entry_id} was changed")
        return bytes(content)

    def checked_file(self, connection: Connection, entry_id: str, name: str, folder: Path) -> Path:
        """A file with a part that was compared with what was written.

        Args:
            connection: a transaction of the catalogue.
            entry_id: of the part.
            name: of the part.
            folder: where a part of a server may be written to.

        Raises:
            StoreDamagedError: as `read`.
        """
        content = self.read(connection, entry_id, name)
        if self._folder is not None:
            return self._file(entry_id, name)
        path = folder / f"{entry_id}.{name}"
        path.write_bytes(content)
        return path

    def _read_file(self, entry_id: str, name: str) -> bytes:
        try:
            return self._file(entry_id, name).read_bytes()
        except FileNotFoundError:
            message = f"{name} of entry {entry_id} is missing"
            raise damaged(self._catalogue.place, message) from None

    def problems(self, connection: Connection) -> list[StoreDamagedError]:
        """Reads every part; returns what is wrong with them."""
        found = []
        query = select(tables.parts.c.entry_id, tables.parts.c.name).order_by(
            tables.parts.c.entry_id, tables.parts.c.name
        )
        for entry_id, name in connection.execute(query).all():
            try:
                self.read(connection, entry_id, name)
            except StoreDamagedError as error:
                found.append(error)
        return found

    def files(self) -> Iterator[PartFile]:
        """Every file in the folder of parts, whether it counts or not; none in PostgreSQL."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("*/*")):
            with suppress(FileNotFoundError):  # another process swept it
                status = path.stat()
                entry_id = path.name.partition(".")[0]
                yield PartFile(path, entry_id, status.st_size, status.st_mtime_ns)

    def remove(self, paths: Iterable[Path]) -> None:
        """Removes files whose rows are gone, or never were."""
        with told(self._catalogue.place):
            for path in paths:
                path.unlink(missing_ok=True)

    def _room(self, entry_id: str) -> Path:
        assert self._folder is not None, "parts of a server are rows"
        return self._folder / entry_id[:2]

    def _file(self, entry_id: str, name: str) -> Path:
        assert name in _NAMES, name
        return self._room(entry_id) / f"{entry_id}.{name}"


def _write_files(folder: Path, room: Path, entry_id: str, contents: Mapping[str, bytes]) -> None:
    if not room.is_dir():
        room.mkdir(parents=True, exist_ok=True)
        for parent in (folder.parent, folder):
            sync_folder(parent)
    for name, content in contents.items():
        path = room / f"{entry_id}.{name}"
        unfinished = path.with_name(f"{path.name}{_UNFINISHED}")
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
        except BaseException:  # a full disk or Ctrl-C must leave nothing behind
            with suppress(OSError):
                unfinished.unlink()
            raise
    sync_folder(room)
