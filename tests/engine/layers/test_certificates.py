"""Certificates: rolled along any way they come out the same, and differ when anything does."""

import pytest
from engine_model import GROUP, create, rename, settle, truncate, write
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_model import CHANGES, KEY, Shop, small_blocks

from engine.basics.errors import CertificateMismatch
from engine.formats.manifest import KeptPoint
from engine.layers.certificates import Roll, certificate_of, digest_of_blocks, key_of
from engine.layers.certified import certificate_at, certificate_from_nothing
from engine.layers.strata import View


def from_nothing(shop, sequence):
    view = shop.map.view(sequence)
    return Roll(View([]), view, view.strata, {}, KEY).run()


def certificate(shop, sequence):
    found = certificate_at(shop.map, sequence)
    assert found == certificate_from_nothing(shop.map, sequence)
    return found


@settings(deadline=None, max_examples=100)
@given(CHANGES, st.data())
def test_rolled_over_any_stations_it_is_the_one_computed_from_nothing(changes, data):
    shop = Shop(changes, segment_bytes_max=200)
    if data.draw(st.booleans()):
        shop.run(shop.keeper())
    last = len(changes)
    stations = sorted(data.draw(st.sets(st.integers(1, last), max_size=5)) | {last})
    with small_blocks():
        at, digests = 0, {}
        for station in stations:
            low, high = shop.map.view(at), shop.map.view(station)
            between = shop.map.strata_between(at, station)
            digests = Roll(low, high, between, digests, KEY).run()
            assert digests == from_nothing(shop, station)
            at = station


@settings(deadline=None, max_examples=60)
@given(CHANGES)
def test_two_copies_with_other_segments_and_layers_have_the_same_certificates(changes):
    one, other = Shop(changes, segment_bytes_max=100), Shop(changes, segment_bytes_max=5_000)
    one.run(one.keeper())
    seen = {}
    for sequence in range(len(changes) + 1):
        found = certificate(one, sequence)
        assert found == certificate(other, sequence)
        state = seen.setdefault(found, one.references[sequence])
        assert state == one.references[sequence], "another state has the same certificate"


def test_names_sizes_and_every_byte_are_vouched_for():
    base = [create("a"), write("a", 0, b"x" * 5_000)]
    histories = [
        base,
        [*base, rename("a", "b")],
        [*base, truncate("a", 5_001)],
        [*base, write("a", 4_999, b"y")],
        [*base, create("b")],
    ]
    shops = [Shop(history) for history in histories]
    found = [certificate(shop, len(shop.references) - 1) for shop in shops]
    assert len(set(found)) == len(histories)
    table = []
    assert certificate_of(table, KEY) != certificate_of(table, key_of(GROUP + 1))


def test_zeros_count_as_nothing_however_they_are_written():
    assert digest_of_blocks(KEY, 1, 0, (1 << 40,)) == 0
    assert digest_of_blocks(KEY, 1, 0, (bytes(5_000),)) == 0
    full = digest_of_blocks(KEY, 1, 0, (bytes(4_096) + b"x",))
    assert full == digest_of_blocks(KEY, 1, 4_096, (b"x" + bytes(4_095),)) != 0


def test_a_layer_that_reads_back_otherwise_is_not_published():
    shop = Shop([create("a"), write("a", 0, b"content"), create("b")], segment_bytes_max=1)
    keeper, names = shop.keeper(), []
    carry_out = shop.storage.carry_out

    def corrupt(action):
        carry_out(action)
        if action.name.endswith(".layer"):
            names.append(action.name)

    shop.storage.carry_out = corrupt
    read = shop.storage.read
    shop.storage.read = lambda name, offset, length: (
        read(name, offset, length).replace(b"content", b"CONTENT")
        if name.endswith(".layer")
        else read(name, offset, length)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.layers.reader.crc32", lambda _: CRC_OF_ALL)
        while not keeper.is_idle:
            for action in keeper.step():
                if hasattr(action, "token"):
                    shop.storage.unsynced.pop(action.name)
                    keeper.sync_done(action.token)
                else:
                    shop.storage.carry_out(action)
    assert isinstance(keeper.failure, CertificateMismatch)
    assert "Nothing was published or deleted" in keeper.failure.hint
    assert shop.layers == ()
    assert not any(shop.storage.exists(name) for name in names)


@pytest.mark.parametrize("is_right", [True, False])
def test_a_kept_point_whose_files_have_changed_is_not_compacted(is_right):
    shop = Shop([create("a"), write("a", 0, b"content"), create("b")], segment_bytes_max=1)
    certificate = certificate_at(shop.map, 2 if is_right else 1)
    point = KeptPoint(shop.cursor(2), 2, 1, "", certificate)
    settle(shop.journal, shop.storage, shop.journal.publish(points=[point]))
    keeper = shop.keeper()
    keeper.compact(0, 2)
    while keeper.failure is None and not (begun := keeper.step()):
        pass
    assert bool(begun) is is_right, "the layer's file is not even begun"
    assert isinstance(keeper.failure, CertificateMismatch) is not is_right


class _EqualsAll(int):
    """A checksum that fits everything: what the certificate alone would have to find."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = int.__hash__


CRC_OF_ALL = _EqualsAll()
