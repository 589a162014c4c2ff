"""The journal: the records of one group in segment files, any of which can be lost or torn.

Fault model. On a crash each append since the last completed sync is kept, torn or lost, one by one;
anything may rot later. Promised: what was reported durable was synced before; a segment's successor
is created only after the segment was sealed and synced, so that only the last segment can have a
torn tail; in that one, an append that follows a completed sync carries a mark of what the sync made
durable (`engine.formats.marks`), so that the tail begins after the newest mark's claim; whatever
contradicts a checksum elsewhere is refused, never cut. Not decidable from these files alone: rot in
what was synced after the newest mark was written (at most the last append before the journal was
closed, and those under way with it) is cut as a torn tail, and a last file that was cut short or
deleted loses its marks with its records. Both are noticed against the source's cursor when a
session is welcomed (JournalRegressed). Not checked: that the storage's sync tells the truth.
"""

from collections import deque
from typing import NamedTuple

from engine.basics import invariants
from engine.basics.cursor import Cursor, genesis
from engine.basics.errors import (
    EngineError,
    JournalDamaged,
    LocalProtocolError,
    RecordDamaged,
    SegmentMissing,
)
from engine.basics.payload import Segments
from engine.basics.settings import JournalSettings
from engine.contract.actions import AppendFile, CreateFile, FileAction, SyncFile
from engine.contract.storage import Storage
from engine.formats.marks import SyncedMark, encode_mark
from engine.formats.records import HEADER_BYTES, DamagedRecord, RecordTorn, scan_record
from engine.formats.segments import (
    SegmentFooter,
    SegmentHeader,
    encode_footer,
    encode_segment_header,
    segment_name,
)
from engine.history.gate import History, StagedRecord
from engine.history.index import Index
from engine.journal.segment_reader import Segment, read_payload


class _Sync(NamedTuple):
    """What a SyncFile makes durable: the first bytes of a segment, up to the cursor's record.

    Everything after a barrier must wait for it.
    """

    segment: Segment
    synced_bytes: int
    cursor: Cursor
    is_barrier: bool


class Journal:
    """Appends verified records, seals and syncs segments, and reads records back.

    Make one with `engine.journal.opening.open_journal`; it is also how an empty one begins.

    Args:
        storage: Reads the files that the actions of this journal write.
        history: What the files hold.
        segments: The segments found, in order.
        settings: Bounds.
        incarnation: Which capture wrote the history, None when none has yet.
    """

    def __init__(
        self,
        storage: Storage,
        history: History,
        segments: list[Segment],
        settings: JournalSettings,
        incarnation: int | None,
    ) -> None:
        self.storage = storage
        self.settings = settings
        self.segments = segments
        #: Which capture wrote this history; None until the first source was adopted.
        self.incarnation = incarnation
        #: Everything up to here survives a crash of this host.
        self.durable: Cursor = segments[-1].before if segments else history.newest
        self._history = history
        self._queue: deque[FileAction] = deque()
        self._syncs: dict[int, _Sync] = {}  # queued or under way, by token
        self._tokens = 0
        self._barrier_token = 0
        self._wants_sync = False

    @property
    def group(self) -> int:
        """Return the number of the consistency group."""
        return self._history.group

    @property
    def received(self) -> Cursor:
        """Return the cursor of the newest accepted record, durable or not."""
        return self._history.newest

    @property
    def index(self) -> Index:
        """Return the index of all accepted records."""
        return self._history.index

    @property
    def is_settled(self) -> bool:
        """Return whether all that was accepted is durable and no sync is under way."""
        return not self._syncs and not self._queue and self.durable == self.received

    @property
    def durable_time_ns(self) -> int | None:
        """Return the source time of the newest durable record, None when there is none."""
        if self.durable.sequence < self.index.first_sequence:
            return None
        return self.index.source_time_ns(self.durable.sequence)

    # --- writing ------------------------------------------------------------------------------

    def adopt(self, epoch: int, incarnation: int) -> None:
        """Take the identity of the first source; the journal must be empty."""
        assert self.incarnation is None, "a journal has one source for its life"
        self._history.adopt(genesis(epoch))
        self.durable = self._history.newest
        self.incarnation = incarnation

    def ingest(self, data: bytes) -> list[FileAction]:
        """Accept a batch of records, all or none.

        Raises:
            EngineError: By its name, what is wrong with which record; nothing was accepted.
        """
        assert self.incarnation is not None, "a source was adopted first"
        history, view, position = self._history, memoryview(data), 0
        try:
            while position < len(data):
                record = scan_record(view, position)
                if isinstance(record, RecordTorn | DamagedRecord):
                    raise _bad_record(record, history.newest)
                history.stage(record, view)
                position = record.end
        except EngineError:
            history.discard()
            raise
        before = history.newest
        self._place(history.commit(), data, before)
        self._request_sync()
        return self._drain()

    def request_sync(self) -> list[FileAction]:
        """Sync the last segment if anything of it may not be durable, as after opening."""
        self._request_sync()
        return self._drain()

    def sync_done(self, token: int) -> list[FileAction]:
        """Note that a SyncFile is done; return what may happen after it.

        Raises:
            LocalProtocolError: No such sync is under way.
        """
        if token not in self._syncs:
            raise LocalProtocolError(f"SyncDone({token}): no such sync is under way")
        segment, synced_bytes, cursor, _ = self._syncs.pop(token)
        segment.synced_bytes = max(segment.synced_bytes, synced_bytes)
        if cursor.sequence > self.durable.sequence:
            invariants.acknowledged_never_decreases(self.durable, cursor)
            self.durable = cursor
        invariants.durable_follows_received(self.durable, self.received)
        if token == self._barrier_token:
            self._barrier_token = 0
        if self._wants_sync:
            self._request_sync()
        return self._drain()

    def _place(self, staged: list[StagedRecord], data: bytes, before: Cursor) -> None:
        """Append the records to the segments they fall into."""
        run: list[StagedRecord] = []
        run_raw_bytes = 0
        for record in staged:
            cost = HEADER_BYTES + record.header.raw_length
            used = self._last_raw_bytes() + run_raw_bytes
            if used and used + cost > self.settings.segment_bytes_max:
                self._append_run(run, run_raw_bytes, data, before)
                before = self.segments[-1].last
                self._seal()
                run, run_raw_bytes = [], 0
            run.append(record)
            run_raw_bytes += cost
        self._append_run(run, run_raw_bytes, data, before)

    def _append_run(
        self, run: list[StagedRecord], raw_bytes: int, data: bytes, before: Cursor
    ) -> None:
        if not run:
            return
        start, end = run[0].start, run[-1].end
        records = data if end - start == len(data) else data[start:end]
        segment, prefix = self._segment_to_append(before)
        offset = segment.size
        segment.size += len(prefix)
        base = segment.size - start
        number = len(self.segments) - 1
        view = memoryview(data)
        for record in run:
            self.index.add(record.header, number, base + record.start, record.text)
            segment.digest.add(view[record.start : record.start + HEADER_BYTES])
        header = run[-1].header
        segment.grow(
            Cursor(header.epoch, header.sequence, header.chain), len(run), end - start, raw_bytes
        )
        mark = self._mark(segment)
        appended = b"".join((prefix, records, mark)) if prefix or mark else records
        raw_bytes += len(prefix) + len(mark)
        self._queue.append(AppendFile(segment.name, offset, appended, raw_bytes))

    def _mark(self, segment: Segment) -> bytes:
        """Return a mark to append to the segment, b"" where the newest one still says it all."""
        if segment.synced_bytes <= segment.marked_bytes:
            return b""
        assert self.incarnation is not None, "a source was adopted first"
        invariants.a_mark_lies_in_its_segment(segment.before, self.durable, segment.last)
        mark = SyncedMark(
            self.group, self.incarnation, segment.size, segment.synced_bytes, self.durable
        )
        segment.add_mark(mark.synced_bytes)
        return encode_mark(mark)

    def _segment_to_append(self, before: Cursor) -> tuple[Segment, bytes]:
        """Return the open segment, and its header where that is still to be written."""
        if self.segments and not self.segments[-1].is_sealed:
            segment = self.segments[-1]
            if segment.size:
                return segment, b""
            segment.before = segment.last = before
        else:
            segment = Segment(segment_name(before.sequence + 1), before)
            self.segments.append(segment)
            self._queue.append(CreateFile(segment.name))
        invariants.segments_are_contiguous(before, segment.first_sequence, segment.before.chain)
        assert self.incarnation is not None, "a source was adopted first"
        return segment, encode_segment_header(
            SegmentHeader(
                self.group, before.epoch, self.incarnation, before.sequence + 1, before.chain
            )
        )

    def _last_raw_bytes(self) -> int:
        return (
            0 if not self.segments or self.segments[-1].is_sealed else self.segments[-1].raw_bytes
        )

    def _seal(self) -> None:
        """Write the footer and hold back everything else until it is durable."""
        segment = self.segments[-1]
        offset, mark = segment.size, self._mark(segment)
        assert segment.record_count == segment.last.sequence - segment.before.sequence, (
            "a sealed segment has no holes"
        )
        assert self.index.chain(segment.last.sequence) == segment.last.chain, "nor another chain"
        footer = encode_footer(
            SegmentFooter(
                self.group,
                segment.last.sequence,
                segment.record_count,
                segment.record_bytes,
                segment.last.chain,
                segment.digest.value(),
            )
        )
        segment.size += len(footer)
        appended = mark + footer
        self._queue.append(AppendFile(segment.name, offset, appended, len(appended)))
        segment.is_sealed = True
        self._queue_sync(segment, is_barrier=True)

    def _request_sync(self) -> None:
        if not self.segments:
            return
        if self._syncs:
            # One sync at a time: the next one then covers all that came meanwhile.
            self._wants_sync = True
            return
        self._wants_sync = False
        if self.durable != self.received:
            self._queue_sync(self.segments[-1], is_barrier=False)

    def _queue_sync(self, segment: Segment, *, is_barrier: bool) -> None:
        self._tokens += 1
        self._syncs[self._tokens] = _Sync(segment, segment.size, segment.last, is_barrier)
        self._queue.append(SyncFile(segment.name, self._tokens))

    def _drain(self) -> list[FileAction]:
        """Return the actions that may be carried out now: up to the sync of a sealed segment."""
        actions: list[FileAction] = []
        while self._queue and not self._barrier_token:
            action = self._queue.popleft()
            actions.append(action)
            if isinstance(action, SyncFile) and self._syncs[action.token].is_barrier:
                self._barrier_token = action.token
        return actions

    # --- reading ------------------------------------------------------------------------------

    def payload(self, sequence: int) -> Segments:
        """Read one record's payload back, checked again in full.

        Raises:
            JournalDamaged: The record no longer is what was accepted.
        """
        row = self.index.row(sequence)
        segment = self.segments[row.segment]
        end = segment.records_end
        if sequence < segment.last.sequence:
            end = self.index.row(sequence + 1).position
        return read_payload(self.storage, segment.name, row, end)

    def check_contiguous(self, sequence: int) -> None:
        """Check, before an image is planned, that every segment up to `sequence` is in its place.

        Raises:
            SegmentMissing: A file is gone.
            JournalDamaged: A file is shorter than what was made durable in it.
        """
        names = set(self.storage.names())
        before = self.segments[0].before if self.segments else self.durable
        for segment in self.segments:
            if segment.first_sequence > sequence:
                break
            invariants.segments_are_contiguous(before, segment.first_sequence, segment.before.chain)
            before = segment.last
            if segment.name not in names:
                raise SegmentMissing(
                    "A segment file is gone", file=segment.name, sequence=segment.first_sequence
                )
            needed = self._needed_bytes(segment, sequence)
            if (size := self.storage.size(segment.name)) < needed:
                raise JournalDamaged(
                    f"A segment has {size} bytes, {needed} were made durable",
                    file=segment.name,
                    offset=size,
                    sequence=segment.first_sequence,
                )
        assert sequence <= before.sequence, "the plan ends inside the segments"

    def _needed_bytes(self, segment: Segment, sequence: int) -> int:
        if sequence >= segment.last.sequence:
            return segment.records_end
        return self.index.row(sequence + 1).position


def _bad_record(record: RecordTorn | DamagedRecord, newest: Cursor) -> RecordDamaged:
    what = "cut short" if isinstance(record, RecordTorn) else f"damaged in {record.field}"
    place = f"byte {record.position} of a batch, after sequence {newest.sequence}"
    return RecordDamaged(f"The record at {place}, is {what}")
