"""Files by id, name and size: as they are on the source, and as the stream says so far.

Both are the same while order holds. In a gap they part: then `steps_between` says which records
bring the stream's files to the names that the source's have.
"""

from collections.abc import Iterator
from typing import NamedTuple

from engine.basics.errors import FileAlreadyExists, FileUnknown
from engine.capture.changes import Change
from engine.formats.records import RecordType
from engine.formats.standings import FileEntry
from engine.history.filetable import FileTableState


class Files:
    """Live files; ids are never given twice."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.ids: dict[str, int] = {}
        self.sizes: dict[int, int] = {}
        self.id_newest = 0

    @classmethod
    def of(cls, state: FileTableState) -> "Files":
        """Return the files of a table."""
        files = cls()
        for entry in state.entries:
            files.create(entry.file, entry.name)
            files.sizes[entry.file] = entry.size
        files.id_newest = max(files.id_newest, state.id_newest)
        return files

    def copy(self) -> "Files":
        """Return files that change no more when these do."""
        files = Files()
        files.become(self)
        return files

    def become(self, others: "Files") -> None:
        """Take the files of another table."""
        self.names, self.ids, self.sizes = dict(others.names), dict(others.ids), dict(others.sizes)
        self.id_newest = others.id_newest

    def state(self) -> FileTableState:
        """Return the table, sorted by id."""
        entries = (
            FileEntry(file, self.names[file], self.sizes[file]) for file in sorted(self.names)
        )
        return FileTableState(tuple(entries), self.id_newest)

    def take_ids_of(self, others: "Files") -> None:
        """Give each file the id that its name has there; files that are not there get new ids."""
        sizes = {name: self.sizes[file] for file, name in sorted(self.names.items())}
        self.id_newest = max(self.id_newest, others.id_newest)
        self.names, self.ids, self.sizes = {}, {}, {}
        for name, size in sizes.items():
            file = others.ids.get(name) or self.id_newest + 1
            self.create(file, name)
            self.sizes[file] = size

    def id_for(self, change: Change) -> int:
        """Return the id of the file that a change is of; of a CREATE, the one it will get.

        Raises:
            FileUnknown: There is no such file.
            FileAlreadyExists: A new name is taken.
        """
        kind, new_name = change.kind, change.new_name
        if kind == RecordType.CREATE:
            file, new_name = self.id_newest + 1, change.file
        else:
            file = self.ids.get(change.file, 0)
        if not file:
            raise FileUnknown(f"{kind.name} of {change.file!r}: the capture knows no such file")
        names_it = kind in (RecordType.CREATE, RecordType.RENAME)
        if names_it and (not new_name or new_name in self.ids):
            raise FileAlreadyExists(f"{kind.name} to {new_name!r}: the name is not free")
        return file

    def apply(self, kind: int, file: int, offset: int, length: int, name: str) -> None:
        """Take the effect of one record: the new name, the end of a write, the size it is cut to.

        The file must be there, and a new name free.
        """
        if kind == RecordType.WRITE:
            if length:
                self.sizes[file] = max(self.sizes[file], offset + length)
        elif kind == RecordType.TRUNCATE:
            self.sizes[file] = offset
        elif kind == RecordType.CREATE:
            self.create(file, name)
        elif kind == RecordType.RENAME:
            del self.ids[self.names[file]]
            self.names[file] = name
            self.ids[name] = file
        elif kind == RecordType.DELETE:
            del self.ids[self.names.pop(file)]
            del self.sizes[file]

    def create(self, file: int, name: str) -> None:
        """Add an empty file."""
        assert name not in self.ids, "a name belongs to one file"
        self.names[file] = name
        self.ids[name] = file
        self.sizes[file] = 0
        self.id_newest = max(self.id_newest, file)


class NamingStep(NamedTuple):
    """A record that brings the stream's names nearer to the source's; '' for a DELETE."""

    kind: RecordType
    file: int
    name: str


def steps_between(emitted: Files, live: Files) -> Iterator[NamingStep]:
    """Yield the DELETEs, RENAMEs and CREATEs that give `emitted` the names of `live`.

    Each must be applied to `emitted` before the next one is asked for. Where files have swapped
    their names, one of them passes through a name that nobody has.
    """
    for file in sorted(emitted.names):
        if file not in live.names:
            yield NamingStep(RecordType.DELETE, file, "")
    moving = [file for file in sorted(emitted.names) if emitted.names[file] != live.names[file]]
    while moving:
        free = [file for file in moving if live.names[file] not in emitted.ids]
        if not free:
            name = _temporary_name(moving[0], emitted, live)
            yield NamingStep(RecordType.RENAME, moving[0], name)
        for file in free:
            yield NamingStep(RecordType.RENAME, file, live.names[file])
            moving.remove(file)
    for file in sorted(live.names):
        if file not in emitted.names:
            yield NamingStep(RecordType.CREATE, file, live.names[file])


def _temporary_name(file: int, emitted: Files, live: Files) -> str:
    """Return a name that no file has, before or after."""
    name = f"{emitted.names[file]}.{file}"
    while name in emitted.ids or name in live.ids:
        name += "~"
    return name
