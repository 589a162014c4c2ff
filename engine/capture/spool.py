"""The spool: what the pool has no room for, on disk, in the one order of the stream.

Fault model. The spool is for the life of this capture: after a crash of the host it is worthless
(a new capture knows nothing of it), so no write waits for it and nothing of it is believed without
its checks. Promised: records come back exactly as they went in, in order, or not at all; files are
deleted once the target has acknowledged what is in them. A record stays in memory until its write
is done. Not checked: what other files lie beside the spool's.

Its files are `<first sequence>.spool`, records one after the other and nothing else.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from engine.basics.cursor import Cursor
from engine.basics.errors import SpoolDamaged
from engine.basics.settings import CaptureSettings
from engine.capture.stream import PoolEntry, entry_of
from engine.contract.actions import AppendFile, CreateFile, DeleteFile, FileAction, SyncFile
from engine.contract.storage import Storage
from engine.formats.records import (
    HEADER_BYTES,
    RecordTorn,
    ScannedRecord,
    chain_after,
    scan_record,
)

SPOOL_SUFFIX = ".spool"
_CHUNK_BYTES = 1 << 20


def spool_name(first_sequence: int) -> str:
    """Return the name of a spool file."""
    return f"{first_sequence:020d}{SPOOL_SUFFIX}"


class _File:
    """A file of the spool; sizes and positions in bytes of the file, costs in raw bytes."""

    __slots__ = ("cost_bytes", "is_full", "last", "name", "read", "size", "written")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_full = False
        self.last = 0
        self.cost_bytes = 0
        #: Appended, done or not; done; and come back.
        self.size = 0
        self.written = 0
        self.read = 0

    @property
    def read_on_disk(self) -> int:
        """Return how much of what is written has come back."""
        return min(self.read, self.written)


class Spool:
    """Records on their way to disk, there, and on their way back.

    Args:
        storage: Reads the files that the actions write; None for no spool.
        settings: Bounds.
    """

    def __init__(self, storage: Storage | None, settings: CaptureSettings) -> None:
        self._storage = storage
        self._settings = settings
        #: Raw bytes of the records that have not come back. The files take up to a pool and a file
        #: more, for they leave as a whole, and not before all in them is acknowledged.
        self.bytes = 0
        #: Records that have not come back.
        self.count = 0
        self._files: deque[_File] = deque()  # with records to come back; the last one may grow
        self._back: deque[_File] = deque()  # all of them came back, not all are acknowledged
        self._buffer: deque[PoolEntry] = deque()  # records whose write is not done
        self._buffer_bytes = 0
        self._under_way = 0  # so many of the buffer are being written, into the last file
        self._is_writing = False
        self._token = 0
        self._sequence = 0  # of the newest record
        self._chunk: tuple[_File | None, int, bytes] = (None, 0, b"")

    def has_room(self, cost: int) -> bool:
        """Return whether a record fits, and its disk keeps up."""
        settings = self._settings
        return (
            self._storage is not None
            and settings.overflow == "spill"
            and self.bytes + cost <= settings.spool_bytes_max
            and (not self._buffer or self._buffer_bytes + cost <= settings.spool_buffer_bytes_max)
        )

    def add(self, sequence: int, entry: PoolEntry) -> None:
        """Take the next record of the stream."""
        self._buffer.append(entry)
        self._buffer_bytes += entry.cost_bytes
        self.bytes += entry.cost_bytes
        self.count += 1
        self._sequence = sequence

    def write(self) -> list[FileAction]:
        """Return what is to be written now: nothing while a write is under way."""
        if self._is_writing or not self._buffer:
            return []
        actions: list[FileAction] = []
        if not self._files or self._files[-1].is_full:
            file = _File(spool_name(self._sequence - len(self._buffer) + 1))
            self._files.append(file)
            self._set_back_aside()
            actions.append(CreateFile(file.name))
        file = self._files[-1]
        taken = self._taken_for(file)
        self._under_way, self._is_writing = len(taken), True
        parts = tuple([part for entry in taken for part in entry.parts])
        cost = sum(entry.cost_bytes for entry in taken)
        file.last = self._sequence - len(self._buffer) + len(taken)
        file.cost_bytes += cost
        self._token += 1
        actions.append(AppendFile(file.name, file.size, parts, cost))
        actions.append(SyncFile(file.name, self._token))
        file.size += sum(map(len, parts))
        file.is_full = file.cost_bytes >= self._settings.spool_file_bytes_max
        return actions

    def _taken_for(self, file: _File) -> list[PoolEntry]:
        """Return the records that go into the file together: at least one."""
        taken: list[PoolEntry] = []
        room = self._settings.spool_file_bytes_max - file.cost_bytes
        for entry in self._buffer:
            if taken and room < entry.cost_bytes:
                break
            taken.append(entry)
            room -= entry.cost_bytes
        return taken

    def written(self, token: int) -> None:
        """Note that a write is done: its records need not stay in memory."""
        if token != self._token or not self._is_writing:
            return
        self._files[-1].written = self._files[-1].size
        for _ in range(self._under_way):
            self._buffer_bytes -= self._buffer.popleft().cost_bytes
        self._under_way, self._is_writing = 0, False

    def come_back(self, end: Cursor, has_room: Callable[[int], bool]) -> Iterator[PoolEntry]:
        """Yield records in order while there is room; each counts as back when it is yielded.

        Args:
            end: The cursor of the record before the first one to come.
            has_room: Asked with the raw bytes of each.

        Raises:
            SpoolDamaged: A file no longer holds what was written.
        """
        while self.count:
            entry = self._next_on_disk(end) or self._buffer[0]
            if not has_room(entry.cost_bytes):
                return
            self._came_back(entry)
            end = Cursor(end.epoch, end.sequence + 1, entry.chain)
            yield entry

    def _came_back(self, entry: PoolEntry) -> None:
        self.count -= 1
        self.bytes -= entry.cost_bytes
        file = self._files[0] if self._files else None
        if file is not None and file.read < file.size:
            file.read += entry.stored_bytes
            is_on_disk = file.read <= file.written
            self._set_back_aside()
            if is_on_disk:
                return
            # It was still being written: the copy in memory is the one that came back.
            self._under_way -= 1
        self._buffer.popleft()
        self._buffer_bytes -= entry.cost_bytes

    def _set_back_aside(self) -> None:
        """Set files aside whose records all came back, but for the one that may grow."""
        while len(self._files) > 1 and self._files[0].read == self._files[0].size:
            self._back.append(self._files.popleft())

    def _next_on_disk(self, end: Cursor) -> PoolEntry | None:
        """Return the next record if it is in a file, None if it is still in memory."""
        if not self._files or self._files[0].read >= self._files[0].written:
            return None
        file = self._files[0]
        data = self._ahead(file, HEADER_BYTES)
        record = scan_record(memoryview(data), 0)
        if isinstance(record, RecordTorn):
            data = self._ahead(file, record.needed)
            record = scan_record(memoryview(data), 0)
        if not isinstance(record, ScannedRecord):
            raise _damaged(file, "is not readable")
        header = record.header
        chain = chain_after(memoryview(data), 0, end.chain)
        if (header.epoch, header.sequence, header.chain) != (end.epoch, end.sequence + 1, chain):
            raise _damaged(file, f"is not record {end.sequence + 1} of this capture")
        return entry_of(record, data)

    def _ahead(self, file: _File, needed: int) -> bytes:
        """Return bytes of the file from the read position on, at least `needed` where it has."""
        assert self._storage is not None, "without storage there are no files"
        held, position, data = self._chunk
        skip = file.read - position
        if held is not file or skip < 0 or len(data) - skip < needed:
            length = min(max(_CHUNK_BYTES, needed), file.written - file.read)
            data, skip = self._storage.read(file.name, file.read, length), 0
            self._chunk = (file, file.read, data)
        return data[skip:]

    def free(self, acknowledged: int) -> list[FileAction]:
        """Return the deletion of every file whose records all are acknowledged."""
        if not self.count and not self._is_writing:
            self._back += self._files
            self._files.clear()
        actions: list[FileAction] = []
        while self._back and self._back[0].last <= acknowledged:
            actions.append(DeleteFile(self._back.popleft().name))
        return actions

    def drop(self) -> list[FileAction]:
        """Forget every record for good, and return the deletion of every file.

        A spool that failed once is not used again.
        """
        actions: list[FileAction] = [DeleteFile(file.name) for file in (*self._back, *self._files)]
        self._back.clear()
        self._files.clear()
        self._buffer.clear()
        self._token += 1  # the answer to a write under way must not be taken for another's
        self._is_writing, self._storage = False, None
        self.bytes = self.count = self._buffer_bytes = self._under_way = 0
        return actions

    def state(self) -> tuple[dict[str, Any], list[PoolEntry]]:
        """Return what `restore` needs: plain values, and the records that are in no file yet."""
        end = self._sequence - len(self._buffer)
        files = [
            # What is not written is in memory, or has come back from there.
            (file.name, min(file.last, end), file.written, file.read_on_disk)
            for file in (*self._back, *self._files)
        ]
        return {"files": files, "count": self.count, "bytes": self.bytes}, list(self._buffer)

    def restore(
        self, fields: dict[str, Any], waiting: list[PoolEntry], sequence: int
    ) -> list[FileAction]:
        """Become, when new, what `state` told of; return the deletion of files with nothing in it.

        Args:
            fields: From `state`.
            waiting: The records that were in no file yet.
            sequence: Of the newest record.
        """
        actions: list[FileAction] = []
        for name, last, written, read in fields["files"]:
            if not written:
                actions.append(DeleteFile(name))
                continue
            file = _File(name)
            file.last, file.read = last, read
            file.size = file.written = written
            file.is_full = True
            (self._back if read == written else self._files).append(file)
        self._buffer.extend(waiting)
        self._buffer_bytes = sum(entry.cost_bytes for entry in waiting)
        self.bytes, self.count, self._sequence = fields["bytes"], fields["count"], sequence
        return actions


def _damaged(file: _File, what: str) -> SpoolDamaged:
    return SpoolDamaged(f"The spool file {file.name!r}: what lies at offset {file.read} {what}")
