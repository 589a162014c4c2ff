"""Long values as nodes of a tree: a root node and chunks (ese-format.md E).

Not checked here: that the chunks of a value make up its size; the reader of the tree sees all of
them and does that.
"""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from emulators.ese.formats.format import EXCHANGE_2007, FORMATS, Format
from sim.payload import Segments, length_of

_ROOT = Struct("<II")
_CHUNK_KEY = Struct(">II")
LID_BYTES = 4

_ZERO_CHUNKS = {each.long_value_chunk_bytes: bytes(each.long_value_chunk_bytes) for each in FORMATS}
"""One shared object per chunk size, so that sparse values take no memory."""


class LongValueRoot(NamedTuple):
    """How often a long value is referred to, and how many bytes it has."""

    reference_count: int
    size: int


def root_key(lid: int) -> bytes:
    """Return the key of a value's root node; the keys of its chunks begin with it."""
    return lid.to_bytes(LID_BYTES, "big")


def chunk_key(lid: int, offset: int) -> bytes:
    """Return the key of the chunk that begins at byte `offset` of the value."""
    return _CHUNK_KEY.pack(lid, offset)


def lid_of(key: bytes) -> int:
    """Return the LID that a root or chunk key belongs to."""
    return int.from_bytes(key[:LID_BYTES], "big")


def is_root_key(key: bytes) -> bool:
    """Return whether a key of the tree is that of a root node."""
    return len(key) == LID_BYTES


def encode_root(size: int, reference_count: int = 1) -> bytes:
    """Return the data of a root node."""
    return _ROOT.pack(reference_count, size)


def decode_root(data: bytes) -> LongValueRoot:
    """Read the data of a root node."""
    return LongValueRoot(*_ROOT.unpack(data))


def nodes_of(
    lid: int, payload: Segments | bytes, file_format: Format = EXCHANGE_2007
) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and data of every node of a value, in key order."""
    segments = (payload,) if isinstance(payload, bytes) else payload
    size = length_of(segments)
    yield root_key(lid), encode_root(size)
    chunk_bytes = file_format.long_value_chunk_bytes
    for index, chunk in enumerate(chunks_of(segments, chunk_bytes)):
        yield chunk_key(lid, index * chunk_bytes), chunk


def chunks_of(segments: Segments, chunk_bytes: int) -> Iterator[bytes]:
    """Cut a payload into chunks; a chunk of zeros only is a shared object."""
    parts: list[bytes] = []
    room = chunk_bytes
    for segment in segments:
        start, length = 0, segment if isinstance(segment, int) else len(segment)
        while start < length:
            take = min(room, length - start)
            if isinstance(segment, int):
                parts.append(_zeros(take))
            else:
                parts.append(segment[start : start + take])
            start += take
            room -= take
            if room == 0:
                yield parts[0] if len(parts) == 1 else b"".join(parts)
                parts, room = [], chunk_bytes
    if parts:
        yield b"".join(parts)


def _zeros(size: int) -> bytes:
    shared = _ZERO_CHUNKS.get(size)
    return bytes(size) if shared is None else shared
