"""Which file has which name: the live files after the newest record.

Ids are given by the capture and never used twice. Changes are staged and then committed or
discarded together, so that a batch that turns out to be bad leaves the table as it was.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from engine.basics.errors import HistoryContradictory
from engine.formats.records import RecordType
from engine.formats.standings import FileEntry

_Key = TypeVar("_Key", int, str)
_Value = TypeVar("_Value", int, str)


class FileTableState(NamedTuple):
    """The live files after some record, by id, and the highest id ever given."""

    entries: tuple[FileEntry, ...]
    id_newest: int


class FileTable:
    """Live file ids and names, with one stage of uncommitted changes.

    Args:
        files: The live files so far.
        id_newest: The highest id ever given so far.
    """

    def __init__(self, files: Iterable[FileEntry] = (), id_newest: int = 0) -> None:
        self._names = {entry.file: entry.name for entry in files}
        self._ids = {name: file for file, name in self._names.items()}
        self._staged_names: dict[int, str | None] = {}
        self._staged_ids: dict[str, int | None] = {}
        self._newest_id = id_newest
        self._staged_newest_id = id_newest

    @property
    def id_newest(self) -> int:
        """Return the highest id ever given, staged ones included."""
        return self._staged_newest_id

    def name_of(self, file: int) -> str | None:
        """Return the live name of a file id, or None."""
        if file in self._staged_names:
            return self._staged_names[file]
        return self._names.get(file)

    def id_of(self, name: str) -> int | None:
        """Return the id of the live file of this name, or None."""
        if name in self._staged_ids:
            return self._staged_ids[name]
        return self._ids.get(name)

    def names(self) -> list[str]:
        """Return the committed live names, sorted."""
        return sorted(self._ids)

    def stage(self, kind: int, file: int, new_name: str) -> None:
        """Stage one record's effect.

        Raises:
            HistoryContradictory: The record does not fit the files as they are.
        """
        if kind == RecordType.CREATE:
            self._stage_create(file, new_name)
        elif kind == RecordType.RENAME:
            self._require_free(new_name, file, kind)
            self._staged_ids[self._require_live(file, kind)] = None
            self._staged_ids[new_name] = file
            self._staged_names[file] = new_name
        elif kind == RecordType.DELETE:
            self._staged_ids[self._require_live(file, kind)] = None
            self._staged_names[file] = None
        elif file:
            self._require_live(file, kind)

    def commit(self) -> None:
        """Make the staged changes final."""
        if not self._staged_names:
            return
        _merge(self._names, self._staged_names)
        _merge(self._ids, self._staged_ids)
        self._newest_id = self._staged_newest_id
        self._clear()

    def discard(self) -> None:
        """Forget the staged changes."""
        self._staged_newest_id = self._newest_id
        self._clear()

    def _stage_create(self, file: int, name: str) -> None:
        if file <= self._staged_newest_id:
            raise HistoryContradictory(f"File id {file} is given out twice, to {name!r}")
        self._require_free(name, file, RecordType.CREATE)
        self._staged_names[file] = name
        self._staged_ids[name] = file
        self._staged_newest_id = file

    def _require_live(self, file: int, kind: int) -> str:
        name = self.name_of(file)
        if name is None:
            raise HistoryContradictory(f"{RecordType(kind).name} of file id {file}: no such file")
        return name

    def _require_free(self, name: str, file: int, kind: int) -> None:
        if not name or self.id_of(name) is not None:
            raise HistoryContradictory(
                f"{RecordType(kind).name} of file id {file}: the name {name!r} is not free"
            )

    def _clear(self) -> None:
        self._staged_names.clear()
        self._staged_ids.clear()


def _merge(base: dict[_Key, _Value], staged: dict[_Key, _Value | None]) -> None:
    for key, value in staged.items():
        if value is None:
            base.pop(key, None)
        else:
            base[key] = value
