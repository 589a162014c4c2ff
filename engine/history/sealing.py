"""From the rows of a finished segment to its index file, and to what stands after it.

Always in the same way, so that an index built again is the same to the last byte.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from isal.isal_zlib import crc32

from engine.basics.cursor import Cursor
from engine.formats.index_files import (
    Event,
    FileRow,
    IndexHead,
    Section,
    encode_index,
    pack_columns,
    pack_events,
    pack_files,
)
from engine.formats.records import RecordType
from engine.formats.standings import FileEntry, Standing, encode_standing
from engine.history.extents import ExtentMap
from engine.history.gaps import CLOSING, OPENING
from engine.history.index import NAMING, Index
from engine.history.packed_extents import columns_of


class Sealed(NamedTuple):
    """A segment's index file, how many events of each kind it has, and what stands after it."""

    index_data: bytes
    event_counts: tuple[tuple[int, int], ...]
    after: Standing


def seal(index: Index, before: Standing, last: Cursor, *, group: int, incarnation: int) -> Sealed:
    """Flatten the rows of a segment.

    Args:
        index: Its rows.
        before: What the history had come to before them.
        last: The cursor of its last record.
        group: The consistency group.
        incarnation: The capture that wrote the segment.
    """
    maps = shapes_of(index, last.sequence)
    time_ns = index.source_time_ns(last.sequence)
    after = standing_after(before, index.events, last, time_ns, incarnation, maps)
    live = {entry.file for entry in after.files}
    files, extents = _flattened(
        {file: found for file, found in maps.items() if file in live}, index.first_sequence
    )
    head = IndexHead(
        group, index.first_sequence, last.sequence, incarnation, last.epoch, last.chain
    )
    sections = {
        Section.STANDING: encode_standing(before),
        Section.PLACES: pack_columns(index.positions, index.chains),
        Section.TIMES: pack_columns(index.times_ns),
        Section.SHAPES: pack_columns(index.kinds, index.files, index.offsets, index.raw_lengths),
        Section.EVENTS: pack_events(index.events),
        Section.FILES: pack_files(files),
        Section.EXTENTS: extents,
    }
    counts = Counter(event.kind for event in index.events)
    return Sealed(encode_index(head, sections), tuple(sorted(counts.items())), after)


def shapes_of(index: Index, sequence: int) -> dict[int, ExtentMap]:
    """Return what a segment's records up to one of them did to each file."""
    low = index.first_sequence - 1
    touched = index.touched_files(low, sequence)
    return {file: index.extents(file, low, sequence) for file in touched}


def names_after(before: Standing, events: Iterable[Event], sequence: int) -> dict[int, str]:
    """Return which file id has which name after a record of a segment."""
    names = {file: name for file, name, _ in before.files}
    for event in events:
        if event.sequence > sequence:
            break
        if event.kind == RecordType.DELETE:
            del names[event.file]
        elif event.kind in NAMING:
            names[event.file] = event.text
    return names


def standing_after(
    before: Standing,
    events: Sequence[Event],
    last: Cursor,
    time_ns: int,
    incarnation: int | None,
    shapes: Mapping[int, FileRow | ExtentMap],
) -> Standing:
    """Return what the history has come to after some of a segment's records.

    Args:
        before: The standing before the segment.
        events: Its records of the rarer kinds.
        last: The cursor of the newest record that counts.
        time_ns: That record's source time.
        incarnation: The capture that wrote the segment.
        shapes: What those records did to the files that they touched.
    """
    names = names_after(before, events, last.sequence)
    sizes = {file: size for file, _, size in before.files}
    for file, shape in shapes.items():
        below = sizes.get(file, 0)
        sizes[file] = max(shape.size, below) if shape.cut is None else shape.size
    opened, is_resync, newest = before.gap_opened, before.is_resync, before.id_newest
    for event in events:
        if event.sequence > last.sequence:
            break
        if event.kind == RecordType.CREATE:
            newest = max(newest, event.file)
        elif event.kind in OPENING:
            opened = opened or event.sequence
            is_resync = event.kind == RecordType.RESYNC_BEGIN
        elif event.kind in CLOSING:
            opened, is_resync = 0, False
    return Standing(
        last,
        time_ns,
        incarnation,
        opened,
        is_resync,
        newest,
        tuple(FileEntry(file, names[file], sizes[file]) for file in sorted(names)),
    )


def _flattened(maps: Mapping[int, ExtentMap], first_sequence: int) -> tuple[list[FileRow], bytes]:
    rows, parts, offset = [], [], 0
    for file in sorted(maps):
        extents = maps[file]
        data = pack_columns(*columns_of(extents, first_sequence))
        rows.append(
            FileRow(file, len(extents.extents()), crc32(data), extents.cut, extents.size, offset)
        )
        parts.append(data)
        offset += len(data)
    return rows, b"".join(parts)
