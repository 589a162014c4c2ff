"""The sequence of exchange.md 4.1 and its timers."""

import pytest

from emulators.vss.codes import VssCode, VssError, WriterState
from emulators.vss.requestor import Outcome
from emulators.vss.session import PhaseFault
from emulators.vss.transitions import WriterEvent
from sim.trace import Trace

S = 10**9
MS = 10**6


def test_a_snapshot_of_a_quiet_machine_is_taken(world):
    result = world.take()
    assert result.outcome is Outcome.TAKEN
    assert (result.code, result.problem, result.attempts) == (VssCode.S_OK, "", 1)
    assert world.provider.committed == [(result.set_id, result.reached_ns)]
    assert world.provider.aborted == []
    assert world.writer.state is WriterState.STABLE
    world.assert_nothing_is_held()


def test_the_writer_passes_through_the_states_of_the_sheet(world):
    service, states = world.service, []

    def note():
        states.append(world.writer.state)

    def backup():
        yield from service.gather_writer_metadata()
        note()
        snapshot_set = service.start_snapshot_set()
        for volume in world.volumes:
            service.add_to_snapshot_set(snapshot_set, volume)
        yield from service.prepare_for_backup(snapshot_set)
        note()
        world.provider.delay_ns = 2 * S
        world.kernel.call_after(S, note)
        yield from service.do_snapshot_set(snapshot_set, world.provider)
        note()
        yield from service.backup_complete(snapshot_set, succeeded=True)
        note()

    world.kernel.spawn(backup(), name="backup")
    world.run(30)
    assert states == [
        WriterState.STABLE,
        WriterState.STABLE,
        WriterState.WAITING_FOR_THAW,
        WriterState.WAITING_FOR_BACKUP_COMPLETE,
        WriterState.STABLE,
    ]


def test_no_write_completes_while_the_writes_are_held(world):
    seen = []
    for volume in world.volumes:
        volume.attach(lambda operation: seen.append(operation.completed_ns))
    world.provider.delay_ns = 5 * S
    result = world.take()
    released_ns = result.reached_ns + 5 * S
    assert seen
    assert not [at for at in seen if result.reached_ns < at < released_ns]


def test_the_trace_tells_each_event_of_a_good_backup_once(world):
    trace = Trace(lambda: world.kernel.now_ns, keep_lines=True)
    world.service._trace = trace
    world.take()
    names = [event.value for event in WriterEvent if event is not WriterEvent.ABORT]
    assert len(trace.lines) == len(names)
    for line, name in zip(trace.lines, names, strict=True):
        assert name in line


@pytest.mark.parametrize(("freeze_s", "taken"), [(19.9, True), (20.1, False)])
def test_a12_exchange_has_twenty_seconds_from_freeze_to_thaw(world, freeze_s, taken):
    world.group.freeze_ns = int(freeze_s * S)
    result = world.take()
    assert (result.outcome is Outcome.TAKEN) == taken
    if not taken:
        assert result.code is VssCode.VSS_E_WRITERERROR_TIMEOUT
        assert world.writer.state is WriterState.FAILED_AT_FREEZE
        assert result.ended_ns - result.started_ns == pytest.approx(20 * S, rel=0.001)
        assert world.provider.committed == []
    world.assert_nothing_is_held()


@pytest.mark.parametrize(("hold_s", "taken"), [(9.9, True), (10.1, False)])
def test_a12_writes_are_held_for_ten_seconds_at_most(world, hold_s, taken):
    world.provider.delay_ns = int(hold_s * S)
    result = world.take()
    assert (result.outcome is Outcome.TAKEN) == taken
    if taken:
        assert result.hold_ms == pytest.approx(9_900, abs=50)
    else:
        assert result.code is VssCode.VSS_E_HOLD_WRITES_TIMEOUT
        assert world.provider.aborted == [world.provider.committed[0][0]]
        # The writer did nothing wrong: the abort finds it stable again.
        assert world.writer.state is WriterState.STABLE
    world.assert_nothing_is_held()


@pytest.mark.parametrize(("freeze_s", "hold_s", "taken"), [(10.4, 9.4, True), (10.8, 9.4, False)])
def test_freeze_and_hold_together_must_fit_the_window(world, freeze_s, hold_s, taken):
    world.group.freeze_ns = int(freeze_s * S)
    world.provider.delay_ns = int(hold_s * S)
    result = world.take()
    assert (result.outcome is Outcome.TAKEN) == taken
    if not taken:
        assert result.code is VssCode.VSS_E_WRITERERROR_TIMEOUT
        assert world.writer.state is WriterState.FAILED_AT_THAW
        # The provider had committed: it must hear that its snapshot is worth nothing.
        assert world.provider.aborted == [result.set_id]
    world.assert_nothing_is_held()


def test_the_writer_thaws_itself_at_the_end_of_its_window_while_writes_are_still_held(world):
    world.group.freeze_ns = 15 * S
    world.provider.delay_ns = 9 * S
    world.kernel.spawn(world.requestor().snapshot(), name="requestor")
    began_ns = world.kernel.now_ns
    world.kernel.run(began_ns + 20 * S + 10 * MS)
    assert not world.group.frozen
    assert all(volume.is_held for volume in world.volumes)
    world.run(60)
    world.assert_nothing_is_held()


def test_a_freeze_that_ends_after_its_window_is_thawed_at_once(world):
    world.group.freeze_ns = 100 * S
    world.kernel.spawn(world.requestor().snapshot(), name="requestor")
    world.run(50)
    assert world.writer.state is WriterState.FAILED_AT_FREEZE
    assert world.group.freezing
    world.run(51)
    assert world.group.frozen_count == world.group.thawed_count == 1
    world.assert_nothing_is_held()


def test_a_writer_that_is_still_freezing_refuses_another_backup(world):
    world.group.freeze_ns = 100 * S
    world.kernel.spawn(world.requestor().snapshot(), name="requestor")
    world.run(50)
    result = world.take(run_s=10)
    assert result.code is VssCode.VSS_E_WRITERERROR_RETRYABLE
    world.group.freeze_ns = MS
    world.run(60)
    assert world.take().outcome is Outcome.TAKEN


def test_a_timeout_is_logged_as_ese_does(world):
    world.group.freeze_ns = 21 * S
    world.take()
    (entry,) = [entry for entry in world.writer.event_log if entry.event_id == 2004]
    assert "20000 ms" in entry.text
    assert "-2402" in entry.text
    assert "SG1" in entry.text


def test_a_good_backup_is_logged_as_ese_does(world):
    world.take()
    assert [entry.event_id for entry in world.writer.event_log] == [2009, 2001, 2003, 2006]


def test_a_stalled_disk_fails_the_flush_and_not_the_hold(world):
    world.disks[0].stall()
    world.volumes[0].append("SG1.log", (b"y",))
    task = world.kernel.spawn(world.requestor().snapshot(), name="requestor")
    world.run(60)
    assert task.result.code is VssCode.VSS_E_FLUSH_WRITES_TIMEOUT
    assert world.provider.committed == []
    world.disks[0].resume()
    world.run(1)
    world.assert_nothing_is_held()


def test_push_back_that_outlasts_the_limit_fails_the_flush(world):
    lifted = world.kernel.signal()
    detach = world.volumes[0].attach(lambda _: lifted)
    world.volumes[0].append("SG1.log", (b"y",))
    task = world.kernel.spawn(world.requestor().snapshot(), name="requestor")
    world.run(30)
    assert task.result.code is VssCode.VSS_E_FLUSH_WRITES_TIMEOUT
    detach()
    lifted.fire()
    world.assert_nothing_is_held()


def test_a_volume_held_by_someone_else_fails_the_set_and_stays_held_by_them(world):
    world.volumes[1].hold()
    result = world.take()
    assert result.code is VssCode.VSS_E_UNEXPECTED_PROVIDER_ERROR
    assert [volume.is_held for volume in world.volumes] == [False, True]
    world.volumes[1].release()
    world.assert_nothing_is_held()


def test_a13_a_second_snapshot_set_is_refused_while_one_is_in_progress(world):
    service = world.service
    first = service.start_snapshot_set()
    with pytest.raises(VssError) as caught:
        service.start_snapshot_set()
    assert caught.value.code == 0x80042316
    assert first.id in str(caught.value)
    world.kernel.spawn(service.abort_backup(first), name="abort")
    world.run(1)
    assert service.start_snapshot_set().id != first.id


def test_of_two_requestors_at_once_both_get_their_snapshot_one_after_the_other(world):
    world.provider.delay_ns = 3 * S
    tasks = [
        world.kernel.spawn(world.requestor(attempts_max=3).snapshot(), name=f"requestor {i}")
        for i in range(2)
    ]
    world.run(120)
    results = sorted((task.result for task in tasks), key=lambda result: result.reached_ns)
    assert [result.outcome for result in results] == [Outcome.TAKEN, Outcome.TAKEN]
    assert results[0].in_progress_waits == 0
    assert results[1].in_progress_waits > 0
    assert results[0].set_id != results[1].set_id
    world.assert_nothing_is_held()


def test_a_requestor_gives_up_waiting_for_a_set_that_never_ends(world):
    world.service.start_snapshot_set()
    result = world.take(in_progress_waits_max=4, in_progress_pause_ns=5 * S)
    assert result.outcome is Outcome.FAILED
    assert result.code is VssCode.VSS_E_SNAPSHOT_SET_IN_PROGRESS
    assert (result.in_progress_waits, result.attempts, result.set_id) == (5, 0, "")
    assert result.ended_ns - result.started_ns == 20 * S


def test_a_second_backup_while_the_first_is_verified_is_tried_again(world):
    def verify(_set_id):
        yield world.kernel.sleep(20 * S)
        return True

    first = world.kernel.spawn(world.requestor().snapshot(verify), name="first")
    world.run(5)
    assert world.writer.state is WriterState.WAITING_FOR_BACKUP_COMPLETE
    second = world.kernel.spawn(world.requestor(attempts_max=3).snapshot(), name="second")
    world.run(100)
    assert first.result.outcome is Outcome.TAKEN
    assert (second.result.outcome, second.result.attempts) == (Outcome.TAKEN, 2)
    world.assert_nothing_is_held()


def test_retryable_errors_are_tried_again_a_limited_number_of_times(world):
    for _ in range(2):
        world.writer.inject(
            WriterEvent.FREEZE, PhaseFault(code=VssCode.VSS_E_WRITERERROR_RETRYABLE)
        )
    assert world.take(attempts_max=3).attempts == 3
    for _ in range(3):
        world.writer.inject(
            WriterEvent.FREEZE, PhaseFault(code=VssCode.VSS_E_WRITERERROR_OUTOFRESOURCES)
        )
    result = world.take(attempts_max=3)
    assert (result.outcome, result.attempts) == (Outcome.FAILED, 3)
    assert result.code is VssCode.VSS_E_WRITERERROR_OUTOFRESOURCES
    world.assert_nothing_is_held()


def test_a_non_retryable_error_is_not_tried_again(world):
    world.writer.inject(
        WriterEvent.PREPARE_SNAPSHOT, PhaseFault(code=VssCode.VSS_E_WRITERERROR_NONRETRYABLE)
    )
    result = world.take(attempts_max=3)
    assert (result.attempts, result.code) == (1, VssCode.VSS_E_WRITERERROR_NONRETRYABLE)
    assert "Microsoft Exchange Writer" in result.problem
    assert "hint" in result.problem


def test_a_snapshot_that_fails_its_check_is_said_to_and_the_tag_withdrawn(world):
    def verify(set_id):
        yield world.kernel.sleep(S)
        assert set_id == world.provider.committed[0][0]
        return False

    result = world.take(verify=verify)
    assert (result.outcome, result.code) == (Outcome.VERIFY_FAILED, VssCode.S_OK)
    assert world.provider.aborted == [result.set_id]
    world.assert_nothing_is_held()


def test_a_check_that_fails_with_a_vss_error_fails_the_request(world):
    def verify(_set_id):
        yield world.kernel.sleep(S)
        raise VssError(VssCode.VSS_E_OBJECT_NOT_FOUND, "check", "no such snapshot", "look")

    result = world.take(verify=verify)
    assert result.code is VssCode.VSS_E_OBJECT_NOT_FOUND
    assert world.provider.aborted == [result.set_id]
    world.assert_nothing_is_held()


def test_a_check_that_crashes_passes_its_error_on_and_leaves_nothing_held(world):
    def verify(_set_id):
        yield world.kernel.sleep(S)
        raise OSError("the check crashed")

    task = world.kernel.spawn(world.requestor().snapshot(verify), name="requestor")
    task.then(lambda _: None)
    world.run(60)
    assert str(task.error) == "the check crashed"
    world.assert_nothing_is_held()
