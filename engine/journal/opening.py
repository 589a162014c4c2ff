"""Opening a journal: the manifest is read, what it names is counted, its last segment read in full.

The cost does not depend on the journal's size: sealed segments are only looked at for their
lengths, and what is in them is checked when it is read, or by `engine.journal.verification`.

The manifest names a segment before the next one is created. So what follows it can only be one
segment, open or just sealed, found by the name that the cursor before it gives; a crash may have
torn it (`engine.journal.segment_scan`). Everything else is refused by name: a manifest that is gone
or damaged or older than the segments, a file that it names and that is gone or has another length,
a segment that it does not name. An index file that is gone or has another length is no loss: it is
built again from its segment.
"""

from dataclasses import dataclass

from engine.basics.cursor import genesis
from engine.basics.errors import (
    JournalDamaged,
    ManifestDamaged,
    SegmentForeign,
    SegmentMisplaced,
    SegmentMissing,
)
from engine.basics.settings import JournalSettings
from engine.contract.actions import DeleteFile, FileAction, TruncateFile
from engine.contract.storage import Storage
from engine.formats.manifest import (
    MANIFEST_NAME,
    Manifest,
    ManifestUnreadable,
    decode_manifest,
)
from engine.formats.segments import segment_name, sequence_of_name
from engine.formats.standings import Standing
from engine.journal.journal import Journal
from engine.journal.segment_scan import SegmentScan, TailCut


@dataclass(frozen=True, slots=True)
class OpenedJournal:
    """An opened journal; it accepts records once `actions` are carried out, in order.

    The last of them is a sync: what a crash of the process left in memory must not be called
    durable before it is.
    """

    journal: Journal
    actions: list[FileAction]
    tail_cut: TailCut | None


def open_journal(
    storage: Storage,
    *,
    group: int,
    settings: JournalSettings | None = None,
    base: Standing | None = None,
) -> OpenedJournal:
    """Open the journal of a group, or begin one where the storage holds none.

    Args:
        storage: Where its files lie, and no other journal's.
        group: The consistency group.
        settings: Bounds.
        base: For a branch: what the parent had come to where it begins (`Journal.standing_at`).

    Raises:
        JournalDamaged: With file, offset and sequence; also ManifestDamaged, SegmentMissing,
            SegmentForeign and SegmentMisplaced. Nothing was changed.
    """
    settings = settings or JournalSettings()
    if base is not None:
        base = base._replace(incarnation=None)  # another capture is going to write
    found = read_manifest(storage, group, base)
    manifest = found or Manifest(group, 0, (base or Standing(genesis(0)),))
    check_named_files(storage, manifest)
    journal = Journal(storage, manifest, settings)
    tail = read_tail(storage, manifest, journal.standing)
    actions: list[FileAction] = [
        DeleteFile(name) for name in manifest.leaving if storage.exists(name)
    ]
    cut = None if tail is None else tail.tail_cut
    if cut is not None:
        actions.append(TruncateFile(cut.file, cut.offset))
    if tail is not None:
        journal.resume(tail.history, tail.segment)
    return OpenedJournal(journal, actions + journal.begin(), cut)


def read_manifest(storage: Storage, group: int, base: Standing | None) -> Manifest | None:
    """Return the manifest, None where the journal has none yet.

    Raises:
        ManifestDamaged: It cannot be read.
        SegmentForeign: It is of another group or branch.
    """
    if not storage.exists(MANIFEST_NAME):
        return None
    data = storage.read(MANIFEST_NAME, 0, storage.size(MANIFEST_NAME))
    try:
        manifest = decode_manifest(data)
    except ManifestUnreadable as error:
        raise ManifestDamaged(f"The manifest {error}", file=MANIFEST_NAME) from error
    if manifest.group != group:
        raise SegmentForeign(
            f"A manifest of group {manifest.group}, in a journal of group {group}",
            file=MANIFEST_NAME,
        )
    if base is not None and manifest.base.cursor != base.cursor:
        raise SegmentForeign(
            f"This branch begins at {manifest.base.cursor}, not at {base.cursor}",
            file=MANIFEST_NAME,
        )
    return manifest


def check_named_files(storage: Storage, manifest: Manifest) -> None:
    """Check that segments and layers are there, in their full lengths.

    Raises:
        SegmentMissing: A file is gone.
        JournalDamaged: A file has another length.
    """
    for entry in manifest.segments:
        _check_length(storage, entry.name, entry.size, entry.first_sequence)
    for layer in manifest.layers:
        _check_length(storage, layer.name, layer.length, layer.low + 1)


def _check_length(storage: Storage, name: str, length: int, sequence: int) -> None:
    if not storage.exists(name):
        raise SegmentMissing("A file of the manifest is gone", file=name, sequence=sequence)
    if (size := storage.size(name)) != length:
        raise JournalDamaged(
            f"A file of the manifest has {size} bytes, it must have {length}",
            file=name,
            offset=min(size, length),
            sequence=sequence,
        )


def read_tail(storage: Storage, manifest: Manifest, standing: Standing) -> SegmentScan | None:
    """Read the segment after those that the manifest names, if there is one.

    Raises:
        JournalDamaged: As `open_journal`.
    """
    name = segment_name(standing.cursor.sequence + 1)
    _check_listing(storage, manifest, name)
    if not storage.exists(name):
        return None
    scan = SegmentScan(storage, manifest.group, manifest.base.cursor, standing, is_last=True)
    scan.run()
    return scan


def _check_listing(storage: Storage, manifest: Manifest, tail: str) -> None:
    """Check that no segment is there that should not be.

    Which segments the journal has is not inferred from the listing; but what contradicts the
    manifest must not be passed over in silence.
    """
    first = sequence_of_name(tail)
    known = {tail, *manifest.leaving, *(entry.name for entry in manifest.segments)}
    for name in sorted(storage.names()):
        sequence = sequence_of_name(name)
        if sequence is None or name in known:
            continue
        assert first is not None, "the last segment has a segment's name"
        if sequence < first:
            raise SegmentMisplaced(
                "The manifest does not name this segment, others hold its records",
                file=name,
                sequence=sequence,
            )
        if storage.exists(MANIFEST_NAME) or storage.exists(tail):
            what = "is older than this segment" if storage.exists(MANIFEST_NAME) else "is gone"
            raise ManifestDamaged(f"The manifest {what}", file=name, sequence=sequence)
        raise SegmentMissing(
            f"No segment holds the records before {sequence}", file=name, sequence=first
        )
