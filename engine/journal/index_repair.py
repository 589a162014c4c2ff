"""Index files that cannot be trusted: built again from their segments, told, and written anew."""

from collections.abc import Callable
from typing import NamedTuple

from engine.basics.errors import JournalDamaged
from engine.contract.actions import FileAction, ReplaceFile
from engine.contract.storage import Storage
from engine.formats.index_files import INDEX_HEAD_BYTES, index_digest
from engine.formats.manifest import Manifest, SegmentEntry
from engine.formats.standings import Standing
from engine.journal.rebuilding import rebuild_index


class IndexRepair(NamedTuple):
    """An index file that was built again, and what was wrong with it."""

    file: str
    reason: str


class IndexRepairs:
    """Builds index files again.

    Args:
        storage: Where the segments lie.
        manifest: Returns the manifest as it is now.
        standing_after: Returns what the history had come to after a sealed segment, by its index.
    """

    def __init__(
        self,
        storage: Storage,
        manifest: Callable[[], Manifest],
        standing_after: Callable[[SegmentEntry], Standing],
    ) -> None:
        self.made: list[IndexRepair] = []
        self._storage = storage
        self._manifest = manifest
        self._standing_after = standing_after
        self._actions: list[tuple[int, FileAction]] = []

    def build(self, entry: SegmentEntry, reason: str) -> bytes:
        """Return the content of the index file of a segment, built again from it.

        Raises:
            JournalDamaged: The segment is damaged too, or nothing tells what was before it.
        """
        manifest = self._manifest()
        chain = self._chain_to(manifest, entry)
        standing = self._standing_before(manifest, chain[0])
        for link in chain:
            sealed = rebuild_index(self._storage, manifest, link, standing)
            standing = sealed.after
        if IndexRepair(entry.index_name, reason) not in self.made:
            self.made.append(IndexRepair(entry.index_name, reason))
        action = ReplaceFile(entry.index_name, sealed.index_data)
        self._actions.append((entry.first_sequence, action))
        return sealed.index_data

    def take_actions(self) -> list[tuple[int, FileAction]]:
        """Return, once, what writes index files anew: (first sequence, action) pairs."""
        actions, self._actions = self._actions, []
        return actions

    def _chain_to(self, manifest: Manifest, entry: SegmentEntry) -> list[SegmentEntry]:
        """Return the entry behind those before it that cannot tell what was after them either."""
        entries = manifest.segments
        at = entries.index(entry)
        known = {standing.cursor.sequence for standing in manifest.standings}
        chain = [entry]
        while chain[0].before.sequence not in known:
            at -= 1
            if at < 0 or entries[at].last.sequence != chain[0].before.sequence:
                raise JournalDamaged(
                    "Nothing tells what this segment follows, to build its index again",
                    file=entry.index_name,
                    sequence=entry.first_sequence,
                )
            if self._looks_sound(entries[at]):
                break
            chain.insert(0, entries[at])
        return chain

    def _looks_sound(self, entry: SegmentEntry) -> bool:
        head = self._storage.read(entry.index_name, 0, INDEX_HEAD_BYTES)
        return len(head) == INDEX_HEAD_BYTES and index_digest(head) == entry.index_digest

    def _standing_before(self, manifest: Manifest, entry: SegmentEntry) -> Standing:
        for standing in manifest.standings:
            if standing.cursor.sequence == entry.before.sequence:
                return standing
        at = manifest.segments.index(entry)
        return self._standing_after(manifest.segments[at - 1])
