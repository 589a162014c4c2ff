"""One segment as the journal knows it, and the careful reading of its bytes."""

from engine.basics.cursor import Cursor
from engine.basics.errors import JournalDamaged, RecordDamaged
from engine.basics.payload import Segments
from engine.contract.storage import Storage
from engine.formats.bodies import decode_body
from engine.formats.marks import MARK_BYTES
from engine.formats.records import HEADER_BYTES, ScannedRecord, scan_record
from engine.formats.segments import SEGMENT_HEADER_BYTES, SegmentDigest
from engine.history.index import IndexRow


class Segment:
    """A segment's place in the history and its fill.

    Args:
        name: The file's name.
        before: The cursor just before its first record.
    """

    __slots__ = (
        "before",
        "digest",
        "is_sealed",
        "last",
        "marked_bytes",
        "name",
        "raw_bytes",
        "record_bytes",
        "record_count",
        "records_end",
        "size",
        "synced_bytes",
    )

    def __init__(self, name: str, before: Cursor) -> None:
        self.name = name
        self.before = before
        self.last = before
        #: Bytes of the file once all actions so far are carried out; 0 without a header.
        self.size = 0
        #: The offset in the file after the last record.
        self.records_end = SEGMENT_HEADER_BYTES
        #: How much of the file a completed sync of this journal has made durable.
        self.synced_bytes = 0
        #: How much of the file its newest mark says was synced.
        self.marked_bytes = 0
        self.raw_bytes = 0
        self.record_bytes = 0
        self.record_count = 0
        self.is_sealed = False
        self.digest = SegmentDigest()

    @property
    def first_sequence(self) -> int:
        """Return the sequence of the first record, there already or yet to come."""
        return self.before.sequence + 1

    def grow(self, last: Cursor, count: int, record_bytes: int, raw_bytes: int) -> None:
        """Note that `count` records were appended."""
        self.last = last
        self.record_count += count
        self.record_bytes += record_bytes
        self.raw_bytes += raw_bytes
        self.size += record_bytes
        self.records_end = self.size

    def add_mark(self, marked_bytes: int) -> None:
        """Note that a mark was appended, saying that so many bytes were synced before it."""
        assert self.marked_bytes < marked_bytes <= self.size, "each mark says more than the last"
        self.marked_bytes = marked_bytes
        self.size += MARK_BYTES


def read_payload(storage: Storage, name: str, row: IndexRow, end: int) -> Segments:
    """Read the record of an index row and return its payload, every checksum checked again.

    Raises:
        JournalDamaged: The bytes are not the record that was accepted here.
    """
    data = storage.read(name, row.position, end - row.position)
    record = scan_record(memoryview(data), 0)
    if not isinstance(record, ScannedRecord):
        raise _damaged(name, row, "is unreadable")
    header = record.header
    if header.sequence != row.sequence or header.chain != row.chain:
        raise _damaged(name, row, f"was replaced by record {header.sequence}")
    try:
        return decode_body(header, data[HEADER_BYTES : HEADER_BYTES + header.stored_length])
    except RecordDamaged as error:
        raise _damaged(name, row, error.message) from error


def _damaged(name: str, row: IndexRow, what: str) -> JournalDamaged:
    return JournalDamaged(
        f"Record {row.sequence} {what}", file=name, offset=row.position, sequence=row.sequence
    )
