"""The stream: gives each record its sequence, its time and its place in the chain."""

from typing import NamedTuple

from engine.basics.cursor import Cursor, genesis
from engine.basics.payload import Segments, length_of
from engine.formats.bodies import BodyEncoder
from engine.formats.control import encode_parent
from engine.formats.records import (
    HEADER_BYTES,
    RECORD_VERSION,
    RecordHeader,
    RecordType,
    ScannedRecord,
    parts_of_record,
    scan_record,
)
from engine.history.gaps import OpenGap, gap_after


class Draft(NamedTuple):
    """A record before the stream has given it its place: offsets and sizes in bytes."""

    kind: RecordType
    file: int = 0
    offset: int = 0
    payload: Segments = ()
    flags: int = 0


class PoolEntry(NamedTuple):
    """One record of the stream; `cost_bytes` is its raw length and its header.

    Its bytes are in parts: what the writer gave is kept, not copied.
    """

    parts: tuple[bytes, ...]
    cost_bytes: int
    chain: int
    source_time_ns: int
    kind: RecordType

    @property
    def record(self) -> bytes:
        """Return the record's bytes."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)

    @property
    def stored_bytes(self) -> int:
        """Return how many they are."""
        return sum(map(len, self.parts))


def entry_of(record: ScannedRecord, data: bytes) -> PoolEntry:
    """Return the entry of a record that was scanned in `data`."""
    header = record.header
    return PoolEntry(
        (data[record.position : record.end],),
        HEADER_BYTES + header.raw_length,
        header.chain,
        header.source_time_ns,
        RecordType(header.type),
    )


def entries_of(data: bytes) -> list[PoolEntry]:
    """Return the records that lie one after the other in bytes that are known to be undamaged."""
    entries, position, view = [], 0, memoryview(data)
    while position < len(data):
        record = scan_record(view, position)
        assert isinstance(record, ScannedRecord), "the bytes were checked"
        entries.append(entry_of(record, data))
        position = record.end
    return entries


class Stream:
    """The end of a group's history, as the capture continues it.

    Args:
        group: Number of the consistency group.
        epoch: The writer's epoch.
        compression_level: Of record bodies.
    """

    def __init__(self, group: int, epoch: int, compression_level: int | None) -> None:
        self.group = group
        #: The newest record.
        self.newest: Cursor = genesis(epoch)
        self.source_time_ns = 0
        #: Wall clock of the host minus the clock of `now_ns`.
        self.clock_offset_ns = 0
        #: The gap at the end, None while order holds.
        self.gap: OpenGap | None = None
        #: Where this branch begins, until its EPOCH record is written.
        self.parent: Cursor | None = None
        self._encoder = BodyEncoder(compression_level)

    @property
    def needs_epoch(self) -> bool:
        """Return whether the next record must be an EPOCH: the first one of a branch."""
        return self.parent is not None

    def go_on_from(self, cursor: Cursor, source_time_ns: int) -> None:
        """Continue a history at its end; with a higher epoch, as a branch of it."""
        epoch = self.newest.epoch
        assert cursor.epoch <= epoch, "nobody goes back to an older epoch"
        self.parent = cursor if 0 < cursor.epoch < epoch else None
        self.newest = Cursor(epoch, cursor.sequence, cursor.chain)
        self.source_time_ns = max(self.source_time_ns, source_time_ns)

    def rewind(self, cursor: Cursor, source_time_ns: int) -> None:
        """Take back every record after one of this source time; none of them was ever sent."""
        self.newest, self.source_time_ns = cursor, source_time_ns
        if self.gap is not None and self.gap.opened > cursor.sequence:
            self.gap = None

    def epoch_record(self, now_ns: int) -> PoolEntry:
        """Return the EPOCH record that begins this branch."""
        assert self.parent is not None, "only a branch begins with EPOCH"
        parent, self.parent = self.parent, None
        draft = Draft(RecordType.EPOCH, payload=(encode_parent(parent),))
        return self.next_record(draft, now_ns)

    def next_record(self, draft: Draft, now_ns: int) -> PoolEntry:
        """Return the next record of the stream, which is the newest one from now on."""
        assert self.parent is None, "a branch begins with EPOCH"
        kind, file, offset, payload, flags = draft
        self.source_time_ns = max(self.source_time_ns, now_ns + self.clock_offset_ns)
        body, body_flags = self._encoder.encode(payload)
        raw_length = length_of(payload)
        epoch, sequence, chain_before = self.newest
        if self.gap is not None or kind >= RecordType.GAP_OPEN:
            self.gap = gap_after(self.gap, kind, sequence + 1)
        header = RecordHeader(
            version=RECORD_VERSION,
            type=kind,
            flags=flags | body_flags,
            file=file,
            sequence=sequence + 1,
            source_time_ns=self.source_time_ns,
            offset=offset,
            epoch=epoch,
            group=self.group,
            raw_length=raw_length,
            stored_length=len(body),
            body_crc=0,
            chain=0,
        )
        parts, chain = parts_of_record(header, body, chain_before)
        self.newest = Cursor(epoch, sequence + 1, chain)
        cost = HEADER_BYTES + raw_length
        return PoolEntry(parts, cost, chain, self.source_time_ns, kind)
