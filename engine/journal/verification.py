"""Reading a whole journal and checking everything in it, a segment at a time.

Opening trusts the lengths and digests of sealed segments; this reads them. Each is checked as if it
had just been received, record by record, against the manifest, and its index file against what its
records say. The verifier may run beside a journal that is being written: it looks at the manifest
anew with each step and leaves the open segment alone.
"""

from typing import NamedTuple

from engine.basics.cursor import genesis
from engine.basics.errors import IndexDamaged
from engine.contract.actions import ReplaceFile
from engine.contract.storage import Storage
from engine.formats.manifest import Manifest, SegmentEntry
from engine.formats.standings import Standing
from engine.journal.opening import check_named_files, read_manifest, read_tail
from engine.journal.reader import JournalReader
from engine.journal.rebuilding import rebuild_index

_CACHE_BYTES = 1 << 20


class Verified(NamedTuple):
    """What one step has read; `repairs` write an index file anew that was not what it should be."""

    file: str
    bytes_read: int
    last_sequence: int
    repairs: tuple[ReplaceFile, ...]


class JournalVerifier:
    """Verifies the sealed segments of a journal, oldest first, one with each step.

    Args:
        storage: Where the journal lies.
        group: The consistency group.
        verified: The sequence up to which an earlier verifier came; 0 for all.
    """

    def __init__(self, storage: Storage, *, group: int, verified: int = 0) -> None:
        #: Everything up to here was read and found good.
        self.verified = verified
        self._storage = storage
        self._group = group
        self._standing: Standing | None = None

    def step(self) -> Verified | None:
        """Verify the next sealed segment; None when there is none left.

        Raises:
            JournalDamaged: As `open_journal`. `verified` then says what precedes the damage; call
                `skip` to go on behind it.
        """
        manifest = read_manifest(self._storage, self._group, None)
        entry = None if manifest is None else self._next(manifest)
        if manifest is None or entry is None:
            return None
        check_named_files(self._storage, manifest._replace(segments=(entry,), layers=()))
        standing = self._standing_before(manifest, entry)
        sealed = rebuild_index(self._storage, manifest, entry, standing)
        repairs: tuple[ReplaceFile, ...] = ()
        if self._storage.read(entry.index_name, 0, entry.index_size + 1) != sealed.index_data:
            repairs = (ReplaceFile(entry.index_name, sealed.index_data),)
        self.verified, self._standing = entry.last.sequence, sealed.after
        return Verified(entry.name, entry.size, self.verified, repairs)

    def skip(self) -> None:
        """Pass over the next segment, which was found damaged."""
        manifest = read_manifest(self._storage, self._group, None)
        if manifest is not None and (entry := self._next(manifest)) is not None:
            self.verified = entry.last.sequence

    def _next(self, manifest: Manifest) -> SegmentEntry | None:
        later = (entry for entry in manifest.segments if entry.last.sequence > self.verified)
        return next(later, None)

    def _standing_before(self, manifest: Manifest, entry: SegmentEntry) -> Standing:
        if self._standing is not None and self._standing.cursor == entry.before:
            return self._standing
        for standing in manifest.standings:
            if standing.cursor.sequence == entry.before.sequence:
                return standing
        reader = JournalReader(self._storage, manifest, _CACHE_BYTES)
        return reader.index.part_of(entry.last.sequence).standing()


def verify_journal(storage: Storage, *, group: int, base: Standing | None = None) -> int:
    """Read and check everything in a journal that is not being written; nothing is changed.

    Args:
        storage: Where the journal lies.
        group: The consistency group.
        base: For a branch without a manifest: what the parent had come to where it begins.

    Returns:
        The newest sequence. A torn tail, which opening would cut, is not counted.

    Raises:
        JournalDamaged: As `open_journal`, but for every record and index file.
    """
    manifest = read_manifest(storage, group, base)
    manifest = manifest or Manifest(group, 0, (base or Standing(genesis(0)),))
    check_named_files(storage, manifest)
    verifier = JournalVerifier(storage, group=group)
    while (step := verifier.step()) is not None:
        for repair in step.repairs:
            raise IndexDamaged(
                "The index file is not what its segment's records say",
                file=repair.name,
                sequence=step.last_sequence,
            )
    standing = JournalReader(storage, manifest, _CACHE_BYTES).standing
    tail = read_tail(storage, manifest, standing)
    return standing.cursor.sequence if tail is None else tail.history.newest.sequence
