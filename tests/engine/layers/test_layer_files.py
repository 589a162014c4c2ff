"""Layer files: every byte is vouched for, and a read reads what it needs and no more."""

import pytest
from engine_model import GROUP, create, rename, truncate, write
from layer_model import Shop, contents_of

from engine.basics.errors import JournalDamaged, SegmentForeign
from engine.basics.settings import LayerSettings
from engine.formats.layers import (
    LAYER_FOOTER_BYTES,
    LAYER_HEADER_BYTES,
    LayerHeader,
    LayerKind,
    decode_layer_header,
    encode_layer_header,
    generation_of_name,
    layer_name,
)
from engine.layers.reader import LayerFile
from engine.layers.strata import View

HISTORY = [
    create("a"),
    write("a", 0, b"first" * 8, 40, b"last"),
    create("b"),
    write("b", 100, b"far out"),
    truncate("a", 30),
    truncate("a", 60),
    rename("b", "ç"),
]
ROOMY = LayerSettings(compression_level=None)


def test_a_damaged_byte_anywhere_is_refused_or_was_not_looked_at():
    shop = Shop(HISTORY)
    entry = shop.flatten(0, 7)
    expected, content = shop.references[7], shop.storage.files[entry.name]
    refused = 0
    for position in range(entry.length):
        content[position] ^= 0x10
        with pytest.raises(JournalDamaged) as found:
            list(LayerFile(shop.storage, entry, GROUP).verify(50))
        assert found.value.file == entry.name
        assert "from another copy" in found.value.hint
        try:
            assert contents_of(View([LayerFile(shop.storage, entry, GROUP)])) == expected
        except JournalDamaged:
            refused += 1
        content[position] ^= 0x10
    assert refused == entry.length - LAYER_HEADER_BYTES
    assert sum(LayerFile(shop.storage, entry, GROUP).verify(50)) == (
        entry.length - LAYER_FOOTER_BYTES
    )


def test_a_layer_cut_short_anywhere_is_refused():
    shop = Shop(HISTORY)
    entry = shop.flatten(0, 7)
    while shop.storage.files[entry.name]:
        del shop.storage.files[entry.name][-1:]
        with pytest.raises(JournalDamaged):
            contents_of(View([LayerFile(shop.storage, entry, GROUP)]))


def test_a_layer_in_anothers_place_is_refused():
    shop = Shop(HISTORY)
    lower, upper = shop.flatten(0, 4), shop.flatten(4, 7)
    files = shop.storage.files
    files[lower.name], files[upper.name] = files[upper.name], files[lower.name]
    for entry in (lower, upper):
        with pytest.raises(JournalDamaged):
            contents_of(View([LayerFile(shop.storage, entry, GROUP)]))
    same = upper._replace(name=lower.name, low=3)
    with pytest.raises(JournalDamaged, match="another layer"):
        assert LayerFile(shop.storage, same, GROUP).header


def test_a_layer_of_another_group_is_refused():
    shop = Shop(HISTORY)
    entry = shop.flatten(0, 7)
    with pytest.raises(SegmentForeign, match="group"):
        assert LayerFile(shop.storage, entry, GROUP + 1).header


def test_a_header_survives_the_way_to_bytes_and_back():
    shop = Shop(HISTORY)
    header = LayerHeader(LayerKind.COMPACTED, 3, GROUP, shop.cursor(2), shop.cursor(7))
    assert decode_layer_header(encode_layer_header(header)) == header
    assert generation_of_name(layer_name(2, 7, 41)) == 41
    for other in ("00000000000000000001.segment", "x-y-z.layer", "1-2-3.layer", "manifest"):
        assert generation_of_name(other) is None


class Reads:
    """Counts what is read of a storage."""

    def __init__(self, storage):
        self._read, self.count, self.bytes, self.names = storage.read, 0, 0, set()
        storage.read = self

    def __call__(self, name, offset, length):
        self.count, self.bytes = self.count + 1, self.bytes + length
        self.names.add(name)
        return self._read(name, offset, length)

    def taken(self):
        found = self.count, self.bytes
        self.count = self.bytes = 0
        return found


def test_a_read_of_a_layer_reads_its_tables_once_and_then_a_page_and_a_block(figure):
    writes = [write("a", 1_000 * n, bytes([n % 251 + 1]) * 500) for n in range(600)]
    shop = Shop([create("a"), *writes], segment_bytes_max=1 << 30)
    entry = shop.flatten(0, 601, settings=ROOMY)
    reads, view = Reads(shop.storage), View([LayerFile(shop.storage, entry, GROUP)])
    assert reads.taken()[0] == 1 + 1  # footer, table of files: the names
    (file,) = view.names
    assert view.read(file, 300_000, 10) == (bytes([50]) * 10,)
    count, size = reads.taken()
    assert count == 1 + 1 + 1  # directory, page, block
    assert size < 500 + 256 * 40 + 200
    assert view.read(file, 301_000, 10) == (bytes([51]) * 10,)
    assert reads.taken() == (1, 500)
    assert view.read(file, 301_400, 400) == (bytes([51]) * 100, 300)
    assert reads.taken() == (0, 0)
    figure(f"one block of a layer of {entry.length} bytes: {count} reads, {size} bytes")


def test_a_read_touches_only_layers_that_overlap_it():
    shop = Shop([])
    entries = []
    for n in range(4):
        shop.show(create(f"f{n}"))
        shop.show(write(f"f{n}", 0, bytes([n + 1]) * 100))
        entries.append(shop.flatten(2 * n, 2 * n + 2))
    view = shop.map.view(8)
    reads = Reads(shop.storage)
    assert view.read(4, 0, 5) == (b"\x04" * 5,)
    assert reads.names == {entries[3].name}
    assert view.read(2, 0, 5) == (b"\x02" * 5,)
    assert entries[0].name not in reads.names
