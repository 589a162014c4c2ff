"""The manifest: one file, replaced as a whole, that says which files a journal consists of.

    magic u32 | crc u32 | version u16 | reserved u16 | group u32 | generation u64 |
    counts u32 * 6 | standing ... | segment ... | layer ... | point ... | pin ... | leaving ... |
    digest 16

Nothing is inferred from a directory listing (protection.md 3.2, rule 6): a sealed segment, an index
file or a layer belongs to the journal if the manifest names it, with its length and digest. The
standings are what the history had come to at its base, and wherever a segment has no predecessor
any more: the first of them is the base, in a branch a point of the parent. `leaving` names files
that no longer belong to the journal and are deleted as soon as this manifest is durable. Texts are
UTF-8 behind a u32 length, a standing stands behind a u32 length as well. The crc covers everything
after itself, the digest (blake2b) everything before it.
"""

import struct
from hashlib import blake2b
from typing import Any, NamedTuple

from isal.isal_zlib import crc32

from engine.basics.cursor import Cursor
from engine.formats.index_files import index_name
from engine.formats.layers import LayerEntry
from engine.formats.segments import DIGEST_BYTES, FORMAT_VERSION, PREFIX, segment_name
from engine.formats.standings import Standing, decode_standing, encode_standing

MANIFEST_NAME = "manifest"
MANIFEST_MAGIC = 0x31464D52  # "RMF1"

_HEAD = struct.Struct("<HHIQ6I")
_LENGTH = struct.Struct("<I")
_CURSOR = struct.Struct("<IQI")
_SEGMENT = struct.Struct("<QQQQ16sQ16sI")
_COUNT = struct.Struct("<II")
_LAYER = struct.Struct("<IIQQQ16s")
_POINT = struct.Struct("<QI16s")
_PIN = struct.Struct("<Q")


class SegmentEntry(NamedTuple):
    """A sealed segment and its index file: the cursors around it, lengths in bytes, digests.

    `event_counts` says how many records of each of the rarer kinds it has: (kind, count) pairs.
    """

    before: Cursor
    last: Cursor
    incarnation: int
    first_time_ns: int
    last_time_ns: int
    size: int
    digest: bytes
    index_size: int
    index_digest: bytes
    event_counts: tuple[tuple[int, int], ...]

    @property
    def first_sequence(self) -> int:
        """Return the sequence of its first record."""
        return self.before.sequence + 1

    @property
    def name(self) -> str:
        """Return the segment file's name."""
        return segment_name(self.first_sequence)

    @property
    def index_name(self) -> str:
        """Return the index file's name."""
        return index_name(self.first_sequence)


class KeptPoint(NamedTuple):
    """A point that outlives its record; `kind` is the record's, `certificate` 16 bytes."""

    cursor: Cursor
    source_time_ns: int
    kind: int
    label: str
    certificate: bytes


class Pin(NamedTuple):
    """A point that must not expire, by which name and why."""

    sequence: int
    name: str
    reason: str


class Manifest(NamedTuple):
    """All that belongs to a journal but its last, open segment; each list in order."""

    group: int
    generation: int
    standings: tuple[Standing, ...]
    segments: tuple[SegmentEntry, ...] = ()
    layers: tuple[LayerEntry, ...] = ()
    points: tuple[KeptPoint, ...] = ()
    pins: tuple[Pin, ...] = ()
    leaving: tuple[str, ...] = ()

    @property
    def base(self) -> Standing:
        """Return what the history had come to where this journal begins."""
        return self.standings[0]

    def names(self) -> set[str]:
        """Return the names of all files that belong to the journal."""
        found = {layer.name for layer in self.layers}
        for entry in self.segments:
            found |= {entry.name, entry.index_name}
        return found


class ManifestUnreadable(ValueError):  # noqa: N818 - it says what was found
    """The bytes are no undamaged manifest of this version."""


class ManifestEncoder:
    """Encodes one manifest after the other; most of their segments were in the one before."""

    def __init__(self) -> None:
        self._segments: tuple[SegmentEntry, ...] = ()
        self._encoded: list[bytes] = []

    def encode(self, manifest: Manifest) -> bytes:
        """Return the manifest's bytes."""
        counts = [len(entries) for entries in manifest[2:]]
        parts = [_HEAD.pack(FORMAT_VERSION, 0, manifest.group, manifest.generation, *counts)]
        for standing in manifest.standings:
            data = encode_standing(standing)
            parts += (_LENGTH.pack(len(data)), data)
        parts += self._encode_segments(manifest.segments)
        for name, kind, level, low, high, length, digest in manifest.layers:
            parts += (_LAYER.pack(kind, level, low, high, length, digest), _text(name))
        for cursor, time_ns, kind, label, certificate in manifest.points:
            parts += (_CURSOR.pack(*cursor), _POINT.pack(time_ns, kind, certificate), _text(label))
        for sequence, name, reason in manifest.pins:
            parts += (_PIN.pack(sequence), _text(name), _text(reason))
        parts += [_text(name) for name in manifest.leaving]
        return _sealed(b"".join(parts))

    def _encode_segments(self, segments: tuple[SegmentEntry, ...]) -> list[bytes]:
        known = len(self._segments)
        if segments[:known] != self._segments:
            known, self._encoded = 0, []
        self._encoded += [_encode_segment(entry) for entry in segments[known:]]
        self._segments = segments
        return self._encoded


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest's bytes."""
    return ManifestEncoder().encode(manifest)


def decode_manifest(data: bytes) -> Manifest:
    """Return the manifest.

    Raises:
        ManifestUnreadable: The bytes are damaged, or of another version.
    """
    reader = _Reader(_checked(data))
    version, _, group, generation, *counts = reader.take(_HEAD)
    if version != FORMAT_VERSION:
        raise ManifestUnreadable(f"is of version {version}")
    standings, segments, layers, points, pins, leaving = counts
    return Manifest(
        group,
        generation,
        tuple(decode_standing(reader.bytes()) for _ in range(standings)),
        tuple(_segment(reader) for _ in range(segments)),
        tuple(_layer(reader) for _ in range(layers)),
        tuple(_point(reader) for _ in range(points)),
        tuple(_pin(reader) for _ in range(pins)),
        tuple(reader.text() for _ in range(leaving)),
    )


def _sealed(rest: bytes) -> bytes:
    body = PREFIX.pack(MANIFEST_MAGIC, crc32(rest)) + rest
    return body + blake2b(body, digest_size=DIGEST_BYTES).digest()


def _checked(data: bytes) -> bytes:
    if len(data) < PREFIX.size + _HEAD.size + DIGEST_BYTES:
        raise ManifestUnreadable("is too short")
    magic, crc = PREFIX.unpack_from(data)
    body, rest = data[:-DIGEST_BYTES], data[PREFIX.size : -DIGEST_BYTES]
    if magic != MANIFEST_MAGIC:
        raise ManifestUnreadable("does not begin as a manifest")
    if crc != crc32(rest) or blake2b(body, digest_size=DIGEST_BYTES).digest() != data[len(body) :]:
        raise ManifestUnreadable("does not fit its checksums")
    return rest


def _encode_segment(entry: SegmentEntry) -> bytes:
    counts = entry.event_counts
    return b"".join(
        (
            _CURSOR.pack(*entry.before),
            _CURSOR.pack(*entry.last),
            _SEGMENT.pack(*entry[2:9], len(counts)),
            *(_COUNT.pack(kind, count) for kind, count in counts),
        )
    )


def _text(text: str) -> bytes:
    data = text.encode()
    return _LENGTH.pack(len(data)) + data


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, form: struct.Struct) -> tuple[Any, ...]:
        fields = form.unpack_from(self._data, self._position)
        self._position += form.size
        return fields

    def bytes(self) -> bytes:
        (length,) = self.take(_LENGTH)
        self._position += length
        return self._data[self._position - length : self._position]

    def text(self) -> str:
        return self.bytes().decode()

    def cursor(self) -> Cursor:
        return Cursor(*self.take(_CURSOR))


def _segment(reader: _Reader) -> SegmentEntry:
    before, last = reader.cursor(), reader.cursor()
    fields = reader.take(_SEGMENT)
    counts = tuple(reader.take(_COUNT) for _ in range(fields[-1]))
    return SegmentEntry._make((before, last, *fields[:-1], counts))


def _layer(reader: _Reader) -> LayerEntry:
    fields = reader.take(_LAYER)
    return LayerEntry(reader.text(), *fields)


def _point(reader: _Reader) -> KeptPoint:
    cursor = reader.cursor()
    time_ns, kind, certificate = reader.take(_POINT)
    return KeptPoint(cursor, time_ns, kind, reader.text(), certificate)


def _pin(reader: _Reader) -> Pin:
    (sequence,) = reader.take(_PIN)
    return Pin(sequence, reader.text(), reader.text())
