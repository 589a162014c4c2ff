"""After any failure in any phase: nothing is held, writes flow, the writer can be used again."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from emulators.vss.codes import VssCode, WriterLevel, WriterState
from emulators.vss.requestor import Outcome
from emulators.vss.session import PhaseFault
from emulators.vss.transitions import WriterEvent
from emulators.vss.writer import Writer

S = 10**9
MS = 10**6

FAILED_AT = {
    WriterEvent.IDENTIFY: WriterState.FAILED_AT_IDENTIFY,
    WriterEvent.PREPARE_BACKUP: WriterState.FAILED_AT_PREPARE_BACKUP,
    WriterEvent.PREPARE_SNAPSHOT: WriterState.FAILED_AT_PREPARE_SNAPSHOT,
    WriterEvent.FREEZE: WriterState.FAILED_AT_FREEZE,
    WriterEvent.THAW: WriterState.FAILED_AT_THAW,
    WriterEvent.POST_SNAPSHOT: WriterState.FAILED_AT_POST_SNAPSHOT,
    WriterEvent.BACKUP_COMPLETE: WriterState.FAILED_AT_BACKUP_COMPLETE,
    WriterEvent.BACKUP_SHUTDOWN: WriterState.FAILED_AT_BACKUPSHUTDOWN,
}
WRITER_CODES = [code for code in VssCode if code >= VssCode.VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT]


@pytest.mark.parametrize("event", FAILED_AT)
@pytest.mark.parametrize("code", WRITER_CODES)
def test_a_writer_that_fails_in_any_phase_shows_it_and_recovers(world, event, code):
    world.writer.inject(event, PhaseFault(code=code))
    result = world.take()
    assert (result.outcome, result.code) == (Outcome.FAILED, code)
    assert world.writer.state is FAILED_AT[event]
    assert world.writer.last_error is code
    assert event.value in result.problem
    # What the provider made, if it made anything, was withdrawn.
    assert world.provider.aborted == [set_id for set_id, _ in world.provider.committed]
    world.assert_nothing_is_held()
    again = world.take()
    assert again.outcome is Outcome.TAKEN
    assert world.writer.state is WriterState.STABLE
    assert world.writer.last_error is VssCode.S_OK
    world.assert_nothing_is_held()


@pytest.mark.parametrize("event", FAILED_AT)
def test_a_writer_that_never_answers_is_given_up_and_recovers(world, event):
    world.writer.inject(event, PhaseFault(delay_ns=1_000 * S))
    result = world.take(run_s=200)
    assert result.outcome is Outcome.FAILED
    if event in (WriterEvent.FREEZE, WriterEvent.THAW):
        # Its own watchdog is faster than anybody's patience.
        assert result.code is VssCode.VSS_E_WRITERERROR_TIMEOUT
        limit_s = 20
    else:
        assert result.code is VssCode.VSS_E_WRITER_NOT_RESPONDING
        limit_s = 60
    assert world.writer.state is FAILED_AT[event]
    assert result.ended_ns - result.started_ns == pytest.approx(limit_s * S, abs=S)
    world.run(1_000)
    world.assert_nothing_is_held()
    assert world.take().outcome is Outcome.TAKEN


def test_an_identify_that_hangs_disturbs_nobody_elses_backup(world):
    world.writer.inject(WriterEvent.IDENTIFY, PhaseFault(delay_ns=61 * S))
    world.provider.delay_ns = 2 * S
    first = world.kernel.spawn(world.requestor().snapshot(), name="hangs")
    world.run(59)
    world.group.freeze_ns = 15 * S
    second = world.kernel.spawn(world.requestor().snapshot(), name="works")
    world.run(40)
    assert first.result.code is VssCode.VSS_E_WRITER_NOT_RESPONDING
    assert second.result.outcome is Outcome.TAKEN
    world.assert_nothing_is_held()


def test_an_identify_that_outlasts_another_backup_succeeds(world):
    world.writer.inject(WriterEvent.IDENTIFY, PhaseFault(delay_ns=30 * S))
    slow = world.kernel.spawn(world.requestor().snapshot(), name="slow")
    world.run(1)
    assert world.take().outcome is Outcome.TAKEN
    world.run(60)
    assert slow.result.outcome is Outcome.TAKEN


@pytest.mark.parametrize("event", FAILED_AT)
def test_a_writer_that_is_a_little_slow_is_waited_for(world, event):
    world.writer.inject(event, PhaseFault(delay_ns=15 * S))
    assert world.take().outcome is Outcome.TAKEN
    world.assert_nothing_is_held()


def test_an_abort_that_fails_or_hangs_does_not_keep_the_service(world):
    for fault in (
        PhaseFault(code=VssCode.VSS_E_WRITERERROR_NONRETRYABLE),
        PhaseFault(delay_ns=500 * S),
    ):
        world.provider.error = OSError("down")
        world.writer.inject(WriterEvent.ABORT, fault)
        assert world.take().code is VssCode.VSS_E_UNEXPECTED_PROVIDER_ERROR
        world.provider.error = None
        world.run(500)
        world.assert_nothing_is_held()
        assert world.take().outcome is Outcome.TAKEN


def test_a_storage_group_that_cannot_freeze_fails_the_set_and_says_why(world):
    world.group.freeze_error = OSError("-2403 snapshot not allowed")
    result = world.take()
    assert result.code is VssCode.VSS_E_WRITERERROR_RETRYABLE
    assert "-2403" in result.problem
    assert world.writer.state is WriterState.FAILED_AT_FREEZE
    world.assert_nothing_is_held()
    world.group.freeze_error = None
    assert world.take().outcome is Outcome.TAKEN


def test_a_storage_group_that_cannot_thaw_fails_the_set_and_the_tag(world):
    world.group.thaw_error = OSError("log disk is gone")
    result = world.take()
    assert result.outcome is Outcome.FAILED
    assert "log disk is gone" in result.problem
    assert world.writer.state is WriterState.FAILED_AT_THAW
    assert world.provider.aborted == [result.set_id]
    world.assert_nothing_is_held()


def test_a_programmers_error_in_a_hook_is_not_swallowed(world):
    world.group.freeze_error = AssertionError("a bug")
    world.kernel.spawn(world.requestor().snapshot(), name="requestor")
    with pytest.raises(AssertionError, match="a bug"):
        world.run(10)


class Recorder(Writer):
    """A writer that notes when it is frozen and thawed."""

    def __init__(self, kernel, name, level, log, **kwargs):
        super().__init__(
            kernel, name=name, writer_id="{w}", instance_id=f"{{{name}}}", level=level, **kwargs
        )
        self.log = log

    def freeze(self):
        self.log.append((self.name, "freeze"))
        yield self.kernel.sleep(MS)

    def thaw(self):
        self.log.append((self.name, "thaw"))
        yield self.kernel.sleep(MS)


def test_writers_freeze_front_end_first_then_back_end_then_system(world):
    log = []
    for name, level in (
        ("registry", WriterLevel.SYSTEM),
        ("web", WriterLevel.FRONT_END),
        ("sql", WriterLevel.BACK_END),
    ):
        world.service.register(Recorder(world.kernel, name, level, log))
    assert world.take().outcome is Outcome.TAKEN
    assert [name for name, what in log if what == "freeze"] == ["web", "sql", "registry"]
    assert sorted(name for name, what in log if what == "thaw") == ["registry", "sql", "web"]


@pytest.mark.parametrize("failing", ["web", "sql", "registry"])
def test_one_writer_that_fails_to_freeze_leaves_no_other_frozen(world, failing):
    log = []
    writers = {
        name: Recorder(world.kernel, name, level, log)
        for name, level in (
            ("web", WriterLevel.FRONT_END),
            ("sql", WriterLevel.BACK_END),
            ("registry", WriterLevel.SYSTEM),
        )
    }
    for writer in writers.values():
        world.service.register(writer)
    writers[failing].inject(
        WriterEvent.FREEZE, PhaseFault(code=VssCode.VSS_E_WRITERERROR_NONRETRYABLE)
    )
    result = world.take()
    assert failing in result.problem
    frozen = sorted(name for name, what in log if what == "freeze")
    assert frozen == sorted(name for name, what in log if what == "thaw")
    assert failing not in frozen
    assert not any(writer.holds for writer in writers.values())
    for name, writer in writers.items():
        assert writer.state.failed == (name == failing)
    world.assert_nothing_is_held()


def test_a_writer_with_the_default_window_has_sixty_seconds(world):
    log = []
    slow = Recorder(world.kernel, "slow", WriterLevel.FRONT_END, log)
    world.service.register(slow)
    slow.inject(WriterEvent.FREEZE, PhaseFault(delay_ns=59_900 * MS))
    assert world.take().outcome is Outcome.TAKEN
    slow.inject(WriterEvent.FREEZE, PhaseFault(delay_ns=60_100 * MS))
    assert world.take().code is VssCode.VSS_E_WRITERERROR_TIMEOUT
    world.assert_nothing_is_held()


def test_a_writer_registered_in_the_middle_of_a_backup_is_not_in_it(world):
    log = []
    late = Recorder(world.kernel, "late", WriterLevel.BACK_END, log)

    def verify(_set_id):
        world.service.register(late)
        yield world.kernel.sleep(S)
        return True

    assert world.take(verify=verify).outcome is Outcome.TAKEN
    assert log == []
    assert late.state is WriterState.STABLE


# A world of minutes shrinks too slowly to be worth it: the plan is printed as it is.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

phase_faults = st.builds(
    PhaseFault,
    delay_ns=st.sampled_from([0, 0, MS, 5 * S, 12 * S, 21 * S, 61 * S, 300 * S]),
    code=st.sampled_from([VssCode.S_OK, VssCode.S_OK, *WRITER_CODES]),
)
plans = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 1_000),
        "faults": st.lists(st.tuples(st.sampled_from(WriterEvent), phase_faults), max_size=5),
        "freeze_s": st.sampled_from([0.001, 3, 11, 19.9, 20.1, 45]),
        "thaw_s": st.sampled_from([0.001, 0.001, 5, 70]),
        "freeze_error": st.booleans(),
        "provider_s": st.sampled_from([0, 0, 1, 9.5, 10.5, 40]),
        "provider": st.sampled_from(["good", "good", "raises", "signal fails", "never"]),
        "stall": st.one_of(st.none(), st.tuples(st.integers(0, 40), st.integers(1, 30))),
        "requestors": st.lists(st.integers(0, 40), min_size=1, max_size=3),
        "verify": st.sampled_from([None, True, False]),
    }
)


def arrange(world, plan):
    """Put the faults of a plan into the world."""
    for event, fault in plan["faults"]:
        world.writer.inject(event, fault)
    world.group.freeze_ns = int(plan["freeze_s"] * S)
    world.group.thaw_ns = int(plan["thaw_s"] * S)
    world.group.freeze_error = OSError("no") if plan["freeze_error"] else None
    world.provider.delay_ns = int(plan["provider_s"] * S)
    world.provider.error = OSError("no") if plan["provider"] == "raises" else None
    world.provider.fail_signal = OSError("no") if plan["provider"] == "signal fails" else None
    world.provider.never = plan["provider"] == "never"
    if plan["stall"] is not None:
        start_s, length_s = plan["stall"]
        world.kernel.call_after(start_s * S, world.disks[0].stall)
        world.kernel.call_after((start_s + length_s) * S, world.disks[0].resume)


def lift(world):
    """Take all faults away."""
    world.writer._faults.clear()
    world.group.freeze_ns = world.group.thaw_ns = MS
    world.group.freeze_error = None
    world.provider.delay_ns = 0
    world.provider.error = world.provider.fail_signal = None
    world.provider.never = False


@given(plans)
@settings(deadline=None, max_examples=100, phases=PHASES)
def test_whatever_goes_wrong_nothing_stays_held_and_the_next_backup_is_good(build_world, plan):
    world = build_world(plan["seed"])
    arrange(world, plan)
    world.group.pause_ns = S
    checked = {}

    def verify(set_id):
        yield world.kernel.sleep(S)
        checked[set_id] = plan["verify"]
        return plan["verify"]

    def request(delay_s):
        yield world.kernel.sleep(delay_s * S)
        process = world.requestor(attempts_max=2, attempt_pause_ns=7 * S).snapshot(
            None if plan["verify"] is None else verify
        )
        return (yield from process)

    tasks = [
        world.kernel.spawn(request(delay_s), name=f"requestor {index}")
        for index, delay_s in enumerate(plan["requestors"])
    ]
    while not all(task.fired for task in tasks):
        assert world.kernel.now_ns < 3_000 * S, "a request never ended"
        world.run(10)
    world.run(400)  # the longest delay there is may still be on its way
    results = [task.result for task in tasks]
    taken = [result.set_id for result in results if result.outcome is Outcome.TAKEN]
    standing = [
        set_id for set_id, _ in world.provider.committed if set_id not in world.provider.aborted
    ]
    # A tag stands exactly for the snapshots that were reported as taken.
    assert sorted(taken) == sorted(standing)
    assert all(checked.get(set_id) in (None, True) for set_id in taken)
    assert max(volume.longest_hold_ns for volume in world.volumes) <= 10 * S
    for result in results:
        assert (result.code is VssCode.S_OK) == (result.outcome is not Outcome.FAILED)
        if result.outcome is Outcome.TAKEN:
            assert result.hold_ns <= 10 * S
            assert result.freeze_ns - world.group.thaw_ns <= 20 * S
    lift(world)
    world.group.pause_ns = 200 * MS
    world.run(1)
    world.assert_nothing_is_held()
    assert world.take().outcome is Outcome.TAKEN
    world.assert_nothing_is_held()
