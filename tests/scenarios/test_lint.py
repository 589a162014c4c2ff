"""Promises that cannot hold are told before the run, with the numbers that say so."""

import pytest

from emulators.exchange.profiles import PROFILES
from emulators.exchange.working_day import WORKING_DAY
from scenarios import check_text
from scenarios import sizing as figures
from scenarios.doubts import DESCRIPTIONS, Doubted
from scenarios.draft import draft_of
from scenarios.phases import Span
from scenarios.quantities import HOUR_NS, MINUTE_NS

BASE = """\
title: A base
seed: 7
start: 10:00
duration: 1 h
exchange:
  version: 2007
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 600, profile: heavy}
sites:
  primary: {}
  recovery: {}
links:
  - {between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}
protect:
  cdp:
    kind: cdp
    copies: [{site: recovery, retention: 48 h}]
    bookmarks: {every: 15 min}
    pool: 64 GiB
faults: []
drills: {every: 5 min, at_end: true, classes: [any, app]}
thresholds:
  cdp.rpo: ["max < 60 s"]
"""
OUTAGE = "[{at: 10:10, kind: link_outage, between: [primary, recovery], duration: 20 min}]"
LOSS = "{at: 10:30, kind: site_loss, site: primary}"
SPILL = "overflow: spill\n    pool: 64 MiB\n    spool: 64 MiB"


def doubts(*changes):
    text = BASE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    checked = check_text(text)
    assert checked.problems == ()
    return checked.warnings


def test_the_base_is_beyond_doubt():
    assert doubts() == ()


@pytest.mark.parametrize(
    ("changes", "kind", "line", "told"),
    [
        ([("10 Mbit/s", "512 kbit/s")], Doubted.LINE_TOO_SLOW, 13,
         ["600 mailboxes write", "MiB a second", "it carries 62.5 KiB", "exchange.md 5.3"]),
        ([("faults: []", f"faults: {OUTAGE}"), ("pool: 64 GiB", "pool: 64 MiB")],
         Doubted.SPOOL_OVERRUN, 20, ["the pool of cdp, 64 MiB", "writes wait", "in 20 min"]),
        ([("faults: []", f"faults: {OUTAGE}"), ("pool: 64 GiB", SPILL)],
         Doubted.SPOOL_OVERRUN, 22, ["pool and spool of cdp, 128 MiB", "order is given up"]),
        ([("faults: []", f"faults: {OUTAGE}"), ("10 Mbit/s", "2 Mbit/s")],
         Doubted.CATCH_UP_TOO_LONG, 20, ["catching up would take", "30 min after the outage"]),
        ([("faults: []", f"faults: [{LOSS}, {OUTAGE[1:-1].replace('10:10', '10:35')}]")],
         Doubted.NEVER_FIRES, 20, ["never comes", "30 min after its start"]),
        ([("faults: []", f"faults: [{LOSS.replace('at: 10:30', 'when: cdp.backlog > 1 TiB')}]")],
         Doubted.NEVER_FIRES, 20, ["can never be", "no more than the pool's 65536 MiB"]),
        ([("faults: []", f"faults: [{LOSS.replace('at: 10:30', 'when: cdp.rpo >= 2 h')}]")],
         Doubted.NEVER_FIRES, 20, ["the run lasts 1 h"]),
        ([("faults: []", f"faults: [{LOSS.replace('at: 10:30', 'when: cdp.mode == spool')}]")],
         Doubted.NEVER_FIRES, 20, ["it stays in data"]),
        ([("faults: []", f"faults: [{LOSS.replace('at: 10:30', 'when: cdp.bookmarks > 5')}]")],
         Doubted.NEVER_FIRES, 20, ["no more bookmarks are made"]),
        ([("max < 60 s", "p(99) < 60 s")], Doubted.TOO_FEW_SAMPLES, 23,
         ["p(99) of 12 samples is their maximum: 100 are needed"]),
        ([("cdp.rpo: [", "cdp.catch_up: [")], Doubted.NEVER_SAMPLED, 23,
         ["no fault of the scenario is ever lifted"]),
        ([(", classes: [any, app]", ""), ("cdp.rpo: [", "cdp.app_rpo: [")],
         Doubted.NEVER_SAMPLED, 23, ["nothing is recovered to a bookmark"]),
        ([("cdp.rpo: [", "cdp.app_exposure_max: [")], Doubted.CANNOT_BE_MET, 23,
         ["bookmarks every 15 min are up to 15 min old", "7 min 30 s in the mean"]),
        ([("cdp.rpo: [", "cdp.exposure_max: ["), ("max < 60 s", "max < 20 ms")],
         Doubted.CANNOT_BE_MET, 23, ["is 20 ms old before it can be at the copy"]),
    ],
)  # fmt: skip
def test_each_doubt_stands_at_its_line_with_its_numbers_and_can_be_accepted(
    changes, kind, line, told
):
    [doubt] = doubts(*changes)
    assert doubt.line == line
    assert doubt.column > 0
    for part in told:
        assert part in f"{doubt.message} {doubt.hint}"
    assert f"accepts: [{kind}]" in doubt.hint
    assert doubts(*changes, ("seed: 7", f"seed: 7\naccepts: [{kind}]")) == ()


def test_a_phase_without_a_drill_has_no_samples():
    phases = "phases: [{name: chaos, duration: 58 min}, {name: quiet, duration: 1 min}]\nfaults: []"
    [doubt] = doubts(("faults: []", phases), ("cdp.rpo", "cdp.rpo@quiet"))
    assert "nothing is recovered to a write in the phase 'quiet'" in doubt.message


def test_replications_give_a_percentile_its_samples():
    assert doubts(("max < 60 s", "p(99) < 60 s"), ("seed: 7", "seed: 7\nreplications: 10")) == ()


def test_a_disaster_leaves_the_number_of_samples_open():
    changes = ("faults: []", f"faults: [{LOSS}]"), ("max < 60 s", "p(99) < 60 s")
    assert doubts(*changes) == ()


def test_an_unknown_word_under_accepts_is_an_error_with_the_nearest():
    [problem] = check_text(BASE.replace("seed: 7", "seed: 7\naccepts: [spool_overun]")).problems
    assert "'spool_overun' is unknown" in problem.message
    assert "spool_overrun" in problem.hint


def test_every_kind_of_doubt_is_described():
    assert set(DESCRIPTIONS) == set(Doubted)


def test_the_sizing_is_that_of_the_emulated_users():
    assert WORKING_DAY.shares == figures.DAY_PPM
    assert {name: mib << 20 for name, mib in figures.LOG_MIB_PER_DAY.items()} == {
        name: profile.log_bytes_per_day
        for (version, name), profile in PROFILES.items()
        if version == 2007
    }
    assert {
        name: profile.sent_per_day + profile.received_per_day
        for (version, name), profile in PROFILES.items()
        if version == 2003
    } == figures.MESSAGES_PER_DAY_2003


def plain(**group):
    groups = ({"name": "SG1", "databases": ("MDB1",), "mailboxes": 10, **group},)
    return {"start": "10:00", "exchange": {"version": 2007, "storage_groups": groups}}


def test_churn_follows_the_hours_of_the_day():
    churn = figures.churn_of(draft_of(plain(profile="heavy"), None))
    day = 10 * 24 * 2**20 * 7 // 3
    whole = churn.written_bytes(Span(0, 24 * HOUR_NS))
    assert whole == pytest.approx(day, rel=1e-6)
    assert churn.written_bytes(Span(0, HOUR_NS)) == pytest.approx(day * 0.114876, rel=1e-6)
    across = churn.written_bytes(Span(30 * MINUTE_NS, 90 * MINUTE_NS))
    assert across == pytest.approx(day * (0.114876 + 0.098321) / 2, rel=1e-6)
    assert churn.busiest_bytes_s(Span(HOUR_NS, 3 * HOUR_NS)) == int(day * 0.098321 / 3600)


def test_own_figures_count_by_message_and_size():
    twice = plain(profile={"sent": 20, "received": 80, "size": "100 KiB"})
    once = plain(profile="heavy")
    sizes = [
        figures.churn_of(draft_of(values, None)).written_bytes(Span(0, 24 * HOUR_NS))
        for values in (twice, once)
    ]
    assert sizes[0] / sizes[1] == pytest.approx(1.9, rel=1e-6)
