"""What a failing test says, from results that no run had to make."""

import pytest

from rpolab.pytest_plugin.judgements import judged, missed_text, seed_of, told_unfired, value_text

THRESHOLD = {
    "metric": "cdp.rpo",
    "expr": "p(95) < 60 s",
    "observed": 61.5,
    "unit": "s",
    "n": 40,
    "verdict": "inconclusive",
    "line": 2,
    "note": "the interval straddles the limit",
    "file": "",
    "low": 55.0,
    "high": 70.25,
    "runs_needed": 12,
}
FAULT = {"kind": "site_loss", "at_s": 60.0, "fired": False, "evidence": "not drawn"}
RUN = {"seed": 7, "thresholds": [THRESHOLD], "faults": [FAULT], "replay": "rpolab run x --seed 7"}
STUDY = {
    "kind": "study",
    "cells": [
        {"name": "a=1", "thresholds": [{**THRESHOLD, "observed": 1.0}], "runs": [RUN]},
        {"name": "a=2", "thresholds": [THRESHOLD], "runs": [RUN, {**RUN, "seed": 9}]},
    ],
}


def test_all_figures_of_a_threshold_stand_in_the_text(tmp_path):
    path = tmp_path / "plan.rpolab.yaml"
    path.write_text("thresholds:\n  cdp.rpo: [p(95) < 60 s]\nmore: 1\n", encoding="utf-8")
    text = missed_text(path, "plan.rpolab.yaml", judged(RUN, None, 0), RUN)
    assert text.splitlines() == [
        "plan.rpolab.yaml:2: cdp.rpo: p(95) < 60 s: inconclusive",
        "",
        "     1 | thresholds:",
        ">    2 |   cdp.rpo: [p(95) < 60 s]",
        "     3 | more: 1",
        "",
        "limit     p(95) < 60 s (the limit itself misses it)",
        "observed  61.5 s",
        "interval  55 s to 70.25 s",
        "samples   n = 40",
        "verdict   inconclusive",
        "note      the interval straddles the limit",
        "to settle 12 more runs",
        "seed      7",
        "replay    rpolab run x --seed 7",
    ]


def test_a_file_that_has_gone_costs_the_lines_and_nothing_else(tmp_path):
    text = missed_text(tmp_path / "none", "none", judged(RUN, None, 0), RUN)
    assert "none:2: cdp.rpo" in text
    assert "|" not in text


def test_a_line_of_another_file_is_shown_from_there(tmp_path):
    parent = tmp_path / "parent.yaml"
    parent.write_text("a: 1\nb: 2\n", encoding="utf-8")
    run = {**RUN, "thresholds": [{**THRESHOLD, "file": str(parent)}]}
    text = missed_text(parent, "plan", judged(run, None, 0), run)
    assert text.startswith(f"{parent}:2: cdp.rpo")
    assert ">    2 | b: 2" in text


@pytest.mark.parametrize(("cell", "observed"), [("a=1", 1.0), ("a=2", 61.5), (None, 1.0)])
def test_a_cell_of_a_study_is_found_by_its_name(cell, observed):
    assert judged(STUDY, cell, 0).observed == observed


def test_the_seeds_of_a_study_are_the_first_and_the_last():
    assert seed_of(RUN) == "7"
    assert seed_of(STUDY) == "7 to 9"


def test_a_fault_that_was_not_drawn_need_not_have_fired():
    assert told_unfired(RUN) == []
    drawn = {**RUN, "faults": [{**FAULT, "evidence": "no host"}, {**FAULT, "chosen": True}]}
    assert told_unfired(drawn) == [
        "site_loss at 60 s (seed 7): no host",
        "site_loss at 60 s (seed 7): not drawn",
    ]


@pytest.mark.parametrize(
    ("observed", "unit", "text"),
    [(None, "s", "nothing"), (1234567.0, "count", "1,234,567"), (0.5, "bytes", "0.5 bytes")],
)
def test_values_have_their_units(observed, unit, text):
    run = {**RUN, "thresholds": [{**THRESHOLD, "observed": observed, "unit": unit}]}
    assert value_text(judged(run, None, 0)) == text
