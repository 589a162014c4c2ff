"""The journal's index in memory: one row per record, in columns of machine integers.

A row takes 38 bytes, so a million records cost what a few thousand objects would. Rows exist for
received records too, durable or not; whoever plans a recovery asks the journal what is durable.
"""

from array import array
from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import NamedTuple

from engine.formats.records import FLAG_PENDING, RecordHeader, RecordType
from engine.history.gaps import CLOSING, OPENING, Gap

_NAMING_A_TAG = (RecordType.TAG_COMMIT, RecordType.TAG_REVOKE)
_TAGS = (RecordType.TAG_CRASH, RecordType.TAG_APP, *_NAMING_A_TAG)
_NAMING = (RecordType.CREATE, RecordType.RENAME, RecordType.DELETE)
_SHAPING = (RecordType.WRITE, RecordType.TRUNCATE)


class IndexRow(NamedTuple):
    """Where a record lies and what it says, without its body."""

    sequence: int
    kind: int
    file: int
    source_time_ns: int
    offset: int
    raw_length: int
    segment: int
    position: int
    chain: int


class Naming(NamedTuple):
    """A CREATE, RENAME or DELETE; `name` is the new one, '' for a DELETE."""

    sequence: int
    kind: int
    file: int
    name: str


class Tag(NamedTuple):
    """A tag record with its label, or a TAG_COMMIT or TAG_REVOKE of the tag that it `names`."""

    sequence: int
    kind: int
    source_time_ns: int
    label: str
    is_pending: bool = False
    names: int = 0


class Index:
    """All rows from `first_sequence` on, without holes."""

    def __init__(self, first_sequence: int = 1) -> None:
        self.first_sequence = first_sequence
        self.namings: list[Naming] = []
        self.tags: list[Tag] = []
        #: Gaps, oldest first; the last one may be open.
        self.gaps: list[Gap] = []
        self._kinds = bytearray()
        self._files = array("I")
        self._times_ns = array("Q")
        self._offsets = array("Q")
        self._raw_lengths = array("I")
        self._segments = array("I")
        self._positions = array("Q")
        self._chains = array("I")
        self._by_file: dict[int, array[int]] = {}

    def __len__(self) -> int:
        return len(self._kinds)

    @property
    def last_sequence(self) -> int:
        """Return the newest sequence, `first_sequence - 1` when there is none."""
        return self.first_sequence + len(self._kinds) - 1

    def add(self, header: RecordHeader, segment: int, position: int, text: str) -> None:
        """Add the next record; `text` is the name or label in its body, if it has one."""
        assert header.sequence == self.last_sequence + 1, "the index has no holes"
        kind = header.type
        self._kinds.append(kind)
        self._files.append(header.file)
        self._times_ns.append(header.source_time_ns)
        self._offsets.append(header.offset)
        self._raw_lengths.append(header.raw_length)
        self._segments.append(segment)
        self._positions.append(position)
        self._chains.append(header.chain)
        if kind in _SHAPING:
            self._by_file.setdefault(header.file, array("Q")).append(header.sequence)
        elif kind in _NAMING:
            self.namings.append(Naming(header.sequence, kind, header.file, text))
        elif kind in _TAGS:
            self.tags.append(_tag_of(header, text))
        elif kind in OPENING:
            if not self.gaps or self.gaps[-1].closed is not None:
                self.gaps.append(Gap(header.sequence, kind))
        elif kind in CLOSING:
            self.gaps[-1] = self.gaps[-1]._replace(closed=header.sequence)

    def row(self, sequence: int) -> IndexRow:
        """Return the row of a record that is in the index."""
        at = self._at(sequence)
        return IndexRow(
            sequence,
            self._kinds[at],
            self._files[at],
            self._times_ns[at],
            self._offsets[at],
            self._raw_lengths[at],
            self._segments[at],
            self._positions[at],
            self._chains[at],
        )

    def tag(self, sequence: int) -> Tag:
        """Return the tag record of this sequence, which must be one."""
        at = bisect_left(self.tags, sequence, key=attrgetter("sequence"))
        assert self.tags[at].sequence == sequence, f"record {sequence} is no tag"
        return self.tags[at]

    def gap_at(self, sequence: int) -> Gap | None:
        """Return the gap that a sequence lies in, None where it lies in none."""
        at = bisect_right(self.gaps, sequence, key=attrgetter("opened"))
        if not at or not self.gaps[at - 1].has(sequence):
            return None
        return self.gaps[at - 1]

    def source_time_ns(self, sequence: int) -> int:
        """Return a record's source time."""
        return self._times_ns[self._at(sequence)]

    def chain(self, sequence: int) -> int:
        """Return a record's chain."""
        return self._chains[self._at(sequence)]

    def times_ns(self) -> "array[int]":
        """Return the column of source times, which never decrease (for bisection)."""
        return self._times_ns

    def shaping(self, file: int) -> "array[int]":
        """Return the sequences of a file's writes and truncates, ascending."""
        return self._by_file.get(file, array("Q"))

    def _at(self, sequence: int) -> int:
        at = sequence - self.first_sequence
        assert 0 <= at < len(self._kinds), f"no record {sequence} in the index"
        return at


def _tag_of(header: RecordHeader, label: str) -> Tag:
    return Tag(
        header.sequence,
        header.type,
        header.source_time_ns,
        label,
        is_pending=bool(header.flags & FLAG_PENDING),
        names=header.offset if header.type in _NAMING_A_TAG else 0,
    )
