"""The frames around the records of a segment file: its header, its marks, its footer."""

from engine.basics import invariants
from engine.basics.cursor import Cursor
from engine.formats.marks import SyncedMark, encode_mark
from engine.formats.segments import (
    SegmentFooter,
    SegmentHeader,
    encode_footer,
    encode_segment_header,
)
from engine.journal.segment import Segment


def header_of(segment: Segment, group: int) -> bytes:
    """Return the header of a segment that is about to get its first record."""
    assert segment.incarnation is not None, "a source was adopted first"
    epoch, sequence, chain = segment.before
    return encode_segment_header(
        SegmentHeader(group, epoch, segment.incarnation, sequence + 1, chain)
    )


def mark_due(segment: Segment, group: int, durable: Cursor) -> bytes:
    """Return a mark to append to the segment, b"" where the newest one still says it all."""
    if segment.synced_bytes <= segment.marked_bytes:
        return b""
    assert segment.incarnation is not None, "somebody writes it"
    invariants.a_mark_lies_in_its_segment(segment.before, durable, segment.last)
    mark = SyncedMark(group, segment.incarnation, segment.size, segment.synced_bytes, durable)
    segment.add_mark(mark.synced_bytes)
    return encode_mark(mark)


def footer_of(segment: Segment, group: int) -> bytes:
    """Return the footer that seals a segment."""
    last = segment.last
    assert segment.record_count == last.sequence - segment.before.sequence, (
        "a sealed segment has no holes"
    )
    assert segment.chain(last.sequence) == last.chain, "nor another chain"
    return encode_footer(
        SegmentFooter(
            group,
            last.sequence,
            segment.record_count,
            segment.record_bytes,
            last.chain,
            segment.digest.value(),
        )
    )
