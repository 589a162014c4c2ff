"""A folder of application files on a real machine, written as restoring asks for it.

Fault model: the operating system's. What was done since the last FlushVolume may be lost, torn or
done in another order. Promised: actions are carried out in the order given; nothing outside of the
folder is touched; a failure is returned as ActionFailed, after which nothing more is tried. Not
checked: that nobody else writes to the files meanwhile.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from engine.contract.events import ActionFailed
from engine.contract.volumes import (
    FlushVolume,
    MakeFile,
    MoveFile,
    RemoveFile,
    SizeFile,
    VolumeAction,
    VolumeFlushed,
    WriteRange,
)


class VolumeDirectory:
    """Carries out volume actions on the files below one folder.

    Args:
        path: An existing folder; the actions' names are relative to it, parted by '/'.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._changed: dict[Path, None] = {}  # files and folders to be synced, in order
        self._failure: ActionFailed | None = None

    def carry_out(self, actions: Iterable[VolumeAction]) -> list[VolumeFlushed | ActionFailed]:
        """Carry out the actions, in order; return what is to be told."""
        events: list[VolumeFlushed | ActionFailed] = []
        for action in actions:
            if self._failure is not None:
                break
            try:
                self._carry_out(action)
            except (OSError, ValueError) as error:
                name = "" if isinstance(action, FlushVolume) else action.name
                self._failure = ActionFailed(name, f"{type(action).__name__}: {error}")
                events.append(self._failure)
                break
            if isinstance(action, FlushVolume):
                events.append(VolumeFlushed(action.token))
        return events

    def _carry_out(self, action: VolumeAction) -> None:
        if isinstance(action, WriteRange):
            self._write(action)
        elif isinstance(action, SizeFile):
            os.truncate(self._note(action.name), action.size)
        elif isinstance(action, MakeFile):
            self._make(action.name)
        elif isinstance(action, MoveFile):
            self._move(action)
        elif isinstance(action, RemoveFile):
            path = self._place(action.name)
            path.unlink()
            self._forget(path)
        else:
            self._flush()

    def _write(self, action: WriteRange) -> None:
        with self._note(action.name).open("r+b", buffering=0) as file:
            file.seek(action.offset)
            for segment in action.payload:
                view = memoryview(bytes(segment) if isinstance(segment, int) else segment)
                while view:
                    view = view[file.write(view) or 0 :]

    def _make(self, name: str) -> None:
        path = self._place(name)
        folder = path.parent
        while folder != self._path and not folder.exists():
            self._changed[folder.parent] = None
            folder = folder.parent
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("xb").close()
        self._changed[path] = self._changed[path.parent] = None

    def _move(self, action: MoveFile) -> None:
        old, new = self._place(action.name), self._place(action.new_name)
        if new.exists():
            raise FileExistsError(f"there is a file {action.new_name!r}")
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
        self._forget(old)
        self._changed[new] = self._changed[new.parent] = None

    def _flush(self) -> None:
        for path in self._changed:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._changed.clear()

    def _note(self, name: str) -> Path:
        path = self._place(name)
        self._changed[path] = None
        return path

    def _forget(self, path: Path) -> None:
        self._changed.pop(path, None)
        self._changed[path.parent] = None

    def _place(self, name: str) -> Path:
        path = (self._path / name).resolve()
        if not path.is_relative_to(self._path) or path == self._path:
            raise ValueError(f"the name {name!r} leads out of the folder")
        return path
