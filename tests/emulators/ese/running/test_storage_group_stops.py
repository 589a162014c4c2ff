"""A storage group whose disk is full or gone: it stops, and keeps what it has promised."""

import pytest
from mail_world import DATABASE, LOG_BYTES, S, World, recover_and_check

from emulators.ese.errors import EseError
from emulators.ese.running.parameters import Parameters

SHALLOW = Parameters(checkpoint_depth_bytes=2 * LOG_BYTES)


def run_until_stopped(world, size=200_000):
    for _ in range(200):
        world.send(size)
        world.run(0.1)
        if world.group.error is not None:
            return len(world.submitted)
    raise AssertionError("the group never stopped")


def test_a_full_log_disk_stops_the_group_and_nothing_acknowledged_is_lost():
    world = World(log_bytes=6 * LOG_BYTES)
    sent = run_until_stopped(world)
    error = world.group.error
    assert error.code == -529
    assert "E00.log" in error.where
    assert "log volume" in error.hint
    acknowledged = len(world.acknowledged)
    assert 5 < acknowledged == sent, "the reserve logs hold what had been appended"
    for _ in range(5):
        world.send(1000)
    world.run(3600)
    assert len(world.acknowledged) == acknowledged
    assert world.freeze_error().code == -529
    assert not world.group.is_frozen
    assert world.kernel.unobserved_errors == []
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_a_log_disk_that_fills_during_a_freeze_fails_the_freeze():
    world = World(log_bytes=int(4.5 * LOG_BYTES))
    failures = []

    def freezes():
        while not failures:
            world.send(1000)
            try:
                yield from world.group.freeze()
            except EseError as failed:
                failures.append(failed.code)
                return
            world.group.thaw()
            yield world.kernel.sleep(S)

    world.spawn(freezes())
    world.run(60)
    assert failures == [-529]
    assert recover_and_check(world.files(), world.ledger()).problems == []


@pytest.mark.parametrize("megabytes", [4, 6])
def test_a_full_database_disk_stops_the_group_and_nothing_acknowledged_is_lost(megabytes):
    world = World(database_bytes=megabytes << 20, parameters=SHALLOW)
    run_until_stopped(world)
    assert world.group.error.code == -1808
    assert DATABASE in world.group.error.where
    world.run(60)
    acknowledged = len(world.acknowledged)
    for _ in range(30):
        world.send(200_000)
        world.run(1)
    assert len(world.acknowledged) == acknowledged
    assert world.kernel.unobserved_errors == []
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_a_page_that_has_to_be_read_from_a_lost_disk_stops_the_database():
    """It was not in the cache: the database was mounted anew and nobody has asked for it yet."""
    world = World()
    world.spawn(world.drip(40, 3000, every_ms=10))
    world.run(2)
    for process in (world.group.dismount(DATABASE), world.group.mount(DATABASE)):
        world.spawn(process)
        world.run(5)
    world.data.destroy()
    with pytest.raises(EseError) as caught:
        list(world.group.database(DATABASE).table("Msg").rows())
    assert caught.value.code == -1022
    assert DATABASE in caught.value.where
    assert "recover from" in caught.value.hint
    assert world.group.error is caught.value
    world.run(60)
    assert world.kernel.unobserved_errors == []


@pytest.mark.parametrize(("which", "code"), [("logs", -510), ("data", -1022)])
def test_the_loss_of_a_disk_stops_the_group(which, code):
    world = World(parameters=SHALLOW)
    world.spawn(world.drip(20, 100_000, every_ms=50))
    world.run(2)
    getattr(world, which).destroy()
    run_until_stopped(world)
    assert world.group.error.code == code
    world.run(60)
    acknowledged = len(world.acknowledged)
    world.send(1000)
    world.run(60)
    assert len(world.acknowledged) == acknowledged
    assert world.kernel.unobserved_errors == []
