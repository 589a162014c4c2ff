"""Index files, standings and the manifest: what was encoded is decoded, nothing else is."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.basics.cursor import Cursor
from engine.formats.index_files import (
    INDEX_HEAD_BYTES,
    Event,
    FileRow,
    IndexHead,
    Section,
    decode_index_head,
    encode_index,
    index_digest,
    pack_columns,
    pack_events,
    pack_files,
    unpack_columns,
    unpack_events,
    unpack_files,
)
from engine.formats.layers import LayerEntry
from engine.formats.manifest import (
    KeptPoint,
    Manifest,
    ManifestEncoder,
    ManifestUnreadable,
    Pin,
    SegmentEntry,
    decode_manifest,
    encode_manifest,
)
from engine.formats.standings import FileEntry, Standing, decode_standing, encode_standing

U8, U16 = st.integers(0, 2**8 - 1), st.integers(0, 2**16 - 1)
U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
DIGEST = st.binary(min_size=16, max_size=16)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
CURSOR = st.builds(Cursor, U32, U64, U32)
FILES = st.lists(st.builds(FileEntry, U32, TEXT, U64), max_size=4).map(tuple)
STANDING = st.builds(
    Standing, CURSOR, U64, st.one_of(st.none(), U64), U64, st.booleans(), U32, FILES
)
EVENT = st.builds(Event, U64, U64, U64, U32, U16, U16, TEXT)
ROW = st.builds(FileRow, U32, U32, U32, st.one_of(st.none(), st.integers(0, 9)), U64, U64)
SEGMENT = st.builds(
    SegmentEntry,
    st.builds(Cursor, U32, st.integers(0, 10**15), U32),
    CURSOR,
    U64,
    U64,
    U64,
    U64,
    DIGEST,
    U64,
    DIGEST,
    st.lists(st.tuples(U32, U32), max_size=3).map(tuple),
)


def tuples(entry):
    return st.lists(entry, max_size=3).map(tuple)


MANIFEST = st.builds(
    Manifest,
    U32,
    U64,
    st.lists(STANDING, min_size=1, max_size=2).map(tuple),
    tuples(SEGMENT),
    tuples(st.builds(LayerEntry, TEXT, U32, U32, U64, U64, U64, DIGEST)),
    tuples(st.builds(KeptPoint, CURSOR, U64, U32, TEXT, DIGEST)),
    tuples(st.builds(Pin, U64, TEXT, TEXT)),
    tuples(TEXT),
)


@given(STANDING)
def test_a_standing_is_decoded_as_it_was_encoded(standing):
    assert decode_standing(encode_standing(standing)) == standing


@given(MANIFEST)
def test_a_manifest_is_decoded_as_it_was_encoded(manifest):
    assert decode_manifest(encode_manifest(manifest)) == manifest


@given(st.lists(MANIFEST, max_size=4), st.lists(SEGMENT, min_size=6, max_size=6))
def test_manifests_encoded_one_after_the_other_are_as_if_each_were_the_only_one(manifests, more):
    encoder = ManifestEncoder()
    for manifest in manifests:
        for count in (1, 3, 4, 6, 2):
            grown = manifest._replace(segments=manifest.segments + tuple(more[:count]))
            assert encoder.encode(grown) == encode_manifest(grown)


@given(MANIFEST, st.data())
def test_a_manifest_with_any_byte_changed_or_missing_is_unreadable(manifest, data):
    whole = encode_manifest(manifest)
    offset = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[offset] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(changed), whole[:offset], whole + b"\0"):
        with pytest.raises(ManifestUnreadable):
            decode_manifest(damaged)


@given(st.lists(EVENT, max_size=5), st.lists(ROW, max_size=5))
def test_events_and_file_rows_are_unpacked_as_they_were_packed(events, rows):
    assert unpack_events(pack_events(events)) == events
    assert unpack_files(pack_files(rows)) == rows


@given(st.lists(st.tuples(U8, U32, U64, U32), max_size=9))
def test_columns_are_unpacked_as_they_were_packed(rows):
    codes = "BIQI"
    columns = [array(code, [row[n] for row in rows]) for n, code in enumerate(codes)]
    assert unpack_columns(pack_columns(*columns), codes) == columns


@given(st.lists(st.binary(max_size=9), min_size=len(Section), max_size=len(Section)), st.data())
def test_a_head_finds_its_sections_and_no_changed_byte_goes_unnoticed(contents, data):
    head = IndexHead(7, 11, 20, 0xC0FFEE, 3, 99)
    sections = dict(zip(Section, contents, strict=True))
    whole = encode_index(head, sections)
    decoded = decode_index_head(whole)
    assert decoded[:6] == head[:6]
    for kind, content in sections.items():
        _, offset, length = decoded.place(kind)
        assert whole[offset : offset + length] == content
    offset = data.draw(st.integers(0, INDEX_HEAD_BYTES - 1))
    changed = bytearray(whole)
    changed[offset] ^= data.draw(st.integers(1, 255))
    assert decode_index_head(bytes(changed)) is None
    assert index_digest(bytes(changed)) != index_digest(whole)
    assert decode_index_head(whole[: INDEX_HEAD_BYTES - 1]) is None
