"""The keeper: layers appear by the thresholds, and no crash at any action costs a point."""

import pytest
from engine_model import create, delete, rename, truncate, write
from hypothesis import given, settings
from layer_model import CHANGES, SMALL, Shop, cut_before_each_action

from engine import actions
from engine.formats.layers import LayerKind

FATES = ("kept", "torn", "lost", "cut")
WORK = [
    create("a"),
    write("a", 0, b"one" * 9),
    create("b"),
    write("b", 5, b"two" * 9, 30),
    truncate("a", 4),
    truncate("a", 20),
    write("a", 18, b"three"),
    rename("b", "c"),
    delete("c"),
    create("b"),
    write("b", 0, b"four" * 5),
    write("a", 2, b"five"),
]


@settings(deadline=None, max_examples=60)
@given(CHANGES)
def test_whatever_the_keeper_makes_every_point_reads_as_before(changes):
    shop = Shop(changes, segment_bytes_max=150)
    shop.run(shop.keeper())
    shop.check_all()
    shop.open()
    shop.check_all()


def test_enough_segments_make_a_delta_enough_deltas_a_larger_one_and_an_image():
    shop, made = Shop([], segment_bytes_max=100), []
    for change in WORK * 4:
        if change.kind == 4 and change.file in shop.references[-1]:
            continue
        shop.show(change)
        shop.run(shop.keeper())
        made += [(entry.kind, entry.level) for entry in shop.layers]
        assert shop.keeper().segments_behind < SMALL.segments_per_delta
    assert {(LayerKind.DELTA, 1), (LayerKind.DELTA, 2), (LayerKind.IMAGE, 0)} <= set(made)
    shop.check_all()


@pytest.mark.parametrize("fate", FATES)
def test_a_crash_after_any_action_leaves_every_point_as_it_was(fate, crashes):
    fresh, actions_cut = Shop(WORK, segment_bytes_max=100), 0
    for shop in cut_before_each_action(
        fresh, lambda shop, at_action: shop.run(shop.keeper(), at_action), fate
    ):
        actions_cut += 1
        shop.open()
        shop.check_all()
        keeper = shop.keeper()
        for action in keeper.leftovers():
            shop.storage.carry_out(action)
        shop.run(keeper)
        shop.check_all()
        names = {name for name in shop.storage.names() if name.endswith(".layer")}
        assert names == {entry.name for entry in shop.layers}
    assert actions_cut > 20
    crashes("merge", actions_cut, 2 * actions_cut * len(fresh.references))


def test_a_step_is_bounded_whatever_the_size_of_the_work():
    shop = Shop([create("a"), *[write("a", n * 40, b"x" * 40) for n in range(60)]])
    sizes = []
    shop.run(
        shop.keeper(),
        lambda action: (
            sizes.append(action.raw_bytes) if isinstance(action, actions.AppendFile) else None
        ),
    )
    assert max(sizes[:-1]) < SMALL.step_bytes_max + SMALL.block_bytes_max + 64 + 256 * 40
