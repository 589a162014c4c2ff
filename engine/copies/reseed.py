"""A copy made from a sister: its sealed files, then its records, then it follows the source.

    begin()       whatever is there is deleted, the manifest first
    files()       layers, segments (the oldest last) and index files, each checked before it goes
                  out; then the manifest that names them
    open()        the journal is opened like any other
    next_batch()  the sister's newer records, until the source's pool has all that is lacking
                  (`Fanout.attach` the copy at the sister's cursor first, so that the pool waits)

Fault model. Either process may die after any action: a re-seed begins anew, and until its manifest
is there the copy cannot be opened by mistake, but as a true prefix. The sister may go on growing;
hold its keeper (`LayerKeeper.hold`), so that no file leaves that is still to be read.
"""

from collections.abc import Iterator

from engine.basics.settings import JournalSettings
from engine.contract.actions import DeleteFile, FileAction, ReplaceFile
from engine.contract.storage import Storage
from engine.copies.transplant import layer_from, record_of, segment_from
from engine.formats.manifest import MANIFEST_NAME, encode_manifest
from engine.journal.journal import Journal
from engine.journal.opening import OpenedJournal, open_journal

_BATCH_BYTES = 4 << 20


class Reseed:
    """Makes the journal of one copy from that of another.

    Args:
        storage: Where the new copy is to lie; what is there is given up.
        sister: The journal that is copied.
        batch_bytes_max: How many bytes of records go out at a time: protection.md 1.2's drain unit.
    """

    def __init__(
        self, storage: Storage, sister: Journal, batch_bytes_max: int = _BATCH_BYTES
    ) -> None:
        self._storage = storage
        self._sister = sister
        self._manifest = sister.manifest
        self._batch_bytes_max = batch_bytes_max
        self.bytes_shipped = 0

    def begin(self) -> list[FileAction]:
        """Return the deletions; without its manifest nothing that is left counts as a journal."""
        names = sorted(self._storage.names(), key=lambda name: (name != MANIFEST_NAME, name))
        return [DeleteFile(name) for name in names]

    def files(self) -> Iterator[ReplaceFile]:
        """Yield the files one by one, the manifest last; a copy has pins of its own.

        Raises:
            JournalDamaged: The sister is damaged: repair it, or take another one.
        """
        manifest, sister = self._manifest, self._sister
        if not manifest.generation:
            return
        for layer in manifest.layers:
            yield self._shipped(layer.name, layer_from(layer, sister).data)
        for entry in reversed(manifest.segments):
            index = sister.storage.read(entry.index_name, 0, entry.index_size)
            yield self._shipped(entry.index_name, index)
            yield self._shipped(entry.name, segment_from(sister, entry, sister).data)
        data = encode_manifest(manifest._replace(pins=(), leaving=()))
        yield self._shipped(MANIFEST_NAME, data)

    def open(self, settings: JournalSettings | None = None) -> OpenedJournal:
        """Open the new copy, all files being there; its actions are to be carried out."""
        base, sister = self._manifest.base, self._sister
        result = open_journal(
            self._storage,
            group=sister.group,
            settings=settings,
            base=base if base.cursor.sequence else None,
        )
        if result.journal.incarnation is None and sister.incarnation is not None:
            result.journal.adopt(sister.durable.epoch, sister.incarnation)
        return result

    def next_batch(self, journal: Journal) -> bytes:
        """Return the sister's next durable records for `journal.ingest`, b"" where it has none."""
        records: list[bytes] = []
        size, sequence = 0, journal.received.sequence + 1
        while sequence <= self._sister.durable.sequence and size < self._batch_bytes_max:
            _, record = record_of(self._sister, sequence)
            records.append(record)
            size += len(record)
            sequence += 1
        self.bytes_shipped += size
        return b"".join(records)

    def _shipped(self, name: str, data: bytes) -> ReplaceFile:
        self.bytes_shipped += len(data)
        return ReplaceFile(name, data)
