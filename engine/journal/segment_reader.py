"""The careful reading of records out of a segment file."""

from collections.abc import Sequence

from engine.basics.errors import JournalDamaged, RecordDamaged, SegmentMissing
from engine.basics.payload import StoredSegments
from engine.contract.storage import Storage
from engine.formats.bodies import decode_body
from engine.formats.records import HEADER_BYTES, ScannedRecord, scan_record


def read_payloads(
    storage: Storage, name: str, first: int, places: Sequence[tuple[int, int, int]]
) -> list[StoredSegments]:
    """Read records that follow one another; return their payloads, every checksum checked again.

    Args:
        storage: Where the segment lies.
        name: The segment file.
        first: The first record's sequence.
        places: Where each begins, where it ends at the latest, and its chain.

    Raises:
        JournalDamaged: The bytes are not the records that were accepted here; SegmentMissing.
    """
    start = places[0][0]
    view = memoryview(storage.read(name, start, places[-1][1] - start))
    return [
        _payload(storage, name, sequence, place, view[place[0] - start :])
        for sequence, place in enumerate(places, first)
    ]


def _payload(
    storage: Storage, name: str, sequence: int, place: tuple[int, int, int], view: memoryview
) -> StoredSegments:
    position, _, chain = place
    record = scan_record(view, 0)
    if not isinstance(record, ScannedRecord):
        if not storage.exists(name):
            raise SegmentMissing("A segment file is gone", file=name, sequence=sequence)
        raise _damaged(name, position, sequence, "is unreadable")
    header = record.header
    if header.sequence != sequence or header.chain != chain:
        raise _damaged(name, position, sequence, f"was replaced by record {header.sequence}")
    try:
        return decode_body(header, view[HEADER_BYTES : HEADER_BYTES + header.stored_length])
    except RecordDamaged as error:
        raise _damaged(name, position, sequence, error.message) from error


def _damaged(name: str, position: int, sequence: int, what: str) -> JournalDamaged:
    return JournalDamaged(
        f"Record {sequence} {what}", file=name, offset=position, sequence=sequence
    )
