"""A segment whose rows are in memory: the open one, or one whose index file is being written."""

from collections.abc import Mapping

from engine.basics.cursor import Cursor
from engine.formats.index_files import Event
from engine.formats.marks import MARK_BYTES
from engine.formats.segments import SEGMENT_HEADER_BYTES, SegmentDigest
from engine.formats.standings import Standing
from engine.history.extents import ExtentMap
from engine.history.index import Index, IndexRow
from engine.history.sealing import shapes_of, standing_after


class Segment:
    """A segment's place in the history, its fill, and its rows.

    Args:
        name: The file's name.
        before: The cursor just before its first record.
        standing: What the history had come to there.
    """

    __slots__ = (
        "_sizes",
        "_standing",
        "before",
        "digest",
        "incarnation",
        "is_sealed",
        "last",
        "marked_bytes",
        "name",
        "raw_bytes",
        "record_bytes",
        "record_count",
        "records_end",
        "rows",
        "size",
        "synced_bytes",
    )

    def __init__(self, name: str, before: Cursor, standing: Standing) -> None:
        self.name = name
        self.before = before
        self.last = before
        self.rows = Index(before.sequence + 1)
        #: Which capture's records it holds.
        self.incarnation = standing.incarnation
        self._standing = standing
        self._sizes: dict[int, int] | None = None
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

    def begin(self, before: Cursor, incarnation: int) -> None:
        """Note whose records it is going to hold, before the first one."""
        assert not self.record_count, "a segment has one beginning"
        self.before = self.last = before
        self.incarnation = incarnation
        if not before.sequence:  # only now is it known in which epoch all begins
            self._standing = self._standing._replace(cursor=before)

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

    # --- reading; the same methods as `engine.journal.sealed_rows.SealedRows` -------------------

    def standing(self) -> Standing:
        """Return what the history had come to before the segment."""
        return self._standing

    def sizes_before(self) -> Mapping[int, int]:
        """Return the sizes of the files that lived before the segment, by id."""
        if self._sizes is None:
            self._sizes = {file: size for file, _, size in self._standing.files}
        return self._sizes

    def standing_at(self, sequence: int) -> Standing:
        """Return what the history had come to at a record of the segment, or just before it."""
        if sequence < self.first_sequence:
            return self._standing
        cursor = Cursor(self.last.epoch, sequence, self.chain(sequence))
        return standing_after(
            self._standing,
            self.rows.events,
            cursor,
            self.source_time_ns(sequence),
            self.incarnation,
            shapes_of(self.rows, sequence),
        )

    def index(self) -> Index:
        """Return all rows."""
        return self.rows

    def events(self) -> list[Event]:
        """Return the records of the rarer kinds."""
        return self.rows.events

    def row(self, sequence: int) -> IndexRow:
        """Return the row of one of its records."""
        return self.rows.row(sequence)

    def source_time_ns(self, sequence: int) -> int:
        """Return a record's source time."""
        return self.rows.source_time_ns(sequence)

    def chain(self, sequence: int) -> int:
        """Return a record's chain."""
        return self.rows.chain(sequence)

    def place(self, sequence: int) -> tuple[int, int, int]:
        """Return where a record lies, where the next one does or the records end, and its chain."""
        return self.rows.place(sequence, self.records_end)

    def newest_at(self, time_ns: int) -> int:
        """Return the newest sequence not after `time_ns`, `first_sequence - 1` for none."""
        return self.rows.newest_at(time_ns)

    def touched_files(self, low: int, high: int) -> list[int]:
        """Return the ids of the files that records of (low, high] shape or begin, ascending."""
        return self.rows.touched_files(low, high)

    def shape(self, file: int, low: int, high: int) -> ExtentMap | None:
        """Return what `extents` does; None where the file is not touched."""
        extents = self.extents(file, low, high)
        return extents if extents.size or extents.cut is not None else None

    def extents(self, file: int, low: int, high: int) -> ExtentMap:
        """Return what the records of (low, high] do to a file."""
        return self.rows.extents(file, low, high)
