"""What the journal's records say, without their bodies.

The open segment's rows are in memory, those of sealed ones on disk, read through a small cache.

Memory: a few hundred bytes per segment, the rows of the open one, and the cache.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from operator import attrgetter

from engine.basics.errors import PointRefused
from engine.contract.storage import Storage
from engine.formats.index_files import Event, FileRow
from engine.formats.manifest import Manifest, SegmentEntry
from engine.formats.records import RecordType
from engine.formats.standings import Standing
from engine.history.extents import ExtentMap
from engine.history.gaps import CLOSING, OPENING, Gap, Gaps
from engine.history.index import TAGS, IndexRow, Tag, tag_of
from engine.history.packed_extents import PackedExtents
from engine.history.sealing import names_after
from engine.journal.sealed_rows import IndexBuilder, SealedRows
from engine.journal.section_cache import SectionCache
from engine.journal.segment import Segment

Part = Segment | SealedRows
_NEVER = 1 << 64
_SEQUENCE = attrgetter("sequence")


class Catalogue:
    """The segments in order, and what their records say.

    Args:
        storage: Where the index files lie.
        manifest: The sealed segments.
        cache_bytes_max: What of index files may be kept in memory.
        build: Builds an index file again that cannot be trusted.
    """

    def __init__(
        self, storage: Storage, manifest: Manifest, cache_bytes_max: int, build: IndexBuilder
    ) -> None:
        self.cache = SectionCache(cache_bytes_max)
        self._storage = storage
        self._build = build
        self._base_sequence = manifest.base.cursor.sequence
        self._parts: list[Part] = [self._sealed(entry) for entry in manifest.segments]
        #: The sequence before each part, which never changes: found in without a look at the parts.
        self._befores = [part.before.sequence for part in self._parts]
        self.gaps = Gaps()
        self._find_gaps(manifest)

    @property
    def parts(self) -> Sequence[Part]:
        """Return the segments, oldest first; they have `name`, `before`, `last`, `is_sealed`."""
        return self._parts

    @property
    def first_sequence(self) -> int:
        """Return the oldest sequence that the journal has or, while it is empty, will have."""
        return self._parts[0].first_sequence if self._parts else self._base_sequence + 1

    @property
    def last_sequence(self) -> int:
        """Return the newest sequence, `first_sequence - 1` when there is none."""
        return self._parts[-1].last.sequence if self._parts else self._base_sequence

    def part_of(self, sequence: int) -> Part:
        """Return the segment that holds a record."""
        at = self._at(sequence)
        assert at < len(self._parts), f"no record {sequence} in the journal"
        if sequence < self._parts[at].first_sequence:
            raise PointRefused(f"The record of sequence {sequence} was compacted away")
        return self._parts[at]

    def holds(self, sequence: int) -> bool:
        """Tell whether the record of this sequence is there, not compacted and not yet to come."""
        at = self._at(sequence)
        return at < len(self._parts) and self._parts[at].first_sequence <= sequence

    def row(self, sequence: int) -> IndexRow:
        """Return the row of a record."""
        return self.part_of(sequence).row(sequence)

    def chain(self, sequence: int) -> int:
        """Return a record's chain."""
        return self.part_of(sequence).chain(sequence)

    def source_time_ns(self, sequence: int) -> int:
        """Return a record's source time."""
        return self.part_of(sequence).source_time_ns(sequence)

    def newest_at(self, time_ns: int, last: int) -> int:
        """Return the newest sequence up to `last` whose source time is not after `time_ns`.

        Returns:
            The sequence; the one before the journal's first where there is none.
        """
        at = bisect_right(self._parts, time_ns, key=_first_time_ns)
        if not at:
            return self.first_sequence - 1
        return min(self._parts[at - 1].newest_at(time_ns), last)

    # --- records of the rarer kinds -------------------------------------------------------------

    def events(
        self, kinds: Collection[int], *, first: int = 0, last: int | None = None
    ) -> Iterator[Event]:
        """Yield the records of some rarer kinds with sequences of first..last, oldest first."""
        last = self.last_sequence if last is None else last
        for at in range(self._at(first), len(self._parts)):
            part = self._parts[at]
            if part.first_sequence > last:
                return
            if not _may_have(part, kinds):
                continue
            events = part.events()
            # Whoever follows a journal asks for the newest few: the others are not looked at.
            for index in range(bisect_left(events, first, key=_SEQUENCE), len(events)):
                event = events[index]
                if event.sequence > last:
                    return
                if event.kind in kinds:
                    yield event

    def events_backwards(self, kinds: Collection[int], last: int) -> Iterator[Event]:
        """Yield the records of some rarer kinds up to `last`, newest first."""
        for at in range(min(self._at(last), len(self._parts) - 1), -1, -1):
            part = self._parts[at]
            if not _may_have(part, kinds):
                continue
            for event in reversed(part.events()):
                if event.kind in kinds and event.sequence <= last:
                    yield event

    @property
    def tags(self) -> Iterator[Tag]:
        """Yield all tags, and what became of them, oldest first."""
        return (tag_of(event) for event in self.events(TAGS))

    def tags_after(self, sequence: int) -> Iterator[Tag]:
        """Yield the tags, and what became of them, after a sequence."""
        return (tag_of(event) for event in self.events(TAGS, first=sequence + 1))

    def tag(self, sequence: int) -> Tag:
        """Return the tag record of this sequence, which must be one."""
        events = self.part_of(sequence).events()
        at = bisect_left(events, sequence, key=attrgetter("sequence"))
        assert events[at].sequence == sequence, f"record {sequence} is no tag"
        assert events[at].kind in TAGS, f"record {sequence} is no tag"
        return tag_of(events[at])

    def gap_at(self, sequence: int) -> Gap | None:
        """Return the gap that a sequence lies in, None where it lies in none."""
        return self.gaps.at(sequence)

    # --- files ----------------------------------------------------------------------------------

    def names_at(self, sequence: int) -> dict[int, str]:
        """Return which file id has which name after a record, or before the first one."""
        part = self._part_at(sequence)
        if part is None:
            return {}
        return names_after(part.standing(), part.events(), sequence)

    def touched_files(self, low: int, high: int) -> list[int]:
        """Return the ids of the files that records of (low, high], of one segment, touch."""
        return self.part_of(high).touched_files(low, high)

    def extents(self, file: int, low: int, high: int) -> ExtentMap | PackedExtents:
        """Return what the records of (low, high], of one segment, do to a file."""
        return self.part_of(high).extents(file, low, high)

    def shape(self, file: int, low: int, high: int) -> ExtentMap | FileRow | None:
        """Return `cut` and `size` of what `extents` would; None where the file is not touched."""
        return self.part_of(high).shape(file, low, high)

    def size_at(self, file: int, sequence: int) -> int:
        """Return the size of a file that lives at a record."""
        part = self.part_of(sequence)
        return self.size_over(file, sequence, part.shape(file, part.first_sequence - 1, sequence))

    def size_over(self, file: int, sequence: int, shape: ExtentMap | FileRow | None) -> int:
        """Return what `size_at` does, given what its segment up to there did to the file."""
        size_before = self.part_of(sequence).sizes_before().get(file, 0)
        if shape is None:
            return size_before
        return max(shape.size, size_before) if shape.cut is None else shape.size

    def standing_at(self, sequence: int) -> Standing | None:
        """Return what the history had come to at a record; None before the first segment."""
        part = self._part_at(sequence)
        return None if part is None else part.standing_at(sequence)

    # --- how it grows ---------------------------------------------------------------------------

    def begin(self, segment: Segment) -> None:
        """Add a new open segment."""
        self._parts.append(segment)
        self._befores.append(segment.before.sequence)

    def note(self, kind: int, sequence: int) -> None:
        """Note a record that the open segment's rows have taken in."""
        self.gaps.note(kind, sequence)

    def release(self, entry: SegmentEntry) -> None:
        """Give up the rows of a sealed segment: its index file is durable and named."""
        at = self._at(entry.last.sequence)
        if at < len(self._parts) and self._parts[at].name == entry.name:
            self._parts[at] = self._sealed(entry)

    def drop(self, names: Collection[str]) -> None:
        """Forget segments that the manifest no longer names."""
        self._parts = [part for part in self._parts if part.name not in names]
        self._befores = [part.before.sequence for part in self._parts]

    def trust(self, first_sequence: int) -> None:
        """Read an index file again that was written anew."""
        self.cache.forget(first_sequence)
        for part in self._parts:
            if isinstance(part, SealedRows) and part.first_sequence == first_sequence:
                part.is_damaged = False

    def _sealed(self, entry: SegmentEntry) -> SealedRows:
        return SealedRows(self._storage, entry, self.cache, self._build)

    def _at(self, sequence: int) -> int:
        """Return the number of the first part that does not end before a sequence."""
        at = max(bisect_left(self._befores, sequence) - 1, 0)
        is_past = at < len(self._parts) and self._parts[at].last.sequence < sequence
        return at + 1 if is_past else at

    def _part_at(self, sequence: int) -> Part | None:
        """Return the segment that holds a record, or that begins right after it."""
        if self.holds(sequence):
            return self.part_of(sequence)
        at = self._at(sequence + 1)
        if at < len(self._parts) and self._parts[at].first_sequence == sequence + 1:
            return self._parts[at]
        return None

    def _find_gaps(self, manifest: Manifest) -> None:
        """Find the gaps of the sealed segments; one may have begun before the oldest of them."""
        standings = {standing.cursor.sequence: standing for standing in manifest.standings}
        for part in self._parts:
            standing = standings.get(part.before.sequence)
            if standing is not None and standing.gap_opened:
                kind = RecordType.RESYNC_BEGIN if standing.is_resync else RecordType.GAP_OPEN
                self.gaps.note(kind, standing.gap_opened)
            if _may_have(part, (*OPENING, *CLOSING)):
                for event in part.events():
                    self.gaps.note(event.kind, event.sequence)


def _first_time_ns(part: Part) -> int:
    if isinstance(part, SealedRows):
        return part.entry.first_time_ns
    return part.rows.times_ns[0] if part.rows else _NEVER


def _may_have(part: Part, kinds: Collection[int]) -> bool:
    if isinstance(part, SealedRows):
        return any(kind in kinds for kind, _ in part.entry.event_counts)
    return True
