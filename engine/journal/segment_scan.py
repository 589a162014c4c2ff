"""Reading one segment file in full, with everything checked.

The same whether it is opened as the journal's last one, verified, or read to build its index again.

What a crash may leave is told as a cut: a damaged or incomplete end of the journal's last segment,
after all that any mark in it says was synced. What a crash cannot explain is refused by name:
damage in any other segment, or in the last one but below what a mark, before or after the damage,
says was synced; a mark that says other than the records do; a foreign or misplaced segment; a
header that holds other than zeros.
"""

from dataclasses import dataclass

from engine.basics.cursor import Cursor, genesis
from engine.basics.errors import EngineError, JournalDamaged, SegmentForeign, SegmentMisplaced
from engine.contract.storage import Storage
from engine.formats.marks import MARK_BYTES, SyncedMark, decode_mark, newest_mark
from engine.formats.records import (
    HEADER_BYTES,
    DamagedRecord,
    RecordTorn,
    RecordType,
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
    segment_name,
)
from engine.formats.standings import Standing
from engine.history.gate import History
from engine.journal.segment import Segment


@dataclass(frozen=True, slots=True)
class TailCut:
    """What was cut off the last segment: from `offset` on, after record `sequence`."""

    file: str
    offset: int
    bytes_cut: int
    sequence: int
    reason: str


class SegmentScan:
    """Reads the segment that follows a standing.

    Args:
        storage: Where the segment lies.
        group: The consistency group.
        base: Where the whole history begins.
        standing: What the history had come to before this segment.
        is_last: Whether it is the journal's last segment, the only one that may be torn.
    """

    def __init__(
        self, storage: Storage, group: int, base: Cursor, standing: Standing, *, is_last: bool
    ) -> None:
        self.history = History(group, base, standing)
        self.segment = Segment(
            segment_name(standing.cursor.sequence + 1), standing.cursor, standing
        )
        self.tail_cut: TailCut | None = None
        self._storage = storage
        self._group = group
        self._is_last = is_last
        self._incarnation = standing.incarnation
        self._is_begun = standing.incarnation is not None

    def run(self) -> None:
        """Read and check everything.

        Raises:
            JournalDamaged: With file, offset and sequence; also SegmentForeign, SegmentMisplaced.
        """
        name = self.segment.name
        data = self._storage.read(name, 0, self._storage.size(name))
        header = decode_segment_header(data)
        if header is None:
            self._cut_whole(data, "the header was never written")
            return
        self._check_header(header, data)
        if not self._is_begun:
            before = self.history.newest
            self.history.adopt(Cursor(header.epoch, before.sequence, before.chain))
        self.segment.begin(self.history.newest, header.incarnation)
        self._incarnation = header.incarnation
        self.segment.size = SEGMENT_HEADER_BYTES
        self._read_records(data)
        if self._is_begun and not self.segment.record_count:
            self._begin_anew(data)

    # --- the header -----------------------------------------------------------------------------

    def _check_header(self, header: SegmentHeader, data: bytes) -> None:
        newest = self.history.newest
        if header.group != self._group or (
            self._is_begun
            and (
                header.epoch != newest.epoch
                or (header.incarnation != self._incarnation and not self._resyncs(data))
            )
        ):
            raise self._foreign(header)
        if not self._is_begun and header.epoch <= newest.epoch and newest != genesis(newest.epoch):
            raise self._foreign(header)
        if header.first_sequence != newest.sequence + 1:
            raise SegmentMisplaced(
                f"The header says that this segment begins at sequence {header.first_sequence}",
                file=self.segment.name,
                sequence=newest.sequence + 1,
            )
        if header.chain_before != newest.chain:
            raise self.damaged(0, "the segment continues another chain")

    def _resyncs(self, data: bytes) -> bool:
        """Tell whether another capture may go on here: its first record says so, or is torn."""
        record = scan_record(memoryview(data), SEGMENT_HEADER_BYTES)
        if isinstance(record, ScannedRecord):
            return record.header.type == RecordType.RESYNC_BEGIN
        return self._is_last

    def _foreign(self, header: SegmentHeader) -> SegmentForeign:
        newest, known = self.history.newest, ""
        if self._is_begun:
            known = f", epoch {newest.epoch}, capture {self._incarnation:#x}"
        return SegmentForeign(
            f"A segment of group {header.group}, epoch {header.epoch}, capture "
            f"{header.incarnation:#x}, in a journal of group {self._group}{known}",
            file=self.segment.name,
            sequence=newest.sequence + 1,
        )

    def _cut_whole(self, data: bytes, reason: str) -> None:
        """Begin a segment anew whose header never reached the disk."""
        # The header lies in one sector: a crash leaves all of it, zeros, or a file that ends in it.
        is_torn = len(data) < SEGMENT_HEADER_BYTES or not any(data[:SEGMENT_HEADER_BYTES])
        if not self._is_last or not is_torn:
            raise self.damaged(0, "the segment's header is damaged")
        self._cut_tail(data, 0, reason)

    def _begin_anew(self, data: bytes) -> None:
        """Begin a segment anew that another capture was about to begin: its first record is torn.

        Without records nothing says whose the next one will be.
        """
        standing = self.segment.standing()
        if self.segment.incarnation == standing.incarnation:
            return
        self._cut_tail(data, 0, "the first record of a capture is cut short")
        self.segment.size = 0
        self.segment.incarnation = standing.incarnation

    # --- records, marks and the footer ------------------------------------------------------------

    def _read_records(self, data: bytes) -> None:
        view, position = memoryview(data), SEGMENT_HEADER_BYTES
        while position < len(data):
            record = scan_record(view, position)
            if isinstance(record, ScannedRecord):
                self._accept(record, view)
                position = record.end
            elif mark := decode_mark(data[position : position + MARK_BYTES]):
                self._check_mark(mark, position)
                position += MARK_BYTES
            elif footer := decode_footer(data[position : position + FOOTER_BYTES]):
                self._check_footer(footer, position, len(data))
                return
            else:
                self._cut_tail(data, position, _what_is_wrong(record))
                return
        self._require_tail(position, "the segment was never sealed")

    def _accept(self, record: ScannedRecord, view: memoryview) -> None:
        # An undamaged record that does not fit its predecessors is no torn write: never cut.
        try:
            self.history.stage(record, view)
        except EngineError as error:
            self.history.discard()
            raise self.damaged(record.position, error.message) from error
        header, segment = record.header, self.segment
        for staged in self.history.commit():
            segment.rows.add(header, record.position, staged.text)
        begins = self.history.resync_incarnation
        if header.type == RecordType.RESYNC_BEGIN and begins != self._incarnation:
            raise self.damaged(record.position, f"the header does not name capture {begins:#x}")
        segment.digest.add(view[record.position : record.position + HEADER_BYTES])
        segment.grow(
            self.history.newest, 1, record.end - record.position, HEADER_BYTES + header.raw_length
        )

    def _check_mark(self, mark: SyncedMark, position: int) -> None:
        """Check an undamaged mark against the records before it; no torn write makes it wrong."""
        segment, sequence = self.segment, mark.cursor.sequence
        owner = (mark.group, mark.incarnation, mark.position)
        if owner != (self._group, self._incarnation, position):
            raise self.damaged(position, "a mark that was written elsewhere")
        if sequence > self.history.newest.sequence:
            raise self.damaged(position, f"records are missing, {sequence} was synced before this")
        is_true = (
            sequence >= segment.first_sequence
            and segment.chain(sequence) == mark.cursor.chain
            and segment.last.epoch == mark.cursor.epoch
            and segment.marked_bytes < mark.synced_bytes <= position
        )
        if not is_true:
            raise self.damaged(position, "a mark of other records than these")
        segment.add_mark(mark.synced_bytes)

    def _check_footer(self, footer: SegmentFooter, position: int, size: int) -> None:
        segment = self.segment
        expected = SegmentFooter(
            self._group,
            segment.last.sequence,
            segment.record_count,
            segment.record_bytes,
            segment.last.chain,
            segment.digest.value(),
        )
        if footer != expected:
            raise self.damaged(position, "the footer seals other records")
        if size != position + FOOTER_BYTES:
            raise self.damaged(position, "bytes follow the footer")
        segment.is_sealed = True
        segment.size = size

    # --- the tail ---------------------------------------------------------------------------------

    def _cut_tail(self, data: bytes, position: int, reason: str) -> None:
        """Cut the last segment at a torn write; refuse where none can have been."""
        self._require_tail(position, reason)
        self._require_unmarked(data, position, reason)
        if (size := len(data)) > position:
            sequence = self.history.newest.sequence
            name = self.segment.name
            self.tail_cut = TailCut(name, position, size - position, sequence, reason)

    def _require_unmarked(self, data: bytes, position: int, reason: str) -> None:
        """Check that no mark behind the damage says that the damaged bytes were synced.

        The marks before it cannot: a mark vouches for less than its own position.
        """
        incarnation = self._incarnation if self.segment.size else None
        mark = newest_mark(data, position, group=self._group, incarnation=incarnation)
        if mark is not None and mark.synced_bytes > position:
            raise self.damaged(
                position,
                f"{reason}; the mark at offset {mark.position} says that everything before "
                f"offset {mark.synced_bytes}, up to sequence {mark.cursor.sequence}, was synced",
            )

    def _require_tail(self, position: int, what: str) -> None:
        if not self._is_last:
            raise self.damaged(position, what)

    def damaged(self, position: int, what: str) -> JournalDamaged:
        """Return the refusal of something at a position of the file."""
        return JournalDamaged(
            f"Damage that no torn write explains: {what}",
            file=self.segment.name,
            offset=position,
            sequence=self.history.newest.sequence + 1,
        )


def _what_is_wrong(record: RecordTorn | DamagedRecord) -> str:
    if isinstance(record, RecordTorn):
        return "a record is cut short"
    return f"a record's {record.field} does not fit its bytes"
