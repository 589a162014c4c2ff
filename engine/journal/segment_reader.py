"""The careful reading of one record out of a segment file."""

from engine.basics.errors import JournalDamaged, RecordDamaged, SegmentMissing
from engine.basics.payload import Segments
from engine.contract.storage import Storage
from engine.formats.bodies import decode_body
from engine.formats.records import HEADER_BYTES, ScannedRecord, scan_record


def read_payload(
    storage: Storage, name: str, sequence: int, place: tuple[int, int, int]
) -> Segments:
    """Read a record and return its payload, every checksum checked again.

    Args:
        storage: Where the segment lies.
        name: The segment file.
        sequence: The record's sequence.
        place: Where it begins, where it ends at the latest, and its chain.

    Raises:
        JournalDamaged: The bytes are not the record that was accepted here; SegmentMissing.
    """
    position, stop, chain = place
    data = storage.read(name, position, stop - position)
    record = scan_record(memoryview(data), 0)
    if not isinstance(record, ScannedRecord):
        if not storage.exists(name):
            raise SegmentMissing("A segment file is gone", file=name, sequence=sequence)
        raise _damaged(name, position, sequence, "is unreadable")
    header = record.header
    if header.sequence != sequence or header.chain != chain:
        raise _damaged(name, position, sequence, f"was replaced by record {header.sequence}")
    try:
        return decode_body(header, data[HEADER_BYTES : HEADER_BYTES + header.stored_length])
    except RecordDamaged as error:
        raise _damaged(name, position, sequence, error.message) from error


def _damaged(name: str, position: int, sequence: int, what: str) -> JournalDamaged:
    return JournalDamaged(
        f"Record {sequence} {what}", file=name, offset=position, sequence=sequence
    )
