"""Compaction between kept points: each reads as before, the others are refused, never wrong."""

from itertools import pairwise

import pytest
from engine_model import create, delete, rename, truncate, write
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_model import CHANGES, Shop, cut_before_each_action

from engine import Image
from engine.basics.errors import PointRefused
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


def intervals_of(kept):
    return list(pairwise(kept))


@settings(deadline=None, max_examples=120)
@given(CHANGES, st.data())
def test_every_kept_point_reads_byte_for_byte_as_before(changes, data):
    check_a_history(changes, data)


@pytest.mark.nightly
@settings(deadline=None, max_examples=10_000)
@given(CHANGES, st.data())
def test_every_kept_point_of_many_histories_reads_as_before(changes, data):
    check_a_history(changes, data)


def check_a_history(changes, data):
    shop = Shop(changes, segment_bytes_max=data.draw(st.sampled_from([1, 150, 400])))
    if data.draw(st.booleans()):
        shop.run(shop.keeper())
    points = st.sets(st.integers(0, len(changes)), min_size=2, max_size=6)
    kept = sorted(data.draw(points) | {0})
    for low, high in data.draw(st.permutations(intervals_of(kept))):
        keeper = shop.keeper()
        keeper.compact(low, high)
        shop.run(keeper)
        shop.check_kept(kept)
    shop.open()
    shop.check_kept(kept)
    if data.draw(st.booleans()):
        floor = data.draw(st.sampled_from(kept[1:]))
        keeper = shop.keeper()
        keeper.raise_floor(floor)
        shop.run(keeper)
        kept = [point for point in kept if point >= floor]
        shop.check_kept(kept)
        shop.open()
        shop.check_kept(kept)
        for low, high in intervals_of(kept)[:1]:
            keeper = shop.keeper()
            keeper.compact(low, high)
            shop.run(keeper)
        shop.check_kept(kept)


def test_merging_two_compacted_intervals_gives_the_point_between_up():
    shop = Shop(WORK, segment_bytes_max=100)
    for low, high in ((0, 4), (4, 9), (0, 9)):
        keeper = shop.keeper()
        keeper.compact(low, high)
        shop.run(keeper)
    assert shop.check_kept([0, 9, 12]) == 8
    compacted = [entry for entry in shop.layers if entry.kind == LayerKind.COMPACTED]
    assert [(entry.low, entry.high) for entry in compacted] == [(0, 9)]


def test_what_was_compacted_is_refused_with_the_nearest_points_and_its_files_are_gone(figure):
    shop = Shop(WORK, segment_bytes_max=1)
    before = set(shop.storage.names())
    keeper = shop.keeper()
    keeper.compact(0, 6)
    keeper.compact(6, 11)
    shop.run(keeper)
    gone = before - set(shop.storage.names())
    assert {f"{n:020d}.segment" for n in range(1, 12)} <= gone
    with pytest.raises(PointRefused, match="compacted away") as refused:
        Image(shop.journal, 4)
    assert (refused.value.earlier, refused.value.later) == (None, "sequence 6")
    assert shop.check_kept([0, 6, 11, 12]) == 9
    figure(f"{len(gone)} files of {len(before)} left")


def test_an_order_for_a_point_that_is_not_kept_is_passed_over_and_told():
    shop = Shop(WORK, segment_bytes_max=1)
    keeper = shop.keeper()
    keeper.raise_floor(7)
    keeper.compact(3, 9)
    keeper.compact(7, 9)
    shop.run(keeper)
    assert [str(refusal.later) for refusal in keeper.refused] == ["sequence 7"]
    assert keeper.failure is None
    shop.check_kept([7, 9])


def test_after_the_floor_was_raised_nothing_older_is_kept_or_offered():
    shop = Shop(WORK, segment_bytes_max=1)
    keeper = shop.keeper()
    keeper.raise_floor(7)
    shop.run(keeper)
    assert shop.check_kept([7]) == 6  # all but the empty beginning
    assert min(entry.high for entry in shop.layers) == 7
    older = [name for name in shop.storage.names() if name < f"{8:020d}"]
    assert older == [entry.name for entry in shop.layers if entry.high == 7]
    with pytest.raises(PointRefused) as refused:
        Image(shop.journal, 3)
    assert (refused.value.earlier, refused.value.later) == (None, "sequence 7")


def ordered(shop):
    keeper = shop.keeper()
    keeper.compact(5, 8)
    keeper.compact(8, 11)
    keeper.compact(0, 5)
    keeper.raise_floor(8)
    return keeper


@pytest.mark.parametrize("fate", FATES)
def test_a_crash_after_any_action_of_a_compaction_costs_no_kept_point(fate, crashes):
    fresh, actions_cut, kept = Shop(WORK, segment_bytes_max=100), 0, [0, 5, 8, 11]
    fresh.run(fresh.keeper())
    for shop in cut_before_each_action(
        fresh, lambda shop, at_action: shop.run(ordered(shop), at_action), fate
    ):
        actions_cut += 1
        shop.open()
        is_floor_raised = any(
            entry.kind == LayerKind.IMAGE and entry.high == 8 for entry in shop.layers
        )
        shop.check_kept([8, 11] if is_floor_raised else kept)
        keeper = shop.keeper()
        for action in keeper.leftovers():
            shop.storage.carry_out(action)
        if not is_floor_raised:
            shop.run(ordered(shop))
        shop.check_kept([8, 11])
        layers = {name for name in shop.storage.names() if name.endswith(".layer")}
        assert layers == {entry.name for entry in shop.layers}
    assert actions_cut > 20
    crashes("merge", actions_cut, 2 * actions_cut * len(fresh.references))


def test_while_an_image_is_held_nothing_that_it_reads_leaves():
    shop = Shop(WORK, segment_bytes_max=1)
    image, keeper = Image(shop.journal, 4), shop.keeper()
    keeper.hold()
    keeper.compact(0, 6)
    while not keeper.is_waiting:
        for action in keeper.step():
            if hasattr(action, "token"):
                shop.storage.unsynced.pop(action.name, None)
                keeper.sync_done(action.token)
            else:
                shop.storage.carry_out(action)
    for name, content in shop.references[4].items():
        assert image.read(name, 0, 100) == content
    shop.check_all()
    keeper.release()
    shop.run(keeper)
    assert shop.check_kept([0, 6, 12])
