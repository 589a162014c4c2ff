"""Payloads: bytes, or runs of zeros by their length.

A payload is a tuple of segments. A `bytes` segment is itself; an `int` segment stands for that
many zero bytes, which cost no memory and no time but are charged by disks and links at their
full size (design rule 7).
"""

from collections.abc import Iterable

__all__ = ["Segments", "length_of", "normalised", "slice_of", "to_bytes"]

Segments = tuple[bytes | int, ...]


def length_of(segments: Segments) -> int:
    """Return the number of bytes a payload stands for."""
    return sum(segment if isinstance(segment, int) else len(segment) for segment in segments)


def to_bytes(segments: Segments) -> bytes:
    """Return the payload written out."""
    if len(segments) == 1 and isinstance(segments[0], bytes):
        return segments[0]
    return b"".join(bytes(segment) if isinstance(segment, int) else segment for segment in segments)


def normalised(segments: Iterable[bytes | int]) -> Segments:
    """Return the payload without empty segments, neighbouring zero runs joined to one."""
    result: list[bytes | int] = []
    for segment in segments:
        if isinstance(segment, int):
            last = result[-1] if result else None
            if isinstance(last, int):
                result[-1] = last + segment
            elif segment:
                result.append(segment)
        elif segment:
            result.append(segment)
    return tuple(result)


def slice_of(segments: Segments, start: int, stop: int) -> Segments:
    """Return the bytes from `start` up to, not including, `stop`, both within the payload."""
    assert 0 <= start <= stop, f"slice [{start}:{stop}] runs backwards"
    result: list[bytes | int] = []
    position = 0
    for segment in segments:
        length = segment if isinstance(segment, int) else len(segment)
        first = max(start - position, 0)
        last = min(stop - position, length)
        if first < last:
            result.append(last - first if isinstance(segment, int) else segment[first:last])
        position += length
        if position >= stop:
            break
    assert position >= stop, f"slice [{start}:{stop}] of a payload of {position} bytes"
    return normalised(result)
