"""The rows of a sealed segment, read from its index file as far as they are wanted.

Fault model. Anything in the index file may rot, or the whole file be another's or gone. Promised:
what is returned was checked against the crc of its section, and the head that holds these against
the digest in the manifest. What cannot be trusted is built again from the segment, once, and told:
see `IndexBuilder`.
"""

from array import array
from collections.abc import Callable, Mapping
from typing import TypeVar

from isal.isal_zlib import crc32

from engine.basics.cursor import Cursor
from engine.contract.storage import Storage
from engine.formats.index_files import (
    EXTENTS,
    INDEX_HEAD_BYTES,
    PLACES,
    SHAPES,
    TIMES,
    Event,
    FileRow,
    IndexHead,
    Section,
    decode_index_head,
    index_digest,
    unpack_columns,
    unpack_events,
    unpack_files,
)
from engine.formats.manifest import SegmentEntry
from engine.formats.segments import FOOTER_BYTES
from engine.formats.standings import Standing, decode_standing
from engine.history.extents import ExtentMap
from engine.history.index import Index, IndexRow
from engine.history.packed_extents import PackedExtents
from engine.history.sealing import shapes_of, standing_after
from engine.journal.section_cache import SectionCache

_Value = TypeVar("_Value")
#: What an object costs in memory beside its bytes, roughly.
_OBJECT_BYTES = 200
#: Keys in the cache beside the sections' own numbers.
_HEAD, _ROWS, _REBUILT, _SIZES = -1, -2, -3, -4

IndexBuilder = Callable[[SegmentEntry, str], bytes]


class _IndexDamaged(Exception):  # noqa: N818 - it says what was found
    """The index file is not what the manifest says."""


class SealedRows:
    """Reads one index file.

    Args:
        storage: Where it lies.
        entry: The segment, as the manifest names it.
        cache: What was last read of all index files.
        build: Builds the index file again; told of the entry and of what is wrong.
    """

    is_sealed = True

    def __init__(
        self, storage: Storage, entry: SegmentEntry, cache: SectionCache, build: IndexBuilder
    ) -> None:
        self.entry = entry
        self.first_sequence = entry.first_sequence
        self._storage = storage
        self._cache = cache
        self._build = build
        self.is_damaged = False

    @property
    def name(self) -> str:
        """Return the name of the segment's file."""
        return self.entry.name

    @property
    def before(self) -> Cursor:
        """Return the cursor just before the first record."""
        return self.entry.before

    @property
    def last(self) -> Cursor:
        """Return the cursor of the last record."""
        return self.entry.last

    def standing(self) -> Standing:
        """Return what the history had come to before the segment."""
        return self._section(Section.STANDING, decode_standing, _OBJECT_BYTES)

    def sizes_before(self) -> Mapping[int, int]:
        """Return the sizes of the files that lived before the segment, by id."""

        def load() -> tuple[dict[int, int], int]:
            files = self.standing().files
            return {file: size for file, _, size in files}, len(files) * _OBJECT_BYTES

        return self._cache.get((self.first_sequence, _SIZES), load)

    def standing_at(self, sequence: int) -> Standing:
        """Return what the history had come to at a record of the segment, or just before it."""
        before, entry = self.standing(), self.entry
        if sequence < self.first_sequence:
            return before
        if sequence == entry.last.sequence:
            cursor, time_ns = entry.last, entry.last_time_ns
            shapes: Mapping[int, FileRow | ExtentMap] = self.files()
        else:
            cursor = Cursor(entry.last.epoch, sequence, self.chain(sequence))
            time_ns, shapes = self.source_time_ns(sequence), shapes_of(self.index(), sequence)
        events = self.events()
        return standing_after(before, events, cursor, time_ns, entry.incarnation, shapes)

    def events(self) -> list[Event]:
        """Return the records of the rarer kinds."""
        return self._section(Section.EVENTS, unpack_events, _OBJECT_BYTES)

    def files(self) -> dict[int, FileRow]:
        """Return what became of the files that the segment changed, by id, ascending."""
        return self._section(
            Section.FILES, lambda data: {row.file: row for row in unpack_files(data)}, _OBJECT_BYTES
        )

    def row(self, sequence: int) -> IndexRow:
        """Return the row of one of its records."""
        return self.index().row(sequence)

    def source_time_ns(self, sequence: int) -> int:
        """Return a record's source time."""
        return self._times()[sequence - self.first_sequence]

    def chain(self, sequence: int) -> int:
        """Return a record's chain."""
        if sequence == self.entry.last.sequence:
            return self.entry.last.chain
        return self._places()[1][sequence - self.first_sequence]

    def place(self, sequence: int) -> tuple[int, int, int]:
        """Return where a record lies, where the next one does or the records end, and its chain."""
        positions, chains = self._places()
        at = sequence - self.first_sequence
        is_last = at + 1 == len(positions)
        stop = self.entry.size - FOOTER_BYTES if is_last else positions[at + 1]
        return positions[at], stop, chains[at]

    def newest_at(self, time_ns: int) -> int:
        """Return the newest sequence not after `time_ns`, `first_sequence - 1` for none."""
        index = Index(self.first_sequence)
        index.times_ns = self._times()
        return index.newest_at(time_ns)

    def touched_files(self, low: int, high: int) -> list[int]:
        """Return the ids of the files that records of (low, high] shape or begin, ascending."""
        if self._is_all(low, high):
            return list(self.files())
        return self.index().touched_files(low, high)

    def shape(self, file: int, low: int, high: int) -> ExtentMap | FileRow | None:
        """Return `cut` and `size` of what `extents` does; None where the file is not touched."""
        if self._is_all(low, high):
            return self.files().get(file)
        extents = self.index().extents(file, low, high)
        return extents if extents.size or extents.cut is not None else None

    def extents(self, file: int, low: int, high: int) -> ExtentMap | PackedExtents:
        """Return what the records of (low, high] do to a file."""
        if not self._is_all(low, high):
            return self.index().extents(file, low, high)
        row = self.files().get(file)
        if row is None:
            return ExtentMap()
        key = (self.first_sequence, Section.EXTENTS, file)
        return self._cache.get(key, lambda: self._trusted(lambda: self._load_extents(row)))

    def index(self) -> Index:
        """Return all rows."""
        return self._cache.get(
            (self.first_sequence, _ROWS), lambda: self._trusted(self._load_index)
        )

    def _is_all(self, low: int, high: int) -> bool:
        return low < self.first_sequence and high >= self.entry.last.sequence

    # --- loading ------------------------------------------------------------------------------

    def _section(
        self, section: Section, decode: Callable[[bytes], _Value], object_bytes: int
    ) -> _Value:
        def load() -> tuple[_Value, int]:
            data = self._read(section)
            return decode(data), len(data) * 2 + object_bytes

        key = (self.first_sequence, int(section))
        return self._cache.get(key, lambda: self._trusted(load))

    def _trusted(self, load: Callable[[], tuple[_Value, int]]) -> tuple[_Value, int]:
        """Load; where the file cannot be trusted, build it again and load from that."""
        if not self.is_damaged:
            try:
                return load()
            except _IndexDamaged as damage:
                self.is_damaged = True
                self._cache.forget(self.first_sequence)
                self._rebuilt(str(damage))
        return load()

    def _rebuilt(self, reason: str = "its damage was found before") -> bytes:
        def build() -> tuple[bytes, int]:
            data = self._build(self.entry, reason)
            return data, len(data)

        return self._cache.get((self.first_sequence, _REBUILT), build)

    def _load_index(self) -> tuple[Index, int]:
        positions, chains = self._places()
        kinds, files, offsets, raw_lengths = unpack_columns(self._read(Section.SHAPES), SHAPES)
        columns = (kinds, files, self._times(), offsets, raw_lengths, positions, chains)
        index = Index.of_columns(self.first_sequence, columns, self.events())
        return index, len(index) * 40

    def _load_extents(self, row: FileRow) -> tuple[PackedExtents, int]:
        section = self._head().place(Section.EXTENTS)
        length = row.extents * sum(array(code).itemsize for code in EXTENTS)
        data = self._bytes(section.offset + row.offset, length)
        if len(data) != length or crc32(data) != row.crc:
            raise _IndexDamaged(f"the extents of file id {row.file} do not fit their checksum")
        columns = unpack_columns(data, EXTENTS)
        return PackedExtents(self.first_sequence, row.cut, row.size, *columns), length

    def _times(self) -> "array[int]":
        return self._section(Section.TIMES, lambda data: unpack_columns(data, TIMES)[0], 0)

    def _places(self) -> "list[array[int]]":
        return self._section(Section.PLACES, lambda data: unpack_columns(data, PLACES), 0)

    def _read(self, section: Section) -> bytes:
        place = self._head().place(section)
        data = self._bytes(place.offset, place.length)
        if len(data) != place.length or crc32(data) != place.crc:
            raise _IndexDamaged(f"its section {section.name} does not fit its checksum")
        return data

    def _head(self) -> IndexHead:
        return self._cache.get((self.first_sequence, _HEAD), self._load_head)

    def _load_head(self) -> tuple[IndexHead, int]:
        if not self.is_damaged and not self._storage.exists(self.entry.index_name):
            raise _IndexDamaged("it is gone")
        data = self._bytes(0, INDEX_HEAD_BYTES)
        head = decode_index_head(data)
        if head is None or index_digest(data) != self.entry.index_digest:
            raise _IndexDamaged("its head is not the one that the manifest names")
        return head, _OBJECT_BYTES * len(head.places)

    def _bytes(self, offset: int, length: int) -> bytes:
        if self.is_damaged:
            return self._rebuilt()[offset : offset + length]
        return self._storage.read(self.entry.index_name, offset, length)
