"""How records come into segments: appended, sealed, named by the manifest, promised by a sync."""

from typing import NamedTuple

from engine.basics import invariants
from engine.basics.cursor import Cursor
from engine.basics.settings import JournalSettings
from engine.contract.actions import AppendFile, CreateFile, ReplaceFile, TruncateFile
from engine.contract.storage import Storage
from engine.formats.manifest import MANIFEST_NAME, Manifest, ManifestEncoder, SegmentEntry
from engine.formats.records import HEADER_BYTES, RecordType
from engine.formats.segments import segment_name
from engine.history.gate import History, StagedRecord
from engine.journal.frames import footer_of, header_of, mark_due
from engine.journal.pending import PendingActions
from engine.journal.reader import JournalReader
from engine.journal.rebuilding import seal_segment
from engine.journal.segment import Segment


class Promise(NamedTuple):
    """What a sync makes durable: the first bytes of a segment, up to the cursor's record.

    Whatever was replaced before it is durable as well: the index files of the segments `sealed`,
    and those written again.
    """

    cursor: Cursor
    segment: Segment | None
    synced_bytes: int
    sealed: tuple[SegmentEntry, ...]
    repaired: tuple[int, ...]


class SegmentWriter(JournalReader):
    """The writing half of a `Journal`.

    Args:
        storage: Reads the files that the actions of this journal write.
        manifest: What the sealed part of the journal consists of.
        settings: Bounds.
    """

    def __init__(self, storage: Storage, manifest: Manifest, settings: JournalSettings) -> None:
        super().__init__(storage, manifest, settings.index_cache_bytes_max)
        self.settings = settings
        #: Which capture writes this history; None until the first source was adopted.
        self.incarnation = self.standing.incarnation
        #: Everything up to here survives a crash of this host.
        self.durable: Cursor = self.standing.cursor
        self._history = History(manifest.group, manifest.base.cursor, self.standing)
        self._open: Segment | None = None
        self._pending: PendingActions[Promise] = PendingActions()
        self._manifest_encoder = ManifestEncoder()
        self._unreleased: list[SegmentEntry] = []  # sealed, but no later sync promises their index

    @property
    def group(self) -> int:
        """Return the number of the consistency group."""
        return self._history.group

    @property
    def received(self) -> Cursor:
        """Return the cursor of the newest accepted record, durable or not."""
        return self._history.newest

    def _place(self, staged: list[StagedRecord], view: memoryview, before: Cursor) -> None:
        """Append the records to the segments they fall into."""
        run: list[StagedRecord] = []
        run_raw_bytes = 0
        for record in staged:
            cost = HEADER_BYTES + record.header.raw_length
            if self._is_full(len(run), run_raw_bytes, record, cost):
                self._append_run(run, run_raw_bytes, view, before)
                before = self.segments[-1].last
                self._seal()
                run, run_raw_bytes = [], 0
            if record.header.type == RecordType.RESYNC_BEGIN:
                self.incarnation = int(record.text, 16)
            run.append(record)
            run_raw_bytes += cost
        self._append_run(run, run_raw_bytes, view, before)

    def _is_full(self, count: int, raw_bytes: int, record: StagedRecord, cost: int) -> bool:
        """Tell whether the open segment, with a run to come, must be sealed before a record."""
        segment = self._open
        if segment is not None and not segment.is_sealed:
            count += segment.record_count
            raw_bytes += segment.raw_bytes
        if not count:
            return False
        return (
            raw_bytes + cost > self.settings.segment_bytes_max
            or count >= self.settings.segment_records_max
            # Each segment is of one capture: its header and its marks say which.
            or record.header.type == RecordType.RESYNC_BEGIN
        )

    def _append_run(
        self, run: list[StagedRecord], raw_bytes: int, view: memoryview, before: Cursor
    ) -> None:
        if not run:
            return
        start, end = run[0].start, run[-1].end
        segment, prefix = self._segment_to_append(before)
        offset = segment.size
        segment.size += len(prefix)
        base = segment.size - start
        for record in run:
            segment.rows.add(record.header, base + record.start, record.text)
            self.index.note(record.header.type, record.header.sequence)
            segment.digest.add(view[record.start : record.start + HEADER_BYTES])
        header = run[-1].header
        segment.grow(
            Cursor(header.epoch, header.sequence, header.chain), len(run), end - start, raw_bytes
        )
        mark = mark_due(segment, self.group, self.durable)
        parts = tuple(part for part in (prefix, view[start:end], mark) if part)
        raw_bytes += len(prefix) + len(mark)
        self._pending.add(AppendFile(segment.name, offset, parts, raw_bytes))

    def _segment_to_append(self, before: Cursor) -> tuple[Segment, bytes]:
        """Return the open segment, and its header where that is still to be written."""
        assert self.incarnation is not None, "a source was adopted first"
        segment = self._open
        if segment is None or segment.is_sealed:
            segment = Segment(segment_name(before.sequence + 1), before, self.standing)
            self._open = segment
            self.index.begin(segment)
            self._pending.add(CreateFile(segment.name))
        elif segment.size and segment.incarnation == self.incarnation:
            return segment, b""
        elif segment.size:
            # Its header names a capture that never wrote anything here.
            segment.size = 0
            self._pending.add(TruncateFile(segment.name, 0))
        segment.begin(before, self.incarnation)
        invariants.segments_are_contiguous(before, segment.first_sequence, segment.before.chain)
        return segment, header_of(segment, self.group)

    def _seal(self) -> None:
        """Write the footer and hold back everything else until it is durable."""
        segment = self._open
        assert segment is not None, "there is something to seal"
        offset, mark = segment.size, mark_due(segment, self.group, self.durable)
        footer = footer_of(segment, self.group)
        segment.size += len(footer)
        appended = mark + footer
        self._pending.add(AppendFile(segment.name, offset, (appended,), len(appended)))
        segment.is_sealed = True
        self._queue_sync(segment, is_barrier=True)
        self._enter_sealed(segment)

    def _enter_sealed(self, segment: Segment) -> None:
        """Write the index file of a sealed segment, then the manifest that names both."""
        sealed, entry = seal_segment(segment, self.group)
        self.standing = sealed.after
        self._pending.add(ReplaceFile(entry.index_name, sealed.index_data))
        old = self.manifest
        standings = old.standings
        if not old.generation:  # the first one: now the epoch is known in which all began
            standings = (old.base._replace(cursor=segment.before), *standings[1:])
        self._write_manifest(old._replace(standings=standings, segments=(*old.segments, entry)))
        self._unreleased.append(entry)

    def _write_manifest(self, manifest: Manifest, leaving: tuple[str, ...] = ()) -> None:
        """Replace the manifest by another one of what is already durable when its turn comes."""
        generation = self.manifest.generation + 1
        self.manifest = manifest._replace(generation=generation, leaving=leaving)
        data = self._manifest_encoder.encode(self.manifest)
        self._pending.add(ReplaceFile(MANIFEST_NAME, data))

    def _queue_sync(self, segment: Segment, *, is_barrier: bool) -> None:
        self._pending.add_sync(segment.name, self._promise(segment), is_barrier=is_barrier)

    def _promise(self, segment: Segment | None) -> Promise:
        """Return what a sync that is queued now makes durable."""
        sealed, self._unreleased = tuple(self._unreleased), []
        repaired: list[int] = []
        for first_sequence, action in self._repairs.take_actions():
            self._pending.add(action)
            repaired.append(first_sequence)
        if segment is None:
            return Promise(self.durable, None, 0, sealed, tuple(repaired))
        return Promise(segment.last, segment, segment.size, sealed, tuple(repaired))
