"""What the engine says of its own health in a run, beside what the laboratory measures."""

import pytest

OUTAGE = [
    {"at": "10:03", "kind": "link_outage", "between": ["primary", "recovery"], "duration": "4 min"}
]
SITE_LOSS = [{"at": "10:08", "kind": "site_loss", "site": "primary"}]


def measured(experiment):
    (protection,) = experiment.result().protections
    return protection, protection.health


def agrees(reported, measured_rpo):
    """The percentiles are up to 1 % and a millisecond too high, never too low."""
    assert reported.max_s == pytest.approx(measured_rpo.max_s, abs=0.1)
    assert reported.mean_s == pytest.approx(measured_rpo.mean_s, abs=0.1)
    for name in ("p95_s", "p99_s"):
        assert getattr(reported, name) >= getattr(measured_rpo, name) - 0.1
        assert getattr(reported, name) <= getattr(measured_rpo, name) * 1.01 + 0.1


def test_a_run_ends_with_the_health_of_its_copy(run):
    protection, health = measured(run())
    assert (health.severity, health.events, health.gaps) == ("healthy", (), 0)
    assert health.bookmarks["found"] == health.app_points > 0
    assert health.bookmarks["lost"] == 0
    assert health.mode_s == {"data": pytest.approx(720, abs=1)}
    assert 0 < health.sent_wire_bytes < health.sent_raw_bytes
    assert health.clock_error_s < 1
    agrees(health.reported_rpo, protection.rpo)
    agrees(health.reported_app_rpo, protection.app_rpo)


def test_an_outage_is_told_and_cleared_and_its_bookmark_was_late_but_not_lost(run):
    protection, health = measured(run(faults=OUTAGE))
    told = [(event.name, event.change) for event in health.events]
    assert told[0] == ("disconnected", "raised")
    assert health.bookmarks["lost"] == health.bookmarks["delayed"] == 0
    assert health.backlog_s_max > 200
    agrees(health.reported_rpo, protection.rpo)


def test_the_health_of_a_lost_site_is_that_of_the_moment_it_was_lost(run):
    protection, health = measured(run(faults=SITE_LOSS, drills=None))
    assert health.at_s == 480
    agrees(health.reported_rpo, protection.rpo)
