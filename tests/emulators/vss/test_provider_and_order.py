"""Providers that fail or are slow, and steps out of order (exchange.md 4.1)."""

import pytest

from emulators.vss.codes import BackupType, VssCode, VssError, WriterState
from emulators.vss.provider import SlowProvider
from emulators.vss.requestor import CopyBackupRequestor, Outcome, RetryPolicy
from emulators.vss.service import SnapshotService
from emulators.vss.session import PhaseFault
from emulators.vss.transitions import WriterEvent
from sim.trace import Trace
from sim.volume import Volume

S = 10**9
MS = 10**6


@pytest.mark.parametrize("how", ["raises", "veto", "signal"])
def test_a_provider_that_fails_fails_the_set_and_nothing_else(world, how):
    veto = VssError(VssCode.VSS_E_PROVIDER_VETO, "provider", "no", "none")
    expected = VssCode.VSS_E_UNEXPECTED_PROVIDER_ERROR
    if how == "raises":
        world.provider.error = OSError("engine is down")
    elif how == "veto":
        world.provider.error = veto
        expected = VssCode.VSS_E_PROVIDER_VETO
    else:
        world.provider.delay_ns = S
        world.provider.fail_signal = OSError("engine is down")
    result = world.take()
    assert result.code is expected
    assert how == "veto" or "engine is down" in result.problem
    assert len(world.provider.aborted) == 1
    world.assert_nothing_is_held()


def test_a_signal_that_comes_after_the_limit_changes_nothing(world):
    world.provider.delay_ns = 30 * S
    assert world.take().code is VssCode.VSS_E_HOLD_WRITES_TIMEOUT
    world.provider.fail_signal = OSError("late")
    assert world.take().code is VssCode.VSS_E_HOLD_WRITES_TIMEOUT
    world.assert_nothing_is_held()


@pytest.mark.parametrize(("delay_s", "taken"), [(2, True), (12, False)])
def test_a_slow_provider_can_be_put_around_a_real_one(world, delay_s, taken):
    slow = SlowProvider(world.kernel, world.provider, delay_s * S)
    requestor = CopyBackupRequestor(
        world.kernel, world.service, world.volumes, slow, retries=RetryPolicy(attempts_max=1)
    )
    if not taken:
        # The inner commit comes late, when nothing is held any more, as it would in reality.
        world.provider.commit = lambda set_id, _: world.provider.committed.append((set_id, 0))
        world.provider.abort = world.provider.aborted.append
    task = world.kernel.spawn(requestor.snapshot(), name="requestor")
    world.run(60)
    assert (task.result.outcome is Outcome.TAKEN) == taken
    assert len(world.provider.aborted) == (0 if taken else 1)
    world.assert_nothing_is_held()


def test_a_set_takes_64_volumes_and_each_only_once(world):
    snapshot_set = world.service.start_snapshot_set()
    many = [Volume(world.kernel, f"v{i}", world.disks[0], capacity_bytes=1) for i in range(65)]
    for volume in many[:64]:
        world.service.add_to_snapshot_set(snapshot_set, volume)
    with pytest.raises(VssError) as caught:
        world.service.add_to_snapshot_set(snapshot_set, many[64])
    assert caught.value.code is VssCode.VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED
    with pytest.raises(VssError) as caught:
        world.service.add_to_snapshot_set(snapshot_set, many[0])
    assert caught.value.code is VssCode.VSS_E_OBJECT_ALREADY_EXISTS


def test_a_lost_volume_cannot_be_added(world):
    world.volumes[1].destroy()
    snapshot_set = world.service.start_snapshot_set()
    with pytest.raises(VssError) as caught:
        world.service.add_to_snapshot_set(snapshot_set, world.volumes[1])
    assert caught.value.code is VssCode.VSS_E_OBJECT_NOT_FOUND


def test_steps_out_of_order_are_a_bad_state_and_change_nothing(world):
    service = world.service
    snapshot_set = service.start_snapshot_set()
    with pytest.raises(VssError) as caught:
        next(service.do_snapshot_set(snapshot_set, world.provider))
    assert caught.value.code is VssCode.VSS_E_BAD_STATE
    with pytest.raises(VssError) as caught:
        next(service.backup_complete(snapshot_set, succeeded=True))
    assert caught.value.code is VssCode.VSS_E_BAD_STATE
    world.kernel.spawn(service.abort_backup(snapshot_set), name="abort")
    world.run(1)
    with pytest.raises(VssError) as caught:
        service.add_to_snapshot_set(snapshot_set, world.volumes[0])
    assert caught.value.code is VssCode.VSS_E_BAD_STATE
    assert world.take().outcome is Outcome.TAKEN


def test_set_ids_come_from_the_runs_stream(build_world):
    ids = [build_world(seed).take().set_id for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0][15] == "4"


def test_a_power_cut_in_the_middle_leaves_nothing_for_a_new_service(build_world):
    from sim.host import Host

    world = build_world()
    host = Host(world.kernel, "mbx1")
    service = SnapshotService(world.kernel, world.streams.stream("vss2"), host=host)
    world.writer.host = host
    service.register(world.writer)
    requestor = CopyBackupRequestor(world.kernel, service, world.volumes, world.provider)
    world.provider.delay_ns = 5 * S
    task = world.kernel.spawn(requestor.snapshot(), name="requestor", host=host)
    world.run(1)
    assert all(volume.is_held for volume in world.volumes)
    host.power_cut()
    for volume in world.volumes:
        volume.power_cut()
    world.run(100)
    assert not task.fired
    assert world.writer.state is WriterState.WAITING_FOR_THAW, "it was not even cleaned up"
    assert not any(volume.is_held for volume in world.volumes)


def test_only_copy_backups_are_offered(world):
    snapshot_set = world.service.start_snapshot_set(BackupType.FULL)
    task = world.kernel.spawn(world.service.prepare_for_backup(snapshot_set), name="full")
    task.then(lambda _: None)
    world.run(1)
    assert task.error.code is VssCode.VSS_E_WRITERERROR_NONRETRYABLE
    assert "COPY" in str(task.error)
    world.assert_nothing_is_held()


def test_the_same_seed_gives_the_same_trace_to_the_byte(build_world):
    def digests(seed):
        world = build_world(seed)
        world.service._trace = trace = Trace(lambda: world.kernel.now_ns)
        world.writer.inject(WriterEvent.THAW, PhaseFault(code=VssCode.VSS_E_WRITERERROR_RETRYABLE))
        world.take(attempts_max=3)
        return trace.digests()

    assert digests(1) == digests(1)
    assert digests(1) != digests(2)  # the writer's instance id is drawn
