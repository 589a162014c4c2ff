"""Payloads as segment lists: bytes, or runs of zero bytes given by their length (design rule 7)."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

#: A bytes segment is itself; an int segment is a run of that many zero bytes.
Segments = tuple[bytes | int, ...]
#: Bytes that follow one another and need not be joined to be sent or written.
Parts = tuple[bytes | memoryview, ...]
#: Segments some of which are parts of what was read, not copied out of it yet.
StoredSegments = tuple[bytes | memoryview | int, ...]
_Segment = TypeVar("_Segment", bytes | int, bytes | memoryview | int)


def length_of(segments: StoredSegments) -> int:
    """Return the number of bytes that the segments stand for."""
    total = 0
    for segment in segments:
        total += segment if isinstance(segment, int) else len(segment)
    return total


def to_bytes(segments: Segments) -> bytes:
    """Return the segments as plain bytes, zero runs written out."""
    if len(segments) == 1:
        only = segments[0]
        return bytes(only) if isinstance(only, int) else only
    return b"".join([bytes(item) if isinstance(item, int) else item for item in segments])


def joined(parts: Iterable[bytes | memoryview | int]) -> Segments:
    """Return the same bytes in as few segments as there can be."""
    segments: list[bytes | int] = []
    run: list[bytes | memoryview] = []
    for part in parts:
        if not isinstance(part, int):
            run.append(part)
            continue
        if run:
            segments.append(b"".join(run))
            run = []
        segments.append(part)
    if run:
        segments.append(b"".join(run))
    return tuple(segments)


def slice_of(segments: tuple[_Segment, ...], start: int, stop: int) -> tuple[_Segment | int, ...]:
    """Return bytes start..stop (stop excluded) of the segments, zero runs kept as runs."""
    assert 0 <= start <= stop, "a slice runs forward"
    if not start and len(segments) == 1:
        only = segments[0]
        if not isinstance(only, int) and stop >= len(only):
            return segments if only else ()  # all of it, as large reads ask for
    return tuple(_slices(segments, start, stop))


def _slices(segments: tuple[_Segment, ...], start: int, stop: int) -> Iterator[_Segment | int]:
    position = 0
    for segment in segments:
        length = segment if isinstance(segment, int) else len(segment)
        first, last = max(start - position, 0), min(stop - position, length)
        position += length
        if first >= last:
            continue
        if isinstance(segment, int):
            yield last - first
        else:
            yield segment if last - first == length else segment[first:last]
