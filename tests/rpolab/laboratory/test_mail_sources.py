"""Each kind of workload, from the administrator's file to the recovered database."""

import datetime as dt

import pytest

from emulators.exchange.profiles import profile_named
from rpolab.laboratory.experiment import Experiment
from rpolab.mail.profiles import day_curve, profile_of

TRACKING = """\
#Software: Microsoft Exchange Server
#Version: 8.0.0.0
#Log-type: Message Tracking Log
#Fields: date-time,source,event-id,message-id,recipient-address,total-bytes,\
message-subject,sender-address
2007-06-04T08:00:05.000Z,STOREDRIVER,DELIVER,<1@x>,anna@corp.example;bert@corp.example,20000,\
"Plans, again",carl@corp.example
2007-06-04T08:00:05.000Z,SMTP,RECEIVE,<1@x>,anna@corp.example;bert@corp.example,20000,\
"Plans, again",carl@corp.example
2007-06-04T08:00:06.500Z,STOREDRIVER,DELIVER,<1@x>,carl@corp.example,20000,\
"Plans, again",carl@corp.example
2007-06-04T08:01:00.000Z,STOREDRIVER,DELIVER,<2@x>,bert@corp.example,5000000,\
Film,Anna@corp.example
2007-06-04T08:01:30.000Z,STOREDRIVER,DELIVER,<3@x>,anna@corp.example,no size,\
Broken,carl@corp.example
2007-06-04T08:02:00.000Z,STOREDRIVER,DELIVER,<4@x>,dora@corp.example,700,,<>
"""
MBOX = """\
From anna@example.com Mon Jun  4 10:00:00 2007
From: anna@example.com
Subject: Hello

A body.

From bert@example.com Mon Jun  4 10:01:00 2007
From: bert@example.com
Subject: Re: Hello

Another.

"""


def replayed(mailboxes=4, **workload):
    groups = [{"name": "SG1", "databases": ["MDB1"], "mailboxes": mailboxes}]
    return {"exchange": {"version": 2007, "storage_groups": groups}, "workload": workload}


@pytest.fixture
def run_replay(scenario):
    def run_it(changes):
        found = scenario(**changes, start=None, duration=None)
        assert found.starts_with_mail
        experiment = Experiment(found)
        experiment.run()
        return experiment

    return run_it


def assert_all_recovered(experiment, count):
    assert experiment.ledger.acknowledged_count == count
    [drill] = experiment.result().protections[0].recoveries
    assert drill.outcome == "recovered"
    assert (drill.lost.messages, drill.phantom, drill.damaged) == (0, 0, 0)


def deliveries(experiment):
    ledger = experiment.ledger
    return [
        (entry.mailbox, entry.folder, entry.subject, entry.size_bytes)
        for entry in ledger.acknowledged_by(experiment.kernel.now_ns)
    ]


def created(experiment):
    """The first entry of every message."""
    return [history[0] for history in experiment.ledger._histories.values()]


def test_an_archive_is_replayed_and_recovered(run_replay, tmp_path):
    (tmp_path / "mail.mbox").write_text(MBOX)
    assert_all_recovered(run_replay(replayed(2, mbox=str(tmp_path / "mail.mbox"))), 4)


def test_a_tracking_log_is_replayed_and_recovered(run_replay, tmp_path):
    (tmp_path / "a.log").write_text(TRACKING)
    experiment = run_replay(replayed(4, tracking_log=str(tmp_path)))
    assert experiment.result().scenario.starts_at == "2007-06-04T08:00:00"
    assert_all_recovered(experiment, 7)
    found = deliveries(experiment)
    anna, bert, carl, dora = (f"{name}@corp.example" for name in ("anna", "bert", "carl", "dora"))
    assert found[:6] == [
        (carl, "Sent Items", "Plans, again", 20_000),
        (anna, "Inbox", "Plans, again", 20_000),
        (bert, "Inbox", "Plans, again", 20_000),
        (carl, "Inbox", "Plans, again", 20_000),
        (anna, "Sent Items", "Film", 5_000_000),
        (bert, "Inbox", "Film", 5_000_000),
    ]
    assert (found[6][0], found[6][3]) == (dora, 700)


def test_rows_left_out_and_copies_without_a_mailbox_are_in_the_result(run_replay, tmp_path):
    (tmp_path / "a.log").write_text(TRACKING)
    experiment = run_replay(replayed(2, tracking_log=str(tmp_path / "a.log")))
    assert_all_recovered(experiment, 4)
    bad_row, left_out = [
        notice.text for notice in experiment.result().notices if notice.source == "tracking log"
    ]
    assert bad_row.startswith("1 row is left out: ")
    assert "a.log:9:" in bad_row
    assert "'no size' is no size" in bad_row
    assert left_out.startswith("2 copies to 2 recipients are left out")


def test_a_log_of_fewer_recipients_leaves_mailboxes_empty(run_replay, tmp_path):
    (tmp_path / "a.log").write_text(TRACKING)
    experiment = run_replay(replayed(9, tracking_log=str(tmp_path / "a.log")))
    assert_all_recovered(experiment, 7)
    assert len(experiment.server.mailboxes) == 9


def stats(logs_by_hour):
    midnight = dt.datetime(2007, 6, 4)  # noqa: DTZ001 - a server's clock
    lines = ["Log Generation,Time Retrieved,ServerName,DatabaseName", "7,never,MBX1,SG1"]
    generation = 100
    for hour in range(25):
        lines.append(f"{generation},{midnight + dt.timedelta(hours=hour):%m/%d/%Y %H:%M:%S},M,SG1")
        generation += logs_by_hour.get(hour, 20)
    lines.append("5,06/04/2007 00:00:00,M,SG2")
    return "\n".join([*lines, ""])


@pytest.mark.parametrize(
    "profile", ["light", "very_heavy", {"sent": 2, "received": 200, "size": "20 KiB"}], ids=str
)
def test_the_run_makes_as_many_logs_in_an_hour_as_were_counted(scenario, tmp_path, profile):
    (tmp_path / "LogStats.csv").write_text(stats({10: 200, 11: 0}))
    group = {"name": "SG1", "databases": ["MDB1"], "mailboxes": 40, "profile": profile}
    experiment = Experiment(
        scenario(
            exchange={"version": 2007, "storage_groups": [group]},
            workload={"log_stats": str(tmp_path / "LogStats.csv"), "database": "sg1"},
            duration="40 min",
            start="10:30",
        )
    )
    experiment.run()
    # 100 logs' worth of mail until 11:00 and none later; what users do with it goes on, and the
    # number of large messages varies with the seed
    assert experiment.laboratory.group.log.buffer.generation == pytest.approx(100, rel=0.35)
    [drill] = experiment.result().protections[0].recoveries
    assert (drill.outcome, drill.lost.messages, drill.damaged) == ("recovered", 0, 0)
    texts = [item.text for item in experiment.result().notices if item.source == "log statistics"]
    assert texts[0].startswith("1 row is left out: ")
    assert texts[1] == "other databases in the file are not part of this run: SG2"
    assumed = {item.name: item.value for item in experiment.result().assumptions}
    assert assumed["transaction logs a day"] == "640.0 of 1 MiB"


HOURS = ["0 %"] * 10 + ["50 %"] + ["0 %"] * 12 + ["50 %"]


def test_a_profile_in_figures_is_what_users_do(run):
    profile = {"sent": 200, "received": 800, "size": "8 KiB", "hours": HOURS}
    group = {"name": "SG1", "databases": ["MDB1"], "mailboxes": 4, "profile": profile}
    experiment = run(exchange={"version": 2007, "storage_groups": [group]}, duration="15 min")
    # 4 mailboxes get 800 messages a day, half of them from 10:00 to 11:00: 400 in 15 minutes
    assert_all_recovered(experiment, experiment.ledger.acknowledged_count)
    received = [entry for entry in created(experiment) if entry.folder == "Inbox"]
    assert len(received) == pytest.approx(400, rel=0.15)
    assumed = {item.name: item.value for item in experiment.result().assumptions}
    assert assumed["day of a user"] == "200 sent, 800 received"
    assert assumed["size of a message"] == "8 KiB on average"
    assert assumed["hours of the day"] == "50.0% of a day at 10:00"


@pytest.mark.parametrize(("sent", "received"), [(0, 400), (400, 0)])
def test_users_may_only_receive_or_only_send(run, sent, received):
    profile = {"sent": sent, "received": received, "size": "4 KiB"}
    group = {"name": "SG1", "databases": ["MDB1"], "mailboxes": 10, "profile": profile}
    experiment = run(exchange={"version": 2007, "storage_groups": [group]})
    folders = {entry.folder for entry in created(experiment)}
    assert folders == ({"Drafts", "Calendar"} if sent else {"Inbox"})


def test_a_hours_list_that_is_nearly_a_day_is_scaled_to_one(scenario):
    hours = ["4.2 %"] * 24
    profile = {"sent": 1, "received": 1, "hours": hours}
    group = {"name": "SG1", "databases": ["MDB1"], "mailboxes": 1, "profile": profile}
    found = scenario(exchange={"version": 2007, "storage_groups": [group]})
    [warning] = [item for item in found.source.warnings if "hours" in item.path]
    assert "100.8 %" in warning.message
    shares = day_curve(found.exchange.storage_groups[0].profile).shares
    assert max(shares) - min(shares) <= 1


def test_a_named_profile_is_the_emulators(scenario):
    assert profile_of(scenario().exchange, "heavy") == profile_named(2007, "heavy")


def test_a_replay_is_the_same_to_the_byte_each_time(run_replay, tmp_path):
    (tmp_path / "a.log").write_text(TRACKING)
    changes = replayed(6, tracking_log=str(tmp_path))
    first, second = (run_replay(changes).result().digests for _ in range(2))
    assert first == second
