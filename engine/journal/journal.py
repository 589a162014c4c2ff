"""The journal: the records of one group in segment files, any of which can be lost or torn.

Fault model. On a crash each append since the last completed sync is kept, torn or lost, one by one;
a file is replaced wholly or not at all; anything may rot later. Promised: what was reported durable
was synced before; a segment's successor is created only after the segment was sealed and synced,
and after the manifest that names it and its index file, so that only one segment can be outside of
the manifest, and only that one can have a torn tail; in it, an append that follows a completed sync
carries a mark of what the sync made durable (`engine.formats.marks`), so that the tail begins after
the newest mark's claim; whatever contradicts a checksum elsewhere is refused, never cut. Not
decidable from these files alone: rot in what was synced after the newest mark was written (at most
the last append before the journal was closed, and those under way with it) is cut as a torn tail,
and a last file that was cut short or deleted loses its marks with its records. Both are noticed
against the source's cursor when a session is welcomed (JournalRegressed). Not checked: that the
storage's sync tells the truth.

Memory: the rows of the open segment and of those being sealed, and what `engine.journal.catalogue`
keeps; nothing that grows with the records of sealed segments.
"""

from collections.abc import Collection, Sequence

from engine.basics import invariants
from engine.basics.cursor import Cursor
from engine.basics.errors import EngineError, RecordDamaged
from engine.basics.settings import JournalSettings
from engine.contract.actions import DeleteFile, FileAction
from engine.contract.storage import Storage
from engine.formats.layers import LayerEntry
from engine.formats.manifest import MANIFEST_NAME, KeptPoint, Manifest, Pin
from engine.formats.records import DamagedRecord, RecordTorn, scan_record
from engine.history.gate import History
from engine.journal.segment import Segment
from engine.journal.segment_writer import SegmentWriter


class Journal(SegmentWriter):
    """Appends verified records, seals and syncs segments, and reads records back.

    Make one with `engine.journal.opening.open_journal`; it is also how an empty one begins.

    Args:
        storage: Reads the files that the actions of this journal write.
        manifest: What the sealed part of the journal consists of.
        settings: Bounds.
    """

    def __init__(self, storage: Storage, manifest: Manifest, settings: JournalSettings) -> None:
        super().__init__(storage, manifest, settings)
        self._wants_sync = False

    def resume(self, history: History, segment: Segment) -> None:
        """Go on in a segment that was read from its file; before anything else."""
        self._history = history
        self._open = segment
        self.incarnation = segment.incarnation
        self.durable = segment.before
        self.index.begin(segment)
        for event in segment.events():
            self.index.note(event.kind, event.sequence)

    def begin(self) -> list[FileAction]:
        """Return what is to be done after opening: see `OpenedJournal`."""
        base = self.manifest.base
        if not self.manifest.generation and base.cursor.sequence:
            self._write_manifest(self.manifest)  # nothing else says where a branch begins
        if self._open is not None and self._open.is_sealed:
            self._queue_sync(self._open, is_barrier=True)
            self._enter_sealed(self._open)
        return self.request_sync()

    @property
    def is_settled(self) -> bool:
        """Return whether all that was accepted is durable and no sync is under way."""
        return self._pending.is_empty and self.durable == self.received

    @property
    def durable_time_ns(self) -> int | None:
        """Return the source time of the newest durable record, None when there is none."""
        sequence = self.durable.sequence
        if self.index.holds(sequence):
            return self.index.source_time_ns(sequence)
        if sequence == self.standing.cursor.sequence and sequence:
            return self.standing.source_time_ns
        return None

    # --- writing ------------------------------------------------------------------------------

    def adopt(self, epoch: int, incarnation: int) -> None:
        """Take the identity of the first source; the journal must be empty."""
        assert self.incarnation is None, "a journal has one first source"
        base = self.manifest.base
        assert not base.cursor.epoch or epoch > base.cursor.epoch, "a branch is of a later epoch"
        first = Cursor(epoch, base.cursor.sequence, base.cursor.chain)
        self._history.adopt(first)
        self.durable = first
        self.incarnation = incarnation

    def ingest(self, data: bytes | memoryview) -> list[FileAction]:
        """Accept a batch of records, all or none; `data` may be a part of other bytes.

        Raises:
            EngineError: By its name, what is wrong with which record; nothing was accepted.
        """
        assert self.incarnation is not None, "a source was adopted first"
        history, view, position = self._history, memoryview(data), 0
        try:
            while position < len(data):
                record = scan_record(view, position)
                if isinstance(record, RecordTorn | DamagedRecord):
                    raise _bad_record(record, history.newest)
                history.stage(record, view)
                position = record.end
        except EngineError:
            history.discard()
            raise
        before = history.newest
        self._place(history.commit(), view, before)
        return self.request_sync()

    def request_sync(self) -> list[FileAction]:
        """Sync the open segment if anything of it may not be durable, as after opening."""
        self._request_sync()
        return self._pending.drain()

    def seal(self) -> list[FileAction]:
        """Seal the open segment, if it has records; what comes next begins another one."""
        if self._open is not None and self._open.record_count and not self._open.is_sealed:
            self._seal()
        return self._pending.drain()

    def publish(
        self,
        *,
        layers: Sequence[LayerEntry] | None = None,
        drop_segments: Collection[str] = (),
        points: Sequence[KeptPoint] | None = None,
        pins: Sequence[Pin] | None = None,
    ) -> list[FileAction]:
        """Replace the manifest; what it no longer names is deleted once it is durable.

        Args:
            layers: All layers from now on, whose files are durable; as before if absent.
            drop_segments: Names of sealed segments that the layers stand in for.
            points: All kept points from now on; as before if absent.
            pins: All pins from now on; as before if absent.
        """
        old = self.manifest
        kept = tuple(entry for entry in old.segments if entry.name not in drop_segments)
        assert len(kept) + len(set(drop_segments)) == len(old.segments), "sealed ones are dropped"
        if points is not None:
            invariants.published_points_never_change(_by_sequence(old.points), _by_sequence(points))
        new = old._replace(
            standings=self._standings_for(kept),
            segments=kept,
            layers=old.layers if layers is None else tuple(layers),
            points=old.points if points is None else tuple(points),
            pins=old.pins if pins is None else tuple(pins),
        )
        self._write_manifest(new, leaving=tuple(sorted(old.names() - new.names())))
        self._pending.add_sync(MANIFEST_NAME, self._promise(None))
        self._pending.add(*(DeleteFile(name) for name in self.manifest.leaving))
        self.index.drop(drop_segments)
        return self._pending.drain()

    def replace_pins(self, pins: Sequence[Pin]) -> list[FileAction]:
        """Replace the manifest by one with these pins; no sync is needed, for nothing leaves."""
        self._write_manifest(self.manifest._replace(pins=tuple(sorted(pins))))
        return self._pending.drain()

    def sync_done(self, token: int) -> list[FileAction]:
        """Note that a SyncFile is done; return what may happen after it.

        Raises:
            LocalProtocolError: No such sync is under way.
        """
        cursor, segment, synced_bytes, sealed, repaired = self._pending.done(token)
        if segment is not None:
            segment.synced_bytes = max(segment.synced_bytes, synced_bytes)
        if cursor.sequence > self.durable.sequence:
            invariants.acknowledged_never_decreases(self.durable, cursor)
            self.durable = cursor
        invariants.durable_follows_received(self.durable, self.received)
        for entry in sealed:
            self.index.release(entry)
        for first_sequence in repaired:
            self.index.trust(first_sequence)
        if self._wants_sync:
            self._request_sync()
        return self._pending.drain()

    def _request_sync(self) -> None:
        if self._pending.has_sync:
            # One sync at a time: the next one then covers all that came meanwhile.
            self._wants_sync = True
            return
        self._wants_sync = False
        if self.durable != self.received:
            assert self._open is not None, "what is not durable lies in the open segment"
            self._queue_sync(self._open, is_barrier=False)


def _by_sequence(points: Sequence[KeptPoint]) -> dict[int, KeptPoint]:
    return {point.cursor.sequence: point for point in points}


def _bad_record(record: RecordTorn | DamagedRecord, newest: Cursor) -> RecordDamaged:
    what = "cut short" if isinstance(record, RecordTorn) else f"damaged in {record.field}"
    place = f"byte {record.position} of a batch, after sequence {newest.sequence}"
    return RecordDamaged(f"The record at {place}, is {what}")
