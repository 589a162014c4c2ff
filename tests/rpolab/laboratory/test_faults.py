"""Each fault of the language really strikes, is told with its instants, and is found guilty."""

from itertools import pairwise

import pytest

from reports import FaultResult, unfired
from rpolab.laboratory.faults import Faults
from rpolab.laboratory.running import run_scenario
from rpolab.laboratory.world import Clock, Laboratory, clock_of
from scenarios import load

LINK = {"between": ["primary", "recovery"]}
OUTAGE = {"kind": "link_outage", **LINK, "duration": "30 s"}
JOURNAL = {"site": "recovery", "volume": "journal"}
SMALL = {
    "duration": "6 min",
    "exchange": {
        "version": 2007,
        "storage_groups": [
            {"name": "SG1", "databases": ["MDB1"], "mailboxes": 20, "profile": "heavy"}
        ],
    },
}
CHAOS = [{"name": "chaos", "duration": "4 min"}, {"name": "quiet", "duration": "2 min"}]


def recoveries(result):
    return result.protections[0].recoveries


def test_chaos_then_quiet_converges_whatever_the_link_and_the_services_did(run):
    faults = [
        {"at": "10:00:30", "kind": "link_one_way", **LINK, "blocked_from": "recovery",
         "duration": "20 s"},
        {"at": "10:01", "kind": "link_lossy", **LINK, "loss": "10 %", "duration": "20 s"},
        {"at": "10:01", "kind": "link_delayed", **LINK, "latency": "700 ms", "duration": "20 s"},
        {"at": "10:01", "kind": "link_slow", **LINK, "bandwidth": "64 kbit/s", "duration": "20 s"},
        {"at": "10:01:30", "kind": "disk_slow", **JOURNAL, "throughput": "64 KiB/s",
         "duration": "20 s"},
        {"at": "10:02", "kind": "service_stop", "protection": "cdp", "end": "source",
         "duration": "20 s"},
        {"at": "10:02:30", "kind": "service_stop", "protection": "cdp", "end": "copy",
         "duration": "20 s"},
        {"at": "10:03", "kind": "power_cut", "site": "recovery", "back_after": "20 s"},
        {"at": "3 min 45 s", "phase": "chaos", **OUTAGE},
    ]  # fmt: skip
    result = run(**SMALL, faults=faults, phases=CHAOS).result()
    assert [fault.kind for fault in result.faults] == [fault["kind"] for fault in faults]
    assert all(fault.fired and fault.evidence and fault.target for fault in result.faults)
    lasted = [round(fault.lifted_at_s - fault.fired_at_s, 3) for fault in result.faults]
    assert lasted == [20.0] * 8 + [15.0], "the last is lifted at the end of its phase"
    [drill] = recoveries(result)
    assert drill.outcome == "recovered"
    assert drill.rpo_s < 5


@pytest.mark.parametrize("kind", ["bit_rot", "lost_write", "misdirected_write"])
def test_a_journal_that_holds_something_else_is_refused_with_its_file_and_record(run, kind):
    faults = [{"at": "10:02", "kind": kind, **JOURNAL}]
    result = run(**SMALL, faults=faults, drills={"at": ["10:01", "10:03"]}).result()
    [fault] = result.faults
    before, after = recoveries(result)
    assert fault.fired
    assert before.outcome == "recovered"
    assert after.outcome == "refused", "a wrong 'recovered' is the worst result"
    segment = next(word for word in fault.evidence.split() if word.endswith(".segment"))
    assert segment in after.refusal
    assert "unreadable" in after.refusal


@pytest.mark.parametrize(("volume", "code"), [("logs", "-510"), ("database", "-1022")])
def test_an_io_error_of_the_mail_server_stops_it_with_ese_s_code_and_the_copy_is_good(
    run, volume, code
):
    fault = {"kind": "io_error", "site": "primary", "volume": volume, "duration": "3 min"}
    result = run(**SMALL, faults=[{"at": "10:02", **fault}]).result()
    assert result.faults[0].fired
    assert result.faults[0].touched > 0
    assert any(code in notice.text and "I/O error" in notice.text for notice in result.notices)
    assert recoveries(result)[-1].outcome == "recovered"


def test_rot_on_the_primary_is_not_in_the_copy(run):
    fault = {"at": "10:02", "kind": "bit_rot", "site": "primary", "volume": "database"}
    result = run(**SMALL, faults=[fault]).result()
    assert result.faults[0].fired
    [drill] = recoveries(result)
    assert (drill.outcome, drill.damaged) == ("recovered", 0)


def test_a_journal_that_is_gone_is_refused_and_the_mail_server_goes_on(run):
    experiment = run(**SMALL, faults=[{"at": "10:02", "kind": "disk_loss", **JOURNAL}])
    [drill] = recoveries(experiment.result())
    assert drill.outcome == "refused"
    assert experiment.server.error is None


def test_a_copy_that_was_put_back_tells_that_it_lost_what_it_had_acknowledged(run):
    fault = {"at": "10:03", "kind": "stale_snapshot", **JOURNAL, "age": "1 min"}
    result = run(**SMALL, faults=[fault]).result()
    [told] = result.faults
    assert told.fired
    assert told.touched > 0
    assert any("it had acknowledged everything before" in item.text for item in result.notices)
    [drill] = recoveries(result)
    assert drill.outcome == "recovered"
    assert drill.rpo_s > 200, "back to before the snapshot, and told so"


def test_a_journal_disk_that_has_room_again_is_told_with_both_instants(run):
    fault = {"at": "10:02", "kind": "disk_full", **JOURNAL, "duration": "1 min"}
    [told] = run(**SMALL, faults=[fault]).result().faults
    assert (told.fired_at_s, told.lifted_at_s) == (120.0, 180.0)


def instants(scenario, *faults, **changes):
    """The instants that are drawn for each fault before the run begins, in nanoseconds."""
    written = scenario(**SMALL, faults=list(faults), **changes)
    planned = Faults(Laboratory(written, clock_of(written, None)), {}).planned
    return [[told.fault.at_ns for told in fault.outcomes if told.chosen] for fault in planned]


def test_a_window_gives_one_instant_of_it_by_the_seed_whatever_else_is_planned(scenario):
    window = {"within": "10:02-10:05", **OUTAGE}
    rate = {"rate": "30 per hour", "kind": "link_slow", **LINK, "duration": "1 s",
            "bandwidth": "1 Mbit/s"}  # fmt: skip
    [[alone]] = instants(scenario, window)
    assert 120 * 10**9 <= alone < 300 * 10**9
    assert instants(scenario, rate, window)[1] == [alone]
    seeds = {instants(scenario, window, seed=seed)[0][0] for seed in range(8)}
    assert len(seeds) == 8


def test_a_rate_gives_independent_instants_with_their_mean_and_none_while_one_lasts(
    scenario, figure
):
    fault = {"rate": "60 per hour", **OUTAGE}
    found = [instants(scenario, fault, seed=seed)[0] for seed in range(40)]
    counts = [len(times) for times in found]
    # 6 minutes at one a minute; each that comes closes the door for half a minute.
    assert 3.2 < sum(counts) / len(counts) < 5.0
    figure(f"{sum(counts)} faults drawn in 40 runs of 6 minutes at one a minute")
    gaps = [later - earlier for times in found for earlier, later in pairwise(times)]
    assert min(gaps) > 30 * 10**9
    assert len(instants(scenario, fault | {"limit": 2})[0]) == 2


def test_a_rate_that_draws_nothing_is_not_a_fault_that_failed_to_fire(run):
    result = run(
        **SMALL,
        faults=[{"rate": "1 per 1000 d", **OUTAGE}],
        thresholds={"cdp.rpo": ["max < 10 s"]},
    ).result()
    [fault] = result.faults
    assert (fault.chosen, fault.fired) == (False, False)
    assert fault.evidence == "no instant was drawn for it"
    assert result.verdict == "met"


def test_a_condition_lets_a_fault_come_as_soon_as_it_holds_and_again_after_its_time(run):
    result = run(
        **SMALL,
        faults=[
            {"at": "10:01", "kind": "link_outage", **LINK, "duration": "3 min"},
            {"when": "cdp.backlog > 256 KiB", "again_after": "1 min", "limit": 2,
             "kind": "service_stop", "protection": "cdp", "end": "source", "duration": "5 s"},
            {"when": "cdp@recovery.rpo > 2 h", "kind": "site_loss", "site": "primary"},
        ],
        thresholds={"cdp.damaged": ["sum == 0"]},
    ).result()  # fmt: skip
    _, first, second, never = result.faults
    assert first.timing == "when cdp.backlog > 256 KiB"
    assert 60 < first.fired_at_s == first.at_s < 240
    assert second.fired_at_s == first.fired_at_s + 60
    assert never.chosen
    assert not never.fired
    assert "cdp@recovery.rpo > 2 h never held: it was" in never.evidence
    assert result.verdict == "not_exercised"


def test_looking_for_a_condition_leaves_no_mark_on_the_run(run):
    watching = {"when": "cdp.backlog > 1 TiB", "kind": "site_loss", "site": "primary"}
    watched = run(**SMALL, faults=[watching, watching | {"when": "cdp.mode == bitmap"}])
    assert watched.result().digests == run(**SMALL).result().digests


@pytest.mark.parametrize("seed", [11, pytest.param(12, marks=pytest.mark.nightly)])
def test_the_chaos_of_the_library_converges_with_another_seed_too(seed):
    chaos = load("chaos-then-quiet").model_copy(update={"seed": seed})
    result = run_scenario(chaos).result
    assert result.verdict == "met"
    assert sum(fault.fired for fault in result.faults) >= 4
    assert all(fault.lifted_at_s <= 300 for fault in result.faults if fault.fired)


def test_of_a_fault_that_may_come_often_once_is_enough():
    def told(number, *, fired, chosen=True):
        return FaultResult(kind="link_outage", at_s=1, fired=fired, chosen=chosen, number=number)

    assert unfired([told(0, fired=True), told(0, fired=False), told(1, fired=True)]) == []
    assert unfired([told(0, fired=False, chosen=False)]) == []
    assert unfired([told(0, fired=True), told(1, fired=False)]) == [told(1, fired=False)]
    unnumbered = [told(None, fired=True), told(None, fired=False)]
    assert unfired(unnumbered) == unnumbered[1:]
    assert told(0, fired=False, chosen=False).told == "was not drawn"


def test_a_window_outside_of_the_run_is_no_draw_against_the_fault(scenario):
    written = scenario(**SMALL, faults=[{"within": "10:02-10:05", **OUTAGE}])
    late = Clock(clock_of(written, None).starts_ns + 3600 * 10**9, 360 * 10**9)
    [fault] = Faults(Laboratory(written, late), {}).results()
    assert (fault.chosen, fault.fired) == (True, False)
    assert fault.evidence == "its time is outside of the run"
    assert unfired([fault]) == [fault]
