"""Emission: what the stream is told of the live files, and what it still lacks of them."""

from engine.basics.payload import length_of, to_bytes
from engine.basics.settings import CaptureSettings
from engine.capture.backlog import Backlog
from engine.capture.drain import Drain
from engine.capture.figures import ModeClock
from engine.capture.files import Files
from engine.capture.modes import CaptureMode
from engine.capture.stream import Draft, PoolEntry
from engine.contract.actions import ReadSource
from engine.contract.events import SourceRead
from engine.formats.bodies import text_of
from engine.formats.records import RecordType, ScannedRecord, scan_record

_NAMING = (RecordType.CREATE, RecordType.RENAME)


class Emission:
    """The live files, the stream's, and what parts them.

    Args:
        backlog: The stream.
        settings: Bounds.
    """

    def __init__(self, backlog: Backlog, settings: CaptureSettings) -> None:
        self.live = Files()
        self.drain = Drain(settings, self.live)
        self.clock = ModeClock(CaptureMode.DATA)
        self._backlog = backlog
        self._settings = settings

    @property
    def mode(self) -> CaptureMode:
        """Return what becomes of a change that is shown now."""
        return self.clock.mode

    @property
    def is_ordered(self) -> bool:
        """Return whether every change becomes a record now."""
        return self.clock.is_ordered

    @property
    def is_in_gap(self) -> bool:
        """Return whether a gap is open at the stream's end."""
        return self._backlog.stream.gap is not None

    @property
    def is_plain(self) -> bool:
        """Return whether every change goes into the pool as a record, and no gap is open."""
        return self.clock.mode is CaptureMode.DATA and not self.is_in_gap

    # --- the stream and the files -------------------------------------------------------------

    def append(self, draft: Draft, now_ns: int) -> None:
        """Add a record to the stream."""
        is_pooled = self._backlog.append(draft, now_ns)
        if is_pooled and (emitted := self.drain.emitted) is not None:
            kind, file, offset, payload, _ = draft
            name = to_bytes(payload).decode() if kind in _NAMING else ""
            emitted.apply(kind, file, offset, length_of(payload), name)

    def shown(self, kind: RecordType, file: int, offset: int, length: int, name: str) -> None:
        """Take the effect of a completed change on the live files, and on reads under way."""
        self.live.apply(kind, file, offset, length, name)
        if self._backlog.stream.gap is not None and self.mode is not CaptureMode.UNTRACKED:
            self.drain.shown(kind, file, offset, length, is_kept=self.is_ordered)

    def came_back(self, entry: PoolEntry) -> None:
        """Take the effect of a spooled record, now in the pool, on the stream's files."""
        data = entry.record
        record = scan_record(memoryview(data), 0)
        assert isinstance(record, ScannedRecord), "what came back was checked"
        header, emitted = record.header, self.drain.emitted
        assert emitted is not None, "while records are in the spool, the stream is behind"
        name = text_of(record, data) if header.type in _NAMING else ""
        emitted.apply(header.type, header.file, header.offset, header.raw_length, name)

    def emit_names(self, now_ns: int) -> None:
        """Give the stream the live names."""
        for step in self.drain.naming_steps():
            payload = (step.name.encode(),) if step.name else ()
            self.append(Draft(step.kind, step.file, payload=payload), now_ns)

    def emit_sizes(self, now_ns: int) -> None:
        """Give the stream the live sizes."""
        for file, size in self.drain.sizes_to_set():
            self.append(Draft(RecordType.TRUNCATE, file, size), now_ns)

    # --- reads of the live files --------------------------------------------------------------

    def wants_reads(self, now_ns: int) -> list[ReadSource]:
        """Return the reads that the drain needs now."""
        backlog, drain = self._backlog, self.drain
        if not self.is_in_gap or self.mode is CaptureMode.UNTRACKED or backlog.spool.count:
            return []
        room = self._settings.pool_bytes_max // 2 - backlog.pool.bytes
        if room <= 0 and len(backlog.pool):
            return []
        self.emit_names(now_ns)
        return list(drain.next_reads(room, now_ns))

    def answered(self, event: SourceRead, now_ns: int) -> None:
        """Put what was read into the stream."""
        for piece in self.drain.answered(event.token, event.data, now_ns):
            if (cut := self.drain.cut_of(piece.file)) is not None:
                self.append(Draft(RecordType.TRUNCATE, piece.file, cut), now_ns)
            self.append(Draft(RecordType.WRITE, *piece), now_ns)
