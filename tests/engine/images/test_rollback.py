"""Rollback in place: the files of any point become those of any other, by what differs only."""

from engine_model import create, rename, truncate, write
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_model import CHANGES, Shop, Volume, small_blocks

from engine.contract import volumes
from engine.images.rollback import Rollback
from engine.layers.differences import DiffMap


def roll(shop, here, there):
    volume = Volume(shop.references[here])
    rollback = Rollback(DiffMap.between(shop.map, here, there), step_bytes_max=16)
    listed = sum(length for _, _, length in rollback.differing())
    while actions := rollback.step():
        for action in actions:
            volume.carry_out(action)
    assert isinstance(action, volumes.FlushVolume)
    rollback.flushed()
    assert rollback.is_done
    assert rollback.bytes_done == volume.written
    return volume, listed


@settings(deadline=None, max_examples=150)
@given(CHANGES, st.data())
def test_the_files_of_any_point_become_those_of_any_other(changes, data):
    shop = Shop(changes, segment_bytes_max=150)
    if data.draw(st.booleans()):
        shop.run(shop.keeper())
    here, there = (data.draw(st.integers(0, len(changes))) for _ in range(2))
    with small_blocks():
        volume, _ = roll(shop, here, there)
    assert volume.files == shop.references[there]


def test_only_the_blocks_that_differ_are_named_and_written():
    shop = Shop(
        [
            create("a"),
            write("a", 0, bytes(range(1, 201)) * 500),
            write("a", 40_000, b"here"),
            write("a", 81_910, b"across a border"),
        ]
    )
    rollback = Rollback(DiffMap.between(shop.map, 4, 2))
    assert list(rollback.differing()) == [("a", 36_864, 4_096), ("a", 77_824, 8_192)]
    volume, listed = roll(shop, 4, 2)
    assert volume.files == shop.references[2]
    assert volume.written == listed == 12_288


def test_a_file_cut_and_grown_again_is_restored_where_it_was_cut():
    shop = Shop(
        [create("a"), write("a", 0, b"x" * 20_000), truncate("a", 5_000), truncate("a", 9_000)]
    )
    for here in range(5):
        for there in range(5):
            volume, _ = roll(shop, here, there)
            assert volume.files == shop.references[there], (here, there)


def test_names_that_went_round_come_back():
    shop = Shop([create("a"), create("b"), write("a", 0, b"A"), write("b", 0, b"B")])
    for change in (rename("a", "c"), rename("b", "a"), rename("c", "b")):
        shop.show(change)
    volume, listed = roll(shop, 7, 4)
    assert volume.files == shop.references[4]
    assert listed == 0
