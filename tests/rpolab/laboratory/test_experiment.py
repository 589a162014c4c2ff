"""One experiment end to end: what is lost, what is refused, and what the figures say."""

from pathlib import Path

import pytest

import scenarios
from engine import RecoveryPoints
from engine.basics.errors import StorageFailed
from rpolab.laboratory.experiment import Experiment
from rpolab.laboratory.recoveries import ReportedBetterThanTrue
from rpolab.protections.base import PointUnavailable

SITE_LOSS = [{"at": "10:08", "kind": "site_loss", "site": "primary"}]


def protection(experiment):
    return experiment.result().protections[0]


def test_without_faults_a_drill_recovers_everything_but_what_is_on_the_way(run):
    experiment = run()
    [drill] = protection(experiment).recoveries
    assert drill.outcome == "recovered"
    assert (drill.phantom, drill.damaged) == (0, 0)
    assert experiment.ledger.acknowledged_count > 50
    assert drill.rpo_s < 5
    assert all(lost.acknowledged_s >= drill.point.time_s for lost in drill.lost_messages_list)


def test_a_message_that_takes_longer_than_the_silence_allowed_is_no_silence(run):
    slow = {"between": ["primary", "recovery"], "bandwidth": "250 kbit/s", "latency": "20 ms"}
    groups = [{"name": "SG1", "databases": ["MDB1"], "mailboxes": 10, "profile": "heavy"}]
    experiment = run(links=[slow], exchange={"version": 2007, "storage_groups": groups})
    result = experiment.result()
    assert [notice for notice in result.notices if "Nothing heard" in notice.text] == []
    assert result.protections[0].rpo.max_s < 60


def test_the_ledger_acknowledges_every_message_that_was_submitted(run):
    experiment = run()
    waiting = [
        entry
        for history in experiment.ledger._histories.values()
        for entry in history
        if entry.acknowledged_ns is None
    ]
    assert len(waiting) <= 1, "all but the last moment's mail is on disk"


def test_after_a_site_loss_the_copy_gives_the_mail_back_and_tells_what_is_lost(run):
    experiment = run(faults=SITE_LOSS)
    result = experiment.result()
    [fault] = result.faults
    assert fault.fired
    assert "volumes destroyed: 2" in fault.evidence
    [recovery] = result.protections[0].recoveries
    assert recovery.cause == "disaster"
    assert recovery.outcome == "recovered"
    assert recovery.at_s == 480
    assert 0 <= recovery.rpo_s <= recovery.reported_rpo_s
    assert len(recovery.lost_messages_list) == recovery.lost.messages
    assert recovery.rto_s == pytest.approx(sum(step.seconds for step in recovery.rto_steps))
    assert {step.basis for step in recovery.rto_steps} == {"measured", "sourced", "assumption"}


def test_lost_messages_are_named_with_the_stage_where_they_were(run):
    experiment = run(
        faults=[
            {"at": "10:04", "kind": "link_outage", "between": ["primary", "recovery"],
             "duration": "30 min"},
            *SITE_LOSS,
        ]
    )  # fmt: skip
    [recovery] = protection(experiment).recoveries
    assert recovery.lost.messages > 10
    assert 240 <= recovery.rpo_s <= 250
    assert {lost.stage for lost in recovery.lost_messages_list} <= {"pool", "wire"}
    assert recovery.lost.logs >= 1, "logs that were begun during the outage"
    assert all(lost.mailbox and lost.subject for lost in recovery.lost_messages_list)
    assert all(239 < lost.acknowledged_s <= 480 for lost in recovery.lost_messages_list)


def test_a_bookmark_is_a_point_of_its_own_class_and_opens(run):
    experiment = run(drills={"at_end": True, "classes": ["app"]})
    [drill] = protection(experiment).recoveries
    assert drill.outcome == "recovered"
    assert drill.consistency == "app"
    assert drill.point.time_s == pytest.approx(600, abs=1)
    assert drill.lost.messages > 0, "mail after the bookmark is not in it"


def test_without_bookmarks_an_application_point_is_refused_with_the_reason(run, protect):
    del protect["cdp"]["bookmarks"]
    experiment = run(protect=protect, drills={"at": ["10:02"], "classes": ["app"]})
    [drill] = protection(experiment).recoveries
    assert drill.outcome == "refused"
    assert "no application-consistent point yet" in drill.refusal


def test_a_disaster_can_be_recovered_to_the_newest_bookmark(run, protect):
    protect["cdp"]["recover"] = "application"
    [recovery] = protection(run(protect=protect, faults=SITE_LOSS)).recoveries
    assert recovery.consistency == "app"
    assert recovery.rpo_s == pytest.approx(180, abs=1)


def test_while_the_line_is_down_rpo_grows_and_afterwards_it_catches_up(run):
    experiment = run(
        faults=[
            {"at": "10:03", "kind": "link_outage", "between": ["primary", "recovery"],
             "duration": "5 min"}
        ],
        drills={"at": ["10:07:30"], "at_end": True},
    )  # fmt: skip
    during, after = protection(experiment).recoveries
    assert during.rpo_s == pytest.approx(270, abs=5)
    assert during.lost.messages > 0
    assert after.rpo_s < 5
    assert protection(experiment).rpo.max_s == pytest.approx(320, abs=25)


def test_a_bookmark_whose_snapshot_fails_afterwards_is_withdrawn(run):
    experiment = run()
    cdp = experiment.protections["cdp"]
    newest, pending = cdp.copy.newest("app"), cdp.copy.source.capture.pending_tags
    cdp.bookmarks.commit("a set that fails", ())
    assert len(pending) == 1
    cdp.bookmarks.abort("a set that fails")
    assert (len(pending), pending.revoked_count) == (0, 1)
    assert cdp.copy.newest("app") == newest


def test_the_engine_alone_knows_which_bookmarks_are_points(run):
    cdp = run().protections["cdp"]
    points = RecoveryPoints(cdp.copy.journal).app_points()
    assert len(points) == len(cdp.copy.durable["app"]) >= 2
    assert points[-1].sequence == cdp.copy.newest("app").sequence
    assert [point.source_time_ns for point in points] == [
        time for _, time in cdp.copy.durable["app"]
    ]
    assert cdp.copy.source.capture.pending_tags.committed_count >= len(points)


def test_a_power_cut_of_the_primary_is_a_disaster_too(run):
    experiment = run(faults=[{"at": "10:06", "kind": "power_cut", "site": "primary"}])
    [recovery] = protection(experiment).recoveries
    assert recovery.cause == "disaster"
    assert recovery.outcome == "recovered"


def test_the_loss_of_the_copy_refuses_recoveries_and_leaves_the_mail_server_alone(run):
    experiment = run(
        faults=[{"at": "10:06", "kind": "site_loss", "site": "recovery"}],
        drills={"at": ["10:05"], "at_end": True},
    )
    before, after = protection(experiment).recoveries
    assert before.outcome == "recovered"
    assert after.outcome == "refused"
    assert "was lost with recovery" in after.refusal
    assert experiment.server.error is None


def test_a_full_log_disk_stops_the_group_and_loses_nothing_acknowledged(run):
    experiment = run(
        faults=[{"at": "10:06", "kind": "disk_full", "site": "primary", "volume": "logs"}]
    )
    assert experiment.server.error is not None
    assert experiment.server.error.code == -529
    assert any("-529" in notice.text for notice in experiment.result().notices)
    [drill] = protection(experiment).recoveries
    assert drill.outcome == "recovered"
    assert drill.lost.messages == 0
    assert experiment.result().faults[0].fired


def test_a_full_journal_disk_halts_the_copy_and_keeps_what_was_durable(run):
    experiment = run(
        faults=[{"at": "10:06", "kind": "disk_full", "site": "recovery", "volume": "journal"}]
    )
    cdp = experiment.protections["cdp"]
    assert any(isinstance(error, StorageFailed) for error in cdp.errors)
    assert any("journal file" in notice.text for notice in experiment.result().notices)
    [drill] = protection(experiment).recoveries
    assert drill.outcome == "recovered"
    assert 355 < drill.rpo_s < 365
    assert all(lost.acknowledged_s >= drill.point.time_s for lost in drill.lost_messages_list)


def test_a_pool_that_is_too_small_slows_the_mail_down_and_loses_none(run, protect):
    protect["cdp"]["pool"] = "1 MiB"
    experiment = run(
        protect=protect,
        faults=[
            {"at": "10:03", "kind": "link_outage", "between": ["primary", "recovery"],
             "duration": "2 min"}
        ],
    )  # fmt: skip
    [drill] = protection(experiment).recoveries
    assert drill.outcome == "recovered"
    assert drill.rpo_s < 10
    waits = [
        entry.acknowledged_ns - entry.submitted_ns for entry in experiment.ledger._acknowledged
    ]
    assert max(waits) > 30e9, "the full pool held commits back"


def test_a_server_that_is_held_up_while_it_starts_is_not_called_stopped(run, protect):
    protect["cdp"]["pool"] = "256 KiB"
    experiment = run(protect=protect, duration="2 min", drills={"at_end": True})
    assert experiment.server.error is None
    assert not experiment.result().notices


def test_a_damaged_journal_segment_is_refused_when_the_copy_restarts(run):
    experiment = run()
    cdp = experiment.protections["cdp"]
    volume = cdp.copy.volume
    segment = volume.names()[0]
    stored = volume._files.get(segment)
    byte = volume.peek(segment, 5000, 1)
    stored.content.write(5000, (bytes([byte[0] ^ 1]),))
    cdp.copy.target.host.power_cut()
    cdp.copy.target.host.power_on()
    assert cdp.copy.target.session is None
    [error] = [str(error) for error in cdp.errors if segment in str(error)]
    assert "offset" in error
    with pytest.raises(PointUnavailable, match="is down"):
        cdp.copy.newest("any")


BUSY = {
    "duration": "24 min",
    "exchange": {
        "version": 2007,
        "storage_groups": [
            {"name": "SG1", "databases": ["MDB1"], "mailboxes": 150, "profile": "heavy"}
        ],
    },
}


def test_a_destroyed_required_log_is_refused_by_name_and_the_nearest_points_are_offered(run):
    experiment = run(
        **BUSY,
        faults=[{"at": "10:21", "kind": "lost_log", "protection": "cdp", "which": "required"}],
        drills={"at": ["10:21:05"]},
    )
    result = experiment.result()
    [fault] = result.faults
    lost_log = fault.evidence.split()[0]
    [drill] = result.protections[0].recoveries
    assert drill.outcome == "refused"
    assert "-543" in drill.refusal
    assert lost_log in drill.refusal
    newest, bookmark = drill.nearest
    assert newest.consistency == "any"
    assert bookmark.consistency == "app"
    assert bookmark.sequence < newest.sequence < drill.point.sequence


def test_after_a_disaster_a_refused_point_is_followed_by_the_nearest_that_opens(run):
    experiment = run(
        **BUSY,
        faults=[
            {"at": "10:21", "kind": "lost_log", "protection": "cdp", "which": "required"},
            {"at": "10:21:05", "kind": "site_loss", "site": "primary"},
        ],
    )
    refused, recovered = protection(experiment).recoveries
    assert refused.outcome == "refused"
    assert recovered.outcome == "recovered"
    assert recovered.point == refused.nearest[0]
    assert recovered.reported_better_than_true_s > 0, "the copy was damaged behind its back"


def test_a_reported_rpo_that_flatters_the_truth_stops_the_run(scenario, monkeypatch):
    experiment = Experiment(scenario())
    cdp = experiment.protections["cdp"]
    monkeypatch.setattr(cdp.copy, "reported_rpo_ns", lambda _: 0)
    with pytest.raises(ReportedBetterThanTrue, match="could not keep"):
        experiment.run()


def test_every_shipped_scenario_loads_into_a_world():
    for name in scenarios.library_names():
        Experiment(scenarios.load(name))


def test_kept_files_are_those_that_were_recovered(scenario, tmp_path: Path):
    experiment = Experiment(scenario(), keep=tmp_path)
    experiment.run()
    folder = tmp_path / "cdp" / "drill-01-any"
    names = sorted(path.name for path in folder.iterdir())
    assert "MDB1.edb" in names
    assert "E00.log" in names
    assert "E00.chk" in names
