"""The drain: fills a gap by reading the live files, until the stream says what they say.

A read takes time, and the files change meanwhile. What a completed write, truncate, rename or
delete touches while a read of it is under way is *void* in the answer: nobody knows whether the
bytes read are those before it or after it. Void bytes are not sent; either they were marked dirty
by that very change, or it is a record of the stream itself.

Not checked: that a read gives bytes of one moment between its action and its answer, and that
every change is shown before its writer goes on.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.basics import invariants
from engine.basics.payload import Segments, length_of, slice_of
from engine.basics.ranges import Ranges
from engine.basics.settings import CaptureSettings
from engine.capture.bitmap import BLOCK_BYTES
from engine.capture.dirty import DirtyMap
from engine.capture.files import Files, NamingStep, steps_between
from engine.contract.actions import ReadSource
from engine.formats.records import RecordType
from engine.formats.standings import FileEntry
from engine.history.filetable import FileTableState

_READS_MAX = 64


class _Read(NamedTuple):
    """A read under way; `void` grows while it is."""

    file: int
    start: int
    stop: int
    void: Ranges


class Piece(NamedTuple):
    """Bytes of a file that the stream lacked, as they are now."""

    file: int
    offset: int
    payload: Segments


class Drain:
    """What the stream lacks, and the reads that fetch it.

    Args:
        settings: Bounds.
        live: The files of the source; the capture keeps them up to date.
    """

    def __init__(self, settings: CaptureSettings, live: Files) -> None:
        self.live = live
        self.dirty = DirtyMap(settings, lambda file: self.live.sizes[file])
        #: The files as the stream says; None while it says what `live` says.
        self.emitted: Files | None = None
        #: Raw bytes of the reads under way.
        self.reading_bytes = 0
        #: Bytes that the drain has put into the stream.
        self.drained_bytes = 0
        self._settings = settings
        self._reads: dict[int, _Read] = {}
        self._watched: dict[int, int] = {}  # reads of a comparison: token -> file
        self._tokens = 0
        self._cuts: dict[int, int] = {}  # to how little a file was cut since the stream spoke of it
        self._retry_at_ns = 0

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is dirty and nothing is being read."""
        return not self.dirty.count and not self._reads

    def clear(self) -> None:
        """Forget all that is dirty, and every read."""
        self.dirty.clear()
        self._reads.clear()
        self._watched.clear()
        self._cuts.clear()
        self.reading_bytes = 0

    # --- changes ------------------------------------------------------------------------------

    def part(self) -> None:
        """Keep the stream's files apart from the live ones, which go on without it."""
        if self.emitted is None:
            self.emitted = self.live.copy()

    def meet(self) -> None:
        """Note that the stream says again what the live files say."""
        if (emitted := self.emitted) is not None:
            invariants.stream_meets_the_live_files(
                (emitted.names, emitted.sizes), (self.live.names, self.live.sizes), self._cuts
            )
        self.emitted = None

    def shown(self, kind: int, file: int, offset: int, length: int, *, is_kept: bool) -> None:
        """Take note of a completed change.

        Args:
            kind: Its record type.
            file: Its file.
            offset: As in its record.
            length: Of its payload, in bytes.
            is_kept: Whether it is a record of the stream; if not, its place is marked dirty.
        """
        if kind == RecordType.WRITE:
            if length:
                self._written(file, offset, offset + length, is_kept=is_kept)
        elif kind == RecordType.TRUNCATE:
            self._void(file, offset, None)
            self.dirty.cut(file, offset)
            if not is_kept:
                self._cuts[file] = min(self._cuts.get(file, offset), offset)
        elif kind == RecordType.RENAME:
            self._forget_watched(file)
            for read in self._reads_of(file):
                self._mark(read.file, read.void.without(read.start, read.stop))
            self._void(file, 0, None)
        elif kind == RecordType.DELETE:
            self._forget_watched(file)
            self._void(file, 0, None)
            self.dirty.drop(file)
            self._cuts.pop(file, None)

    def _written(self, file: int, start: int, stop: int, *, is_kept: bool) -> None:
        self._void(file, start, stop)
        if is_kept:
            self.dirty.remove(file, start, stop)
        else:
            self.dirty.add(file, start, stop)

    def _void(self, file: int, start: int, stop: int | None) -> None:
        for read in self._reads_of(file):
            first = max(start, read.start)
            last = read.stop if stop is None else min(stop, read.stop)
            if first < last:
                read.void.add(first, last)

    def _reads_of(self, file: int) -> Iterator[_Read]:
        return (read for read in self._reads.values() if read.file == file)

    # --- reading ------------------------------------------------------------------------------

    def next_reads(self, room_bytes: int, now_ns: int) -> Iterator[ReadSource]:
        """Yield reads of what is dirty, as far as the bounds and the room in the pool go.

        At least one is under way then, if anything is dirty: it may be larger than the room.
        """
        settings = self._settings
        limit = min(settings.drain_window_bytes_max, room_bytes)
        while self.dirty.count and now_ns >= self._retry_at_ns and len(self._reads) < _READS_MAX:
            if self._reads and self.reading_bytes >= limit:
                return
            taken = self.dirty.take(min(settings.drain_read_bytes_max, max(limit, BLOCK_BYTES)))
            assert taken is not None, "something is dirty"
            file, start, stop = taken
            stop = min(stop, self.live.sizes[file])
            if start < stop:
                yield self._read(file, start, stop)

    def _read(self, file: int, start: int, stop: int) -> ReadSource:
        self._tokens += 1
        self._reads[self._tokens] = _Read(file, start, stop, Ranges())
        self.reading_bytes += stop - start
        return ReadSource(self._tokens, self.live.names[file], start, stop - start)

    def answered(self, token: int, data: Segments | None, now_ns: int) -> list[Piece]:
        """Return what an answer gives the stream; the rest of what was asked for stays dirty.

        An answer to a read of an earlier session is ignored.
        """
        read = self._reads.pop(token, None)
        if read is None:
            return []
        self.reading_bytes -= read.stop - read.start
        data = () if data is None else data
        end = min(read.start + length_of(data), read.stop)
        pieces = [
            Piece(read.file, first, slice_of(data, first - read.start, last - read.start))
            for first, last in (read.void.without(read.start, end) if read.start < end else ())
        ]
        missing = read.void.without(end, read.stop) if end < read.stop else []
        if missing:
            # Shorter than asked for, and no change explains it: it is tried again, not at once.
            self._retry_at_ns = now_ns + self._settings.drain_retry_ns
            self._mark(read.file, missing)
        self.drained_bytes += sum(length_of(piece.payload) for piece in pieces)
        return pieces

    def forget_reads(self) -> None:
        """Take back every read: the session that asked for them is gone."""
        for read in self._reads.values():
            self._mark(read.file, read.void.without(read.start, read.stop))
        self._reads.clear()
        self._watched.clear()
        self.reading_bytes = 0

    def watch(self, file: int, offset: int, length: int) -> ReadSource:
        """Return a read that is not drained; it is watched whether its file is renamed."""
        self._tokens += 1
        self._watched[self._tokens] = file
        return ReadSource(self._tokens, self.live.names[file], offset, length)

    def unwatch(self, token: int) -> bool:
        """Return whether the file kept its name since the read was asked for."""
        return self._watched.pop(token, None) is not None

    def _forget_watched(self, file: int) -> None:
        for token in [token for token, watched in self._watched.items() if watched == file]:
            del self._watched[token]

    def _mark(self, file: int, ranges: list[tuple[int, int]]) -> None:
        for start, stop in ranges:
            self.dirty.add(file, start, stop)

    # --- names and sizes ----------------------------------------------------------------------

    def naming_steps(self) -> Iterator[NamingStep]:
        """Yield the records that give the stream's files the live names."""
        if self.emitted is not None:
            yield from steps_between(self.emitted, self.live)

    def cut_of(self, file: int) -> int | None:
        """Return, once, the size that the stream's file must be cut to before more is written."""
        cut = self._cuts.pop(file, None)
        if self.emitted is None or cut is None or cut >= self.emitted.sizes[file]:
            return None
        return cut

    def sizes_to_set(self) -> Iterator[tuple[int, int]]:
        """Yield (file, size) for each truncate that gives the stream's files the live sizes."""
        if self.emitted is None:
            return
        for file in sorted(self.live.names):
            if (cut := self.cut_of(file)) is not None:
                yield file, cut
            if self.emitted.sizes[file] != self.live.sizes[file]:
                yield file, self.live.sizes[file]

    # --- saved and restored -------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as plain values; no read may be under way."""
        assert not self._reads, "nobody will answer a read after this"
        emitted = self.emitted
        return {
            "live": self.live.state()._asdict(),
            "emitted": None if emitted is None else emitted.state()._asdict(),
            "cuts": sorted(self._cuts.items()),
            "dirty": [(file, start, stop) for file, (start, stop) in self.dirty.ranges()],
        }

    def restore(self, fields: dict[str, Any]) -> None:
        """Become, when new, what `state` told of."""
        self.live.become(_files_of(fields["live"]))
        emitted = fields["emitted"]
        self.emitted = None if emitted is None else _files_of(emitted)
        self._cuts = dict(fields["cuts"])
        for file, start, stop in fields["dirty"]:
            self.dirty.add(file, start, stop)


def _files_of(fields: dict[str, Any]) -> Files:
    entries = tuple(FileEntry(*entry) for entry in fields["entries"])
    return Files.of(FileTableState(entries, fields["id_newest"]))
