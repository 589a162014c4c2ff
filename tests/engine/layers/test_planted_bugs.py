"""Three bugs that layers could have, each put in by a test, and each found by the model."""

from random import Random

import pytest
from engine_model import create
from layer_model import KINDS, Shop, as_changes

from engine import actions
from engine.formats.layers import LayerKind
from engine.layers import reader, rewrite, rows, strata

HISTORIES_MAX = 200


def history(seed):
    random = Random(seed)
    return as_changes(
        [
            (
                random.choice(KINDS),
                random.randrange(3),
                random.randrange(70),
                random.randbytes(random.randrange(1, 40)),
            )
            for _ in range(20)
        ]
    )


def histories_until_found():
    """Return how many histories it takes until an image differs or a rewrite is refused."""
    for seed in range(HISTORIES_MAX):
        shop = Shop(history(seed), segment_bytes_max=150)
        keeper = shop.keeper()
        try:
            shop.run(keeper)
            shop.check_all()
        except AssertionError:
            return seed + 1
    return None


def test_without_a_planted_bug_nothing_is_found():
    for seed in range(20):
        shop = Shop(history(seed), segment_bytes_max=150)
        shop.run(shop.keeper())
        shop.check_all()


def test_an_older_layer_that_wins_over_a_newer_one_is_found(monkeypatch, planted):
    resolve = strata.resolve

    def oldest_first(those, *arguments, **options):
        return resolve(list(those)[::-1], *arguments, **options)

    monkeypatch.setattr(strata, "resolve", oldest_first)
    found = histories_until_found()
    assert found
    planted("an older layer wins over a newer one", f"history {found}")


@pytest.mark.parametrize("stratum", [reader.LayerFile, rows.RowStratum])
def test_a_truncate_and_extension_that_show_old_bytes_are_found(monkeypatch, planted, stratum):
    shape = stratum.shape
    monkeypatch.setattr(stratum, "shape", lambda self, file: shape(self, file)._replace(cut=None))
    found = histories_until_found()
    assert found
    planted(f"truncated and extended, {stratum.__name__} shows old bytes", f"history {found}")


class PublishedTooEarly(rewrite.Rewrite):
    """Publishes the layer before its sync is done."""

    def step(self):
        actions_of_step = super().step()
        if any(isinstance(action, actions.SyncFile) for action in actions_of_step):
            published = self._publish(self.entry)
            return [*published, *actions_of_step]
        return actions_of_step


@pytest.mark.parametrize("fate", ["torn", "lost", "cut"])
def test_a_manifest_replaced_before_the_layer_is_synced_is_found(monkeypatch, planted, fate):
    monkeypatch.setattr("engine.layers.keeper.Rewrite", PublishedTooEarly)
    fresh = Shop([*history(3), create("last")], segment_bytes_max=150)
    for point in range(60):
        shop, left = fresh.twin(), [point]
        keeper = shop.keeper()

        def crash(action, left=left):
            if not left[0]:
                raise InterruptedError
            left[0] -= 1

        with pytest.raises(InterruptedError):
            shop.run(keeper, crash)
        shop.storage.crash(lambda: fate)
        try:
            shop.open()
            shop.check_all()
        except reader.JournalDamaged:
            planted(
                f"the manifest is replaced before the layer is synced, {fate}", f"action {point}"
            )
            return
    pytest.fail("the crash sweep did not find it")


def test_the_kinds_of_layers_have_the_numbers_of_the_format():
    assert [int(kind) for kind in LayerKind] == [1, 2, 3]
