"""The index of one segment's records in memory: a row per record, in columns of machine integers.

A row takes some 40 bytes, so a million records cost what a few thousand objects would. Rows exist
for received records too, durable or not; whoever plans a recovery asks the journal what is durable.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from engine.formats.index_files import Event
from engine.formats.records import FLAG_PENDING, RecordHeader, RecordType
from engine.history.extents import ExtentMap

#: Kinds that are looked for as such; the others are rows only.
TAGS = (
    RecordType.TAG_CRASH,
    RecordType.TAG_APP,
    RecordType.TAG_COMMIT,
    RecordType.TAG_REVOKE,
)
NAMING = (RecordType.CREATE, RecordType.RENAME, RecordType.DELETE)
_SHAPING = (RecordType.WRITE, RecordType.TRUNCATE)
_FREQUENT = frozenset({*_SHAPING, RecordType.FLUSH, RecordType.TIME})


class IndexRow(NamedTuple):
    """Where a record lies in its segment's file and what it says, without its body."""

    sequence: int
    kind: int
    file: int
    source_time_ns: int
    offset: int
    raw_length: int
    position: int
    chain: int


class Tag(NamedTuple):
    """A tag record with its label, or a TAG_COMMIT or TAG_REVOKE of the tag that it `names`."""

    sequence: int
    kind: int
    source_time_ns: int
    label: str
    is_pending: bool = False
    names: int = 0


def tag_of(event: Event) -> Tag:
    """Return the tag that an event is."""
    return Tag(
        event.sequence,
        event.kind,
        event.source_time_ns,
        event.text,
        bool(event.flags & FLAG_PENDING),
        event.offset,
    )


class Index:
    """The rows of one segment, from `first_sequence` on, without holes."""

    def __init__(self, first_sequence: int = 1) -> None:
        self.first_sequence = first_sequence
        #: Every record of the rarer kinds, with its text.
        self.events: list[Event] = []
        self.kinds = array("B")
        self.files = array("I")
        self.times_ns = array("Q")
        self.offsets = array("Q")
        self.raw_lengths = array("I")
        self.positions = array("Q")
        self.chains = array("I")
        self._by_file: dict[int, array[int]] = {}
        self._created: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.kinds)

    @classmethod
    def of_columns(
        cls, first_sequence: int, columns: "Iterable[array[int]]", events: list[Event]
    ) -> "Index":
        """Return the index of columns in the order of the attributes, as an index file has them."""
        index = cls(first_sequence)
        index.events = events
        (
            index.kinds,
            index.files,
            index.times_ns,
            index.offsets,
            index.raw_lengths,
            index.positions,
            index.chains,
        ) = columns
        for event in events:
            if event.kind == RecordType.CREATE:
                index._created[event.file] = event.sequence
        for at, kind in enumerate(index.kinds):
            if kind in _SHAPING:
                by_file = index._by_file.setdefault(index.files[at], array("Q"))
                by_file.append(first_sequence + at)
        return index

    @property
    def last_sequence(self) -> int:
        """Return the newest sequence, `first_sequence - 1` when there is none."""
        return self.first_sequence + len(self.kinds) - 1

    def add(self, header: RecordHeader, position: int, text: str) -> None:
        """Add the next record; `text` is the name or label in its body, if it has one."""
        assert header.sequence == self.last_sequence + 1, "the index has no holes"
        kind = header.type
        self.kinds.append(kind)
        self.files.append(header.file)
        self.times_ns.append(header.source_time_ns)
        self.offsets.append(header.offset)
        self.raw_lengths.append(header.raw_length)
        self.positions.append(position)
        self.chains.append(header.chain)
        if kind in _SHAPING:
            self._by_file.setdefault(header.file, array("Q")).append(header.sequence)
        if kind not in _FREQUENT:
            if kind == RecordType.CREATE:
                self._created[header.file] = header.sequence
            self.events.append(
                Event(
                    header.sequence,
                    header.source_time_ns,
                    header.offset,
                    header.file,
                    kind,
                    header.flags,
                    text,
                )
            )

    def row(self, sequence: int) -> IndexRow:
        """Return the row of a record that is in the index."""
        at = self._at(sequence)
        return IndexRow(
            sequence,
            self.kinds[at],
            self.files[at],
            self.times_ns[at],
            self.offsets[at],
            self.raw_lengths[at],
            self.positions[at],
            self.chains[at],
        )

    def source_time_ns(self, sequence: int) -> int:
        """Return a record's source time."""
        return self.times_ns[self._at(sequence)]

    def chain(self, sequence: int) -> int:
        """Return a record's chain."""
        return self.chains[self._at(sequence)]

    def place(self, sequence: int, records_end: int) -> tuple[int, int, int]:
        """Return where a record lies, where the next one or `records_end` is, and its chain."""
        at = self._at(sequence)
        is_last = at + 1 == len(self.positions)
        stop = records_end if is_last else self.positions[at + 1]
        return self.positions[at], stop, self.chains[at]

    def newest_at(self, time_ns: int) -> int:
        """Return the newest sequence not after `time_ns`, `first_sequence - 1` for none."""
        return self.first_sequence - 1 + bisect_right(self.times_ns, time_ns)

    def touched_files(self, low: int, high: int) -> list[int]:
        """Return the ids of the files that records of (low, high] shape or begin, ascending."""
        found = {
            file
            for file, sequences in self._by_file.items()
            if bisect_right(sequences, low) < bisect_right(sequences, high)
        }
        found |= {file for file, sequence in self._created.items() if low < sequence <= high}
        return sorted(found)

    def extents(self, file: int, low: int, high: int) -> ExtentMap:
        """Return what the records of (low, high] do to a file."""
        extents = ExtentMap()
        if low < self._created.get(file, 0) <= high:
            extents.create()
        sequences = self._by_file.get(file, ())
        for at in range(bisect_right(sequences, low), bisect_right(sequences, high)):
            self._lay(extents, sequences[at])
        return extents

    def _lay(self, extents: ExtentMap, sequence: int) -> None:
        at = sequence - self.first_sequence
        if self.kinds[at] == RecordType.WRITE:
            extents.write(self.offsets[at], self.raw_lengths[at], sequence)
        else:
            extents.truncate(self.offsets[at])

    def _at(self, sequence: int) -> int:
        at = sequence - self.first_sequence
        assert 0 <= at < len(self.kinds), f"no record {sequence} in the index"
        return at
