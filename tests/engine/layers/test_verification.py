"""The scrubber of layers: finds what has rotted, wherever it is, and proves what has not."""

import pytest
from engine_model import create, settle, write
from layer_model import Shop

from engine.basics.errors import CertificateMismatch
from engine.formats.manifest import KeptPoint
from engine.layers.certified import certificate_at
from engine.layers.verification import LayerVerifier

CHANGES = [create("a"), *[write("a", 50 * n, bytes([n + 1]) * 60) for n in range(8)]]


@pytest.fixture
def shop():
    shop = Shop(CHANGES, segment_bytes_max=200)
    points = [KeptPoint(shop.cursor(n), n, 1, "", certificate_at(shop.map, n)) for n in (3, 6, 9)]
    points.append(KeptPoint(shop.cursor(8), 8, 1, "", bytes(16)))
    settle(shop.journal, shop.storage, shop.journal.publish(points=points))
    keeper = shop.keeper()
    for low, high in ((0, 3), (3, 6)):
        keeper.compact(low, high)
    shop.run(keeper)
    assert len(shop.layers) >= 2
    return shop


def verified(shop):
    verifier = LayerVerifier(shop.map, step_bytes_max=100)
    steps = 0
    while verifier.step():
        steps += 1
    assert steps > 3
    return verifier


def test_undamaged_layers_are_verified_and_kept_points_proven(shop):
    found = verified(shop)
    assert found.damage == []
    assert found.verified == [entry.name for entry in shop.layers]
    assert found.proven == [3, 6, 9]  # the certificate of 8 is not known


def test_rot_in_any_layer_is_found_and_hides_no_other(shop):
    for entry in shop.layers:
        content = shop.storage.files[entry.name]
        content[entry.length // 2] ^= 1
        found = verified(shop)
        assert found.damage[0].file == entry.name
        assert found.verified == [e.name for e in shop.layers if e.name != entry.name]
        content[entry.length // 2] ^= 1


def test_a_point_whose_certificate_is_anothers_is_not_proven(shop):
    points = [
        point._replace(certificate=bytes(15) + b"x") if point.cursor.sequence == 6 else point
        for point in shop.journal.manifest.points
    ]
    settle(shop.journal, shop.storage, shop.journal.publish(points=[]))  # I2 refuses a change
    settle(shop.journal, shop.storage, shop.journal.publish(points=points))
    found = verified(shop)
    assert found.proven == [3, 9]
    assert [type(damage) for damage in found.damage] == [CertificateMismatch]
    assert found.damage[0].sequence == 6
    assert "another copy" in found.damage[0].hint


def test_a_kept_point_that_no_layer_leads_to_is_told(shop):
    lost = next(entry for entry in shop.layers if entry.high == 6)
    settle(
        shop.journal,
        shop.storage,
        shop.journal.publish(layers=[entry for entry in shop.layers if entry != lost]),
    )
    found = verified(shop)
    assert found.proven[:1] == [3]
    assert [damage.sequence for damage in found.damage][:1] == [6]
