"""What can be read of a journal: its records, and what was at which sequence."""

from collections.abc import Sequence

from engine.basics.errors import JournalDamaged, PointRefused, SegmentMissing
from engine.basics.payload import Segments, StoredSegments
from engine.contract.storage import Storage
from engine.formats.manifest import Manifest, SegmentEntry
from engine.formats.standings import Standing
from engine.journal.catalogue import Catalogue, Part
from engine.journal.index_repair import IndexRepair, IndexRepairs
from engine.journal.segment_reader import read_payloads


class JournalReader:
    """The reading half of a `Journal`.

    Args:
        storage: Where the files lie.
        manifest: What the sealed part of the journal consists of.
        index_cache_bytes_max: What of index files may be kept in memory.
    """

    def __init__(self, storage: Storage, manifest: Manifest, index_cache_bytes_max: int) -> None:
        self.storage = storage
        #: What belongs to the journal, once all actions so far are carried out.
        self.manifest = manifest
        self._repairs = IndexRepairs(storage, lambda: self.manifest, self._standing_after)
        #: What the records say, without their bodies.
        self.index = Catalogue(storage, manifest, index_cache_bytes_max, self._repairs.build)
        #: What the history had come to where the open segment begins.
        self.standing = self._newest_standing()

    @property
    def segments(self) -> Sequence[Part]:
        """Return the segments, oldest first; they have `name`, `before`, `last`, `is_sealed`."""
        return self.index.parts

    @property
    def repairs(self) -> Sequence[IndexRepair]:
        """Return which index files could not be trusted and were built again, and why."""
        return self._repairs.made

    def payload(self, sequence: int) -> Segments:
        """Read one record's payload back, checked again in full.

        Raises:
            JournalDamaged: The record no longer is what was accepted.
        """
        (payload,) = self.payloads(sequence, sequence)
        return tuple(bytes(item) if isinstance(item, memoryview) else item for item in payload)

    def payloads(self, first: int, last: int) -> list[StoredSegments]:
        """Read the payloads of records first..last of one segment at once, each checked in full.

        Raises:
            JournalDamaged: A record no longer is what was accepted.
        """
        part = self.index.part_of(last)
        places = [part.place(sequence) for sequence in range(first, last + 1)]
        return read_payloads(self.storage, part.name, first, places)

    def stored_bytes(self, first: int, last: int) -> int:
        """Return what the records first..last of one segment take in its file."""
        part = self.index.part_of(last)
        return part.place(last)[1] - part.place(first)[0]

    def standing_at(self, sequence: int) -> Standing:
        """Return what the history had come to at a record: where a branch may begin."""
        found = self.index.standing_at(sequence)
        if found is not None:
            return found
        for standing in (*self.manifest.standings, self.standing):
            if standing.cursor.sequence == sequence:
                return standing
        raise PointRefused(f"The record of sequence {sequence} was compacted away")

    def check_contiguous(self, sequence: int) -> None:
        """Check, before an image is planned, that the segment of `sequence` is in its place.

        The others are checked when they are read, so that the check costs the same in a journal
        of any size.

        Raises:
            SegmentMissing: The file is gone.
            JournalDamaged: The file is shorter than what was made durable in it.
        """
        if not self.index.holds(sequence):
            return
        part = self.index.part_of(sequence)
        if not self.storage.exists(part.name):
            raise SegmentMissing(
                "A segment file is gone", file=part.name, sequence=part.first_sequence
            )
        _, needed, _ = part.place(sequence)
        if (size := self.storage.size(part.name)) < needed:
            raise JournalDamaged(
                f"A segment has {size} bytes, {needed} were made durable",
                file=part.name,
                offset=size,
                sequence=part.first_sequence,
            )

    def _standings_for(self, kept: tuple[SegmentEntry, ...]) -> tuple[Standing, ...]:
        """Return the standings that a manifest needs: nothing else tells what is before a hole."""
        needed = [entry.before.sequence for entry in kept]
        needed.append(self.standing.cursor.sequence)
        told = {entry.last.sequence for entry in kept}
        base = self.manifest.base
        found = [
            self.standing_at(sequence)
            for sequence in needed
            if sequence not in told and sequence != base.cursor.sequence
        ]
        return (base, *found)

    def _newest_standing(self) -> Standing:
        """Return what the history had come to after all that the manifest names."""
        manifest = self.manifest
        newest = manifest.standings[-1]
        if manifest.segments and manifest.segments[-1].last.sequence > newest.cursor.sequence:
            return self._standing_after(manifest.segments[-1])
        return newest

    def _standing_after(self, entry: SegmentEntry) -> Standing:
        return self.index.part_of(entry.last.sequence).standing_at(entry.last.sequence)
