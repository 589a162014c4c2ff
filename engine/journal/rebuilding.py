"""Index files and manifest from the segments alone: nothing in them is known nowhere else."""

from collections.abc import Iterator

from engine.basics.cursor import genesis
from engine.basics.errors import JournalDamaged, ManifestDamaged
from engine.contract.actions import FileAction, ReplaceFile
from engine.contract.storage import Storage
from engine.formats.index_files import index_digest
from engine.formats.manifest import (
    MANIFEST_NAME,
    Manifest,
    SegmentEntry,
    encode_manifest,
)
from engine.formats.segments import segment_name, sequence_of_name
from engine.formats.standings import Standing
from engine.history.sealing import Sealed, seal
from engine.journal.segment import Segment
from engine.journal.segment_scan import SegmentScan


def seal_segment(segment: Segment, group: int) -> tuple[Sealed, SegmentEntry]:
    """Return a sealed segment's index file and its entry in the manifest."""
    assert segment.is_sealed, "the footer was written"
    assert segment.incarnation is not None, "somebody wrote it"
    rows = segment.rows
    sealed = seal(
        rows, segment.standing(), segment.last, group=group, incarnation=segment.incarnation
    )
    entry = SegmentEntry(
        before=segment.before,
        last=segment.last,
        incarnation=segment.incarnation,
        first_time_ns=rows.times_ns[0],
        last_time_ns=rows.times_ns[-1],
        size=segment.size,
        digest=segment.digest.value(),
        index_size=len(sealed.index_data),
        index_digest=index_digest(sealed.index_data),
        event_counts=sealed.event_counts,
    )
    return sealed, entry


def rebuild_index(
    storage: Storage, manifest: Manifest, entry: SegmentEntry, standing: Standing
) -> Sealed:
    """Read a sealed segment in full and build its index file again.

    Args:
        storage: Where the segment lies.
        manifest: The manifest that names it.
        entry: How it names it.
        standing: What the history had come to before the segment.

    Raises:
        JournalDamaged: The segment is not the one that the manifest names.
    """
    if not storage.exists(entry.name):
        raise JournalDamaged(
            "The segment is gone, and so is its index",
            file=entry.name,
            sequence=entry.before[1] + 1,
        )
    scan = SegmentScan(storage, manifest.group, manifest.base.cursor, standing, is_last=False)
    scan.run()
    sealed, found = seal_segment(scan.segment, manifest.group)
    if found != entry:
        raise scan.damaged(0, "the manifest names another segment of these records")
    return sealed


def rebuild_manifest(
    storage: Storage, *, group: int, base: Standing | None = None
) -> list[FileAction]:
    """Read and verify all segments, and return the actions that write manifest and index files.

    Layers, kept points and pins are known to the manifest alone: what they are of must still be
    there as segments. Nothing is inferred but which segments there are; each is checked in full,
    and against its predecessor.

    Args:
        storage: Where the segments lie.
        group: The consistency group.
        base: Where the journal begins, if it is a branch.

    Raises:
        JournalDamaged: As `engine.journal.opening.open_journal`; ManifestDamaged where the first
            segment is not there.
    """
    start = base or Standing(genesis(0))
    actions: list[FileAction] = []
    entries: list[SegmentEntry] = []
    standing = start
    for segment, is_last in _segments(storage, start):
        scan = SegmentScan(storage, group, start.cursor, standing, is_last=is_last)
        if scan.segment.name != segment:
            raise ManifestDamaged(
                "No segment holds the records before this one",
                file=segment,
                sequence=standing.cursor.sequence + 1,
            )
        scan.run()
        if not scan.segment.is_sealed:
            break
        if not entries and base is None:
            start = Standing(genesis(scan.segment.before.epoch))
        sealed, entry = seal_segment(scan.segment, group)
        actions.append(ReplaceFile(entry.index_name, sealed.index_data))
        entries.append(entry)
        standing = sealed.after
    manifest = Manifest(group, 1, (start,), tuple(entries))
    return [*actions, ReplaceFile(MANIFEST_NAME, encode_manifest(manifest))]


def _segments(storage: Storage, start: Standing) -> Iterator[tuple[str, bool]]:
    """Yield the names of the segments in order, and whether each is the last one."""
    first = start.cursor.sequence + 1
    found = [sequence_of_name(name) for name in storage.names()]
    sequences = sorted(sequence for sequence in found if sequence is not None)
    for sequence in sequences:
        yield segment_name(sequence), sequence == sequences[-1]
    if not sequences:
        raise ManifestDamaged(
            "There is no segment to begin with", file=segment_name(first), sequence=first
        )
