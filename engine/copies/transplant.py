"""Files of one copy from those of a sister: checked record by record before anything is written.

Two copies hold the same records, but not the same segment files: marks say when each synced, and
the borders of segments may differ. So a damaged segment is made anew out of the sister's records,
laid where the copy's own index says that they were. Layers are taken as they are, by their digest.
"""

from typing import NamedTuple

from engine.basics.cursor import Cursor
from engine.basics.errors import JournalDamaged, NoSister
from engine.formats.layers import LayerEntry
from engine.formats.manifest import SegmentEntry
from engine.formats.marks import MARK_BYTES, SyncedMark, encode_mark
from engine.formats.records import HEADER_BYTES, RecordHeader, ScannedRecord, scan_record
from engine.formats.segments import (
    FOOTER_BYTES,
    SegmentDigest,
    SegmentFooter,
    SegmentHeader,
    encode_footer,
    encode_segment_header,
)
from engine.journal.journal import Journal
from engine.layers.plan import LayerMap

_STEP_BYTES = 4 << 20


class Transplant(NamedTuple):
    """A file made whole, and how much of it came from the sister."""

    data: bytes
    bytes_from_sister: int


def record_of(journal: Journal, sequence: int) -> tuple[RecordHeader, bytes]:
    """Return a record of a journal as it was captured, its checksums checked again.

    Raises:
        JournalDamaged: The bytes are not the record that was accepted here.
        PointRefused: It was compacted away.
    """
    part = journal.index.part_of(sequence)
    position, stop, chain = part.place(sequence)
    data = journal.storage.read(part.name, position, stop - position)
    record = scan_record(memoryview(data), 0)
    if not isinstance(record, ScannedRecord) or record.header[-1] != chain:
        raise JournalDamaged(
            "A record is unreadable", file=part.name, offset=position, sequence=sequence
        )
    if record.header.sequence != sequence:
        raise JournalDamaged(
            "A record lies in the place of another",
            file=part.name,
            offset=position,
            sequence=sequence,
        )
    return record.header, data[: record.end]


def segment_from(journal: Journal, entry: SegmentEntry, sister: Journal) -> Transplant:
    """Return a sealed segment's file anew; only what is damaged comes from the sister.

    Raises:
        NoSister: The sister does not hold these records, or others.
        JournalDamaged: Both copies are damaged at the same record.
    """
    parts, digest, record_bytes, fetched = [_header(journal, entry)], SegmentDigest(), 0, 0
    size, last = len(parts[0]), entry.before
    for sequence in range(entry.first_sequence, entry.last.sequence + 1):
        marks = _marks(journal, entry, size, journal.index.row(sequence).position, last)
        try:
            header, record = record_of(journal, sequence)
        except JournalDamaged:
            header, record = _from_sister(journal, sequence, sister)
            fetched += len(record)
        digest.add(memoryview(record)[:HEADER_BYTES])
        parts += (marks, record)
        size += len(marks) + len(record)
        record_bytes += len(record)
        last = Cursor(header.epoch, sequence, header.chain)
    parts.append(_marks(journal, entry, size, entry.size - FOOTER_BYTES, last))
    if last != entry.last or digest.value() != entry.digest:
        raise NoSister(f"The records of {entry.name} are others than its digest says")
    count = entry.last.sequence - entry.before.sequence
    footer = SegmentFooter(
        journal.group, last.sequence, count, record_bytes, last.chain, digest.value()
    )
    data = b"".join((*parts, encode_footer(footer)))
    assert len(data) == entry.size, "each record lies where it lay"
    return Transplant(data, fetched)


def layer_from(entry: LayerEntry, sister: Journal) -> Transplant:
    """Return a layer's file as the sister has it.

    Raises:
        NoSister: The sister has no such layer.
        JournalDamaged: The sister's is damaged, too.
    """
    twin = next((other for other in sister.manifest.layers if other == entry), None)
    if twin is None:
        raise NoSister(f"The sister has no layer {entry.name!r} of this digest")
    verify_layer(sister, twin)
    data = sister.storage.read(twin.name, 0, twin.length)
    return Transplant(data, len(data))


def verify_layer(journal: Journal, entry: LayerEntry) -> None:
    """Read a layer of a journal whole and check it.

    Raises:
        JournalDamaged: It is not what was published.
    """
    for _ in LayerMap(journal).open(entry).verify(_STEP_BYTES):
        pass


def _from_sister(journal: Journal, sequence: int, sister: Journal) -> tuple[RecordHeader, bytes]:
    if sister.group != journal.group or not sister.index.holds(sequence):
        raise NoSister(f"The sister does not hold record {sequence} any more")
    header, record = record_of(sister, sequence)
    if header.chain != journal.index.chain(sequence):
        raise NoSister(f"At record {sequence} the sister has another history")
    return header, record


def _header(journal: Journal, entry: SegmentEntry) -> bytes:
    before = entry.before
    return encode_segment_header(
        SegmentHeader(
            journal.group, entry.last.epoch, entry.incarnation, entry.first_sequence, before.chain
        )
    )


def _marks(
    journal: Journal, entry: SegmentEntry, size: int, position: int, synced: Cursor
) -> bytes:
    """Return marks in the place of those that lay between two records; b"" where none did."""
    assert (position - size) % MARK_BYTES == 0, "between records there are marks only"
    return b"".join(
        encode_mark(SyncedMark(journal.group, entry.incarnation, at, at, synced))
        for at in range(size, position, MARK_BYTES)
    )
