"""The stored form of a record's payload: raw, compressed, or with its zero runs as numbers.

* raw: the payload's bytes.
* zstd (flag 1): used from 4 KiB up, and only where it shrinks to 7/8 or less (of large payloads a
  sample is asked first, see `engine.formats.sampling`).
* zero runs (flag 2): `count u32 | entry u32 * count | literals`. An entry's top bit marks a zero
  run, its other bits are a length; the literals follow one another, compressed if flag 1 is set
  too. Used when the payload has int segments and the form is shorter than the plain bytes.
"""

import struct
from collections.abc import Iterator
from typing import TypeVar

import zstandard

from engine.basics.errors import RecordDamaged
from engine.basics.payload import Segments, length_of, to_bytes
from engine.formats.records import (
    FLAG_ZERO_RUNS,
    FLAG_ZSTD,
    HEADER_BYTES,
    RecordHeader,
    ScannedRecord,
)
from engine.formats.sampling import is_compressible

_COUNT = struct.Struct("<I")
_ZERO_RUN = 1 << 31
COMPRESS_BYTES_MIN = 4096
_Body = TypeVar("_Body", bytes, memoryview)
#: Kept, for setting one up costs as much as decompressing a page; each call is independent.
_DECOMPRESSOR = zstandard.ZstdDecompressor()


class BodyEncoder:
    """Encodes payloads; one compressor is kept, for setting one up costs more than a page.

    Args:
        compression_level: zstd level (1 is the quick one, negative ones are quicker still), or
            None for no compression.
    """

    def __init__(self, compression_level: int | None) -> None:
        self._compressor = (
            None
            if compression_level is None
            else zstandard.ZstdCompressor(level=compression_level, write_checksum=False)
        )

    def encode(self, payload: Segments) -> tuple[bytes, int]:
        """Return the stored body and its flags."""
        if len(payload) == 1 and isinstance(payload[0], bytes):
            return self._compressed(payload[0])
        if not any(isinstance(segment, int) for segment in payload):
            return self._compressed(to_bytes(payload))
        table, literals = _zero_run_form(payload)
        if len(table) + len(literals) >= length_of(payload):
            return self._compressed(to_bytes(payload))
        stored, flags = self._compressed(literals)
        return table + stored, flags | FLAG_ZERO_RUNS

    def _compressed(self, data: bytes) -> tuple[bytes, int]:
        if self._compressor is None or len(data) < COMPRESS_BYTES_MIN:
            return data, 0
        if not is_compressible(self._compressor, (data,), len(data)):
            return data, 0
        packed = self._compressor.compress(data)
        if len(packed) * 8 > len(data) * 7:
            return data, 0
        return packed, FLAG_ZSTD


def decode_body(header: RecordHeader, body: _Body) -> tuple[_Body | bytes | int, ...]:
    """Return the payload that the stored body stands for; of a view, views where it is raw.

    Raises:
        RecordDamaged: The body does not decode to `raw_length` bytes.
    """
    payload: tuple[_Body | bytes | int, ...]
    if header.flags & FLAG_ZERO_RUNS:
        payload = tuple(_decode_zero_runs(header, body))
    elif header.flags & FLAG_ZSTD:
        payload = (_decompress(header, body, header.raw_length),)
    else:
        payload = (body,) if body else ()
    if length_of(payload) != header.raw_length:
        raise _damaged(header, f"decodes to {length_of(payload)} bytes")
    return payload


def body_of(record: ScannedRecord, view: bytes | memoryview) -> bytes:
    """Return the payload of a record that was scanned in `view`; raises as `decode_body`."""
    start = record.position + HEADER_BYTES
    stored = bytes(memoryview(view)[start : start + record.header.stored_length])
    return to_bytes(decode_body(record.header, stored))


def text_of(record: ScannedRecord, view: bytes | memoryview) -> str:
    """Return the name, label or reason in a record's body.

    Raises:
        RecordDamaged: It does not decode, or is no text.
    """
    try:
        return body_of(record, view).decode()
    except UnicodeDecodeError as error:
        raise RecordDamaged(f"Record {record.header.sequence}: its text is not UTF-8") from error


def _zero_run_form(payload: Segments) -> tuple[bytes, bytes]:
    entries: list[int] = []
    literals: list[bytes] = []
    for segment in payload:
        if isinstance(segment, int):
            assert 0 <= segment < _ZERO_RUN, "the capture bounds payloads far below 2 GiB"
            entries += [segment | _ZERO_RUN] if segment else []
        elif segment:
            entries.append(len(segment))
            literals.append(segment)
    return struct.pack(f"<I{len(entries)}I", len(entries), *entries), b"".join(literals)


def _decode_zero_runs(header: RecordHeader, body: _Body) -> Iterator[_Body | bytes | int]:
    if len(body) < _COUNT.size:
        raise _damaged(header, "has no zero-run table")
    (count,) = _COUNT.unpack_from(body)
    start = _COUNT.size * (count + 1)
    if start > len(body):
        raise _damaged(header, "ends inside its zero-run table")
    entries = struct.unpack_from(f"<{count}I", body, _COUNT.size)
    literal_bytes = sum(entry for entry in entries if not entry & _ZERO_RUN)
    if literal_bytes > header.raw_length:
        raise _damaged(header, "states more literals than bytes")
    literals: _Body | bytes = body[start:]
    if header.flags & FLAG_ZSTD:
        literals = _decompress(header, literals, literal_bytes)
    if len(literals) != literal_bytes:
        raise _damaged(header, "lacks literals")
    position = 0
    for entry in entries:
        if entry & _ZERO_RUN:
            yield entry & ~_ZERO_RUN
        else:
            yield literals[position : position + entry]
            position += entry


def _decompress(header: RecordHeader, packed: bytes | memoryview, expected: int) -> bytes:
    try:
        # The stated size is checked first: a wrong one is an error, not an allocation.
        if zstandard.frame_content_size(packed) != expected:
            raise _damaged(header, "states another decompressed size")
        return _DECOMPRESSOR.decompress(packed, max_output_size=expected)
    except zstandard.ZstdError as error:
        raise _damaged(header, f"does not decompress ({error})") from error


def _damaged(header: RecordHeader, what: str) -> RecordDamaged:
    return RecordDamaged(
        f"The body of record {header.sequence} (raw length {header.raw_length}) {what}"
    )
