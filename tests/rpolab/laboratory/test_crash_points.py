"""The engine crashed after every action of a ten-minute scenario, at source and at target."""

import pytest

import scenarios
from rpolab.laboratory.crash_points import (
    CrashPoint,
    CrashPointFailure,
    CrashRun,
    crash_points,
    sweep,
)

PARTS = 4
ONE_GROUP = {
    "version": 2007,
    "storage_groups": [
        {"name": "SG1", "databases": ["MDB1"], "mailboxes": 2, "profile": "light"},
    ],
}
TWO_GROUPS = {
    "version": 2003,
    "storage_groups": [
        {"name": "SG1", "databases": ["MDB1", "MDB2"], "mailboxes": 2, "profile": "light"},
        {"name": "SG2", "databases": ["MDB3"], "mailboxes": 1, "profile": "light"},
    ],
}


def ten_minutes(exchange=ONE_GROUP, **protection):
    return scenarios.parse(
        {
            "title": "Ten minutes of a small office",
            "seed": 11,
            "start": "09:30",
            "duration": "10 min",
            "exchange": exchange,
            "sites": {"primary": {}, "recovery": {}},
            "links": [
                {"between": ["primary", "recovery"], "bandwidth": "2 Mbit/s", "latency": "20 ms"}
            ],
            "protect": {
                "cdp": {
                    "kind": "cdp",
                    "copies": [{"site": "recovery", "retention": "1 h"}],
                    "bookmarks": {"every": "4 min"},
                    "heartbeat": "60 s",
                    "batch_linger": "500 ms",
                    **protection,
                }
            },
        }
    )


def sweep_all(scenario, figure, *, first=0, every=1):
    points = crash_points(scenario)[first::every]
    held = sum(1 for _ in sweep(scenario, points))
    assert held == len(points)
    figure(f"{held} crash points held")


@pytest.mark.parametrize("part", range(PARTS))  # which run beside each other
def test_nothing_durable_is_missing_and_no_image_differs_at_any_crash_point(figure, part):
    sweep_all(ten_minutes(), figure, first=part, every=PARTS)


def test_the_same_holds_for_several_storage_groups_at_a_sample_of_crash_points(figure):
    sweep_all(ten_minutes(TWO_GROUPS), figure, every=37)


@pytest.mark.nightly
def test_the_same_holds_for_several_storage_groups(figure):
    sweep_all(ten_minutes(TWO_GROUPS), figure)


@pytest.mark.nightly
@pytest.mark.parametrize("pool", ["256 KiB", "64 MiB"])
def test_the_same_holds_with_many_heartbeats_and_a_pool_that_pushes_back(figure, pool):
    sweep_all(ten_minutes(heartbeat="5 s", batch_linger="100 ms", pool=pool), figure)


def test_a_crash_point_beyond_the_last_action_is_a_finding_not_a_pass():
    with pytest.raises(CrashPointFailure, match="fewer actions"):
        CrashRun(ten_minutes(), CrashPoint("target", 1_000_000, "none")).run()


def test_an_engine_that_acknowledges_before_its_sync_is_caught(monkeypatch):
    """A planted bug: the target says durable what only its memory holds."""
    from engine.journal.journal import Journal

    ingest = Journal.ingest

    def hasty(journal, data):
        actions = ingest(journal, data)
        journal.durable = journal.received
        return actions

    monkeypatch.setattr(Journal, "ingest", hasty)
    scenario = ten_minutes()
    with pytest.raises(AssertionError, match="target after action"):
        for _ in sweep(scenario, crash_points(scenario)):
            pass
