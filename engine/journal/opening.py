"""Opening a journal: everything is read and checked; only a torn tail is cut.

What a crash may leave is cut: a damaged or incomplete end of the last segment, after all that any
mark in it says was synced. What a crash cannot explain is refused by name: damage before the last
segment, or in it but below what a mark, before or after the damage, says was synced; a mark that
says other than the records do; a segment missing, foreign or misplaced; a header that holds other
than zeros.
"""

from dataclasses import dataclass

from engine.basics.cursor import Cursor, genesis
from engine.basics.errors import (
    EngineError,
    JournalDamaged,
    SegmentForeign,
    SegmentMisplaced,
    SegmentMissing,
)
from engine.basics.settings import JournalSettings
from engine.contract.actions import FileAction, TruncateFile
from engine.contract.storage import Storage
from engine.formats.marks import MARK_BYTES, SyncedMark, decode_mark, newest_mark
from engine.formats.records import (
    HEADER_BYTES,
    DamagedRecord,
    RecordTorn,
    ScannedRecord,
    scan_record,
)
from engine.formats.segments import (
    FOOTER_BYTES,
    SEGMENT_HEADER_BYTES,
    SegmentFooter,
    SegmentHeader,
    decode_footer,
    decode_segment_header,
    sequence_of_name,
)
from engine.history.gate import History
from engine.journal.journal import Journal
from engine.journal.segment_reader import Segment


@dataclass(frozen=True, slots=True)
class TailCut:
    """What was cut off the last segment: from `offset` on, after record `sequence`."""

    file: str
    offset: int
    bytes_cut: int
    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class OpenedJournal:
    """An opened journal; it accepts records once `actions` are carried out, in order.

    The last of them is a sync: what a crash of the process left in memory must not be called
    durable before it is.
    """

    journal: Journal
    actions: list[FileAction]
    tail_cut: TailCut | None


def open_journal(
    storage: Storage, *, group: int, settings: JournalSettings | None = None
) -> OpenedJournal:
    """Open the journal of a group, or begin one where the storage holds no segment.

    Raises:
        JournalDamaged: With file, offset and sequence; also SegmentMissing, SegmentForeign and
            SegmentMisplaced. Nothing was changed.
    """
    opener = _Opener(storage, group)
    for name in opener.names:
        opener.open_segment(name)
    journal = Journal(
        storage,
        opener.history,
        opener.segments,
        settings or JournalSettings(),
        opener.incarnation,
    )
    actions: list[FileAction] = []
    if cut := opener.tail_cut:
        actions.append(TruncateFile(cut.file, cut.offset))
    return OpenedJournal(journal, actions + journal.request_sync(), opener.tail_cut)


class _Opener:
    def __init__(self, storage: Storage, group: int) -> None:
        self._storage = storage
        self._group = group
        self.names = sorted(name for name in storage.names() if sequence_of_name(name) is not None)
        self.history = History(group, genesis(0))
        self.segments: list[Segment] = []
        self.incarnation: int | None = None
        self.tail_cut: TailCut | None = None

    def open_segment(self, name: str) -> None:
        before = self.history.newest
        self._check_name(name, before)
        data = self._storage.read(name, 0, self._storage.size(name))
        segment = Segment(name, before)
        self.segments.append(segment)
        header = decode_segment_header(data)
        if header is None:
            self._cut_whole(name, data)
            return
        self._check_header(name, header)
        if self.incarnation is None:
            self.incarnation = header.incarnation
            self.history.adopt(genesis(header.epoch))
            segment.before = segment.last = self.history.newest
        segment.size = SEGMENT_HEADER_BYTES
        self._read_records(segment, data)

    def _check_name(self, name: str, before: Cursor) -> None:
        first = sequence_of_name(name)
        assert first is not None, "other files were left out"
        if first > before.sequence + 1:
            raise SegmentMissing(
                f"No segment holds the records before {first}",
                file=name,
                sequence=before.sequence + 1,
            )
        if first < before.sequence + 1:
            raise SegmentMisplaced(
                "The segment before this one already holds its records",
                file=name,
                sequence=first,
            )

    def _check_header(self, name: str, header: SegmentHeader) -> None:
        newest = self.history.newest
        is_known = self.incarnation is not None
        if header.group != self._group or (
            is_known and (header.incarnation, header.epoch) != (self.incarnation, newest.epoch)
        ):
            known = f", epoch {newest.epoch}, capture {self.incarnation:#x}" if is_known else ""
            raise SegmentForeign(
                f"A segment of group {header.group}, epoch {header.epoch}, capture "
                f"{header.incarnation:#x}, in a journal of group {self._group}{known}",
                file=name,
                sequence=newest.sequence + 1,
            )
        if header.first_sequence != newest.sequence + 1:
            raise SegmentMisplaced(
                f"The header says that this segment begins at sequence {header.first_sequence}",
                file=name,
                sequence=newest.sequence + 1,
            )
        if header.chain_before != newest.chain:
            raise self._damaged(name, 0, "the segment continues another chain")

    def _cut_whole(self, name: str, data: bytes) -> None:
        """Begin a segment anew whose header never reached the disk."""
        # The header lies in one sector: a crash leaves all of it, zeros, or a file that ends in it.
        is_torn = len(data) < SEGMENT_HEADER_BYTES or not any(data[:SEGMENT_HEADER_BYTES])
        if name != self.names[-1] or not is_torn:
            raise self._damaged(name, 0, "the segment's header is damaged")
        self._cut_tail(self.segments[-1], data, 0, "the header was never written")

    def _cut_tail(self, segment: Segment, data: bytes, position: int, reason: str) -> None:
        """Cut the last segment at a torn write; refuse where none can have been."""
        self._require_tail(segment.name, position, reason)
        self._require_unmarked(segment, data, position, reason)
        if (size := len(data)) > position:
            sequence = self.history.newest.sequence
            self.tail_cut = TailCut(segment.name, position, size - position, sequence, reason)

    def _require_unmarked(self, segment: Segment, data: bytes, position: int, reason: str) -> None:
        """Check that no mark behind the damage says that the damaged bytes were synced.

        The marks before it cannot: a mark vouches for less than its own position.
        """
        mark = newest_mark(data, position, group=self._group, incarnation=self.incarnation)
        if mark is not None and mark.synced_bytes > position:
            raise self._damaged(
                segment.name,
                position,
                f"{reason}; the mark at offset {mark.position} says that everything before "
                f"offset {mark.synced_bytes}, up to sequence {mark.cursor.sequence}, was synced",
            )

    def _read_records(self, segment: Segment, data: bytes) -> None:
        view, position = memoryview(data), SEGMENT_HEADER_BYTES
        while position < len(data):
            record = scan_record(view, position)
            if isinstance(record, ScannedRecord):
                self._accept(segment, record, view)
                position = record.end
            elif mark := decode_mark(data[position : position + MARK_BYTES]):
                self._check_mark(segment, mark, position)
                position += MARK_BYTES
            elif footer := decode_footer(data[position : position + FOOTER_BYTES]):
                self._check_footer(segment, footer, position, len(data))
                return
            else:
                self._cut_tail(segment, data, position, _what_is_wrong(record))
                return
        self._require_tail(segment.name, position, "the segment was never sealed")

    def _check_mark(self, segment: Segment, mark: SyncedMark, position: int) -> None:
        """Check an undamaged mark against the records before it; no torn write makes it wrong."""
        sequence = mark.cursor.sequence
        owner = (mark.group, mark.incarnation, mark.position)
        if owner != (self._group, self.incarnation, position):
            raise self._damaged(segment.name, position, "a mark that was written elsewhere")
        if sequence > self.history.newest.sequence:
            raise self._damaged(
                segment.name, position, f"records are missing, {sequence} was synced before this"
            )
        is_true = (
            sequence >= segment.first_sequence
            and self.history.index.chain(sequence) == mark.cursor.chain
            and segment.last.epoch == mark.cursor.epoch
            and segment.marked_bytes < mark.synced_bytes <= position
        )
        if not is_true:
            raise self._damaged(segment.name, position, "a mark of other records than these")
        segment.add_mark(mark.synced_bytes)

    def _accept(self, segment: Segment, record: ScannedRecord, view: memoryview) -> None:
        # An undamaged record that does not fit its predecessors is no torn write: never cut.
        try:
            self.history.stage(record, view)
        except EngineError as error:
            self.history.discard()
            raise self._damaged(segment.name, record.position, error.message) from error
        header = record.header
        for staged in self.history.commit():
            self.history.index.add(header, len(self.segments) - 1, record.position, staged.text)
        segment.digest.add(view[record.position : record.position + HEADER_BYTES])
        segment.grow(
            self.history.newest, 1, record.end - record.position, HEADER_BYTES + header.raw_length
        )

    def _check_footer(
        self, segment: Segment, footer: SegmentFooter, position: int, size: int
    ) -> None:
        expected = SegmentFooter(
            self._group,
            segment.last.sequence,
            segment.record_count,
            segment.record_bytes,
            segment.last.chain,
            segment.digest.value(),
        )
        if footer != expected:
            raise self._damaged(segment.name, position, "the footer seals other records")
        if size != position + FOOTER_BYTES:
            raise self._damaged(segment.name, position, "bytes follow the footer")
        segment.is_sealed = True
        segment.size = size

    def _require_tail(self, name: str, position: int, what: str) -> None:
        if name != self.names[-1]:
            raise self._damaged(name, position, what)

    def _damaged(self, name: str, position: int, what: str) -> JournalDamaged:
        return JournalDamaged(
            f"Damage that no torn write explains: {what}",
            file=name,
            offset=position,
            sequence=self.history.newest.sequence + 1,
        )


def _what_is_wrong(record: RecordTorn | DamagedRecord) -> str:
    if isinstance(record, RecordTorn):
        return "a record is cut short"
    return f"a record's {record.field} does not fit its bytes"
