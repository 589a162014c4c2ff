"""Power cuts: what was not flushed is kept, torn or lost, each write for itself."""

import pytest
from mail_world import DATABASE, copy_of, recover, recover_and_check
from power_cuts import HEADER_BYTES, Replayed, sweep_power_cuts
from workloads import WORKLOADS, world_of

from emulators.ese.errors import EseError
from sim.volume import Fate, Kind, Torn


def test_every_fate_of_what_was_not_flushed_keeps_what_was_acknowledged(figure):
    world = world_of("few messages")
    counts = sweep_power_cuts(
        world, world.mounted_after, len(world.operations), every=True, combinations_max=200
    )
    figure(f"{counts}")
    assert counts["recovered"] > 40
    assert not counts["refused with a torn page"]


def test_a_power_cut_during_a_roll_or_a_freeze_loses_nothing():
    world = world_of("a freeze")
    start = next(
        number
        for number, operation in enumerate(world.operations)
        if number > world.mounted_after and operation.kind is Kind.CREATE
    )
    counts = sweep_power_cuts(world, start, start + 12, every=False, combinations_max=60)
    assert counts["recovered"] > 10


@pytest.mark.nightly
@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_power_cut_of_every_workload_recovers_or_is_refused_for_a_torn_page(workload, figure):
    world = world_of(workload)
    counts = sweep_power_cuts(
        world, world.mounted_after, len(world.operations), every=False, combinations_max=16
    )
    figure(f"{counts}")
    assert counts["recovered"] > 0


def test_pages_that_a_power_cut_lost_are_made_again_and_a_torn_one_is_named():
    world = world_of("pages are written")
    batches = [
        number
        for number, operation in enumerate(world.operations, 1)
        if number > world.mounted_after
        and operation.kind is Kind.WRITE
        and operation.file == DATABASE
        and operation.offset >= HEADER_BYTES
    ]
    assert len(batches) > 10
    for done in batches[:: len(batches) // 6]:
        for fate in (Fate.LOST, Fate.KEPT):
            files, _ = Replayed(world.operations[:done]).cut(lambda _, fate=fate: fate)
            assert recover_and_check(files, world.ledger(done)).problems == []
        files, torn = Replayed(world.operations[:done]).cut(lambda _: Torn(5))
        assert torn
        before = copy_of(files)
        with pytest.raises(EseError, match=r"-1018.*MDB1\.edb, page \d+"):
            recover(files)
        assert files._files == before._files, "a refusal changes nothing"
