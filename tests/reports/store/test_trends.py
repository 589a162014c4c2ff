"""Trends: values by entry, and steps told with the first entry that has them."""

import io

import pytest

from reports.history_text import history_document, print_history
from reports.store import Selection, open_store
from reports.store.trends import trends_of


@pytest.fixture
def kept(tmp_path, small, study, origin):
    """Keeps one result for each (seed, RPO, changes of the origin); returns the open store."""
    opened = open_store(tmp_path / "store")

    def keep(*runs):
        for number, (seed, rpo_s, changes) in enumerate(runs):
            opened.keep(small(seed, rpo_s), origin(number + 1, **changes), f"{number:016x}")
        return opened

    keep.study = lambda number, rpo_s: opened.keep(study(rpo_s), origin(number))
    yield keep
    opened.close()


def trend(store, metric, number=0):
    return trends_of(store.runs(Selection()), metric)[number]


def test_a_figure_that_stays_has_no_step(kept):
    found = trend(kept((7, 2.0, {}), (7, 2.0, {"commit": "cd" * 20})), "cdp.rpo mean")
    assert [point.value for point in found.points] == [1.5, 1.5]
    assert found.steps == ()


def test_a_step_is_told_with_the_first_commit_that_has_it(kept):
    second = {"commit": "cd" * 20}
    third = {"commit": "ef" * 20}
    store = kept((7, 2.0, {}), (7, 2.0, second), (7, 3.0, third), (7, 3.0, third))
    [step] = trend(store, "cdp.rpo mean").steps
    assert (step.before.value, step.after.value) == (1.5, 2.25)
    assert step.before.entry.commit == "cd" * 20
    assert step.after.entry.entry_id == f"{2:016x}"
    assert step.causes == ("commit",)


@pytest.mark.parametrize(
    ("changes", "causes"),
    [
        ({}, ()),
        ({"scenario_digest": "00"}, ("scenario",)),
        ({"is_dirty": True}, ("uncommitted changes",)),
        ({"commit": "cd" * 20, "branch": "night"}, ("commit", "branch")),
    ],
)
def test_a_step_says_what_else_changed(kept, changes, causes):
    [step] = trend(kept((7, 2.0, {}), (7, 3.0, changes)), "cdp.rpo mean").steps
    assert step.causes == causes


def test_another_seed_is_another_trend_and_no_step(kept):
    store = kept((7, 2.0, {}), (8, 3.0, {}), (7, 2.0, {}))
    found = trends_of(store.runs(Selection()), "cdp.rpo mean")
    assert [(item.seeds, len(item.points), item.steps) for item in found] == [
        ((7,), 2, ()),
        ((8,), 1, ()),
    ]


def test_a_cell_of_a_study_has_a_trend_of_the_mean_over_its_seeds(kept):
    kept.study(1, 2.0)
    kept.study(2, 3.0)
    found = trends_of(kept().runs(Selection()), "cdp.rpo mean")
    assert [(item.cell, item.seeds) for item in found] == [
        ("link.bandwidth=2 Mbit/s", (1, 2, 3)),
        ("link.bandwidth=10 Mbit/s", (1, 2, 3)),
    ]
    assert [point.value for point in found[0].points] == [3.0, 3.75]
    assert len(found[0].steps) == 1


def test_real_time_has_a_trend_and_never_a_step(kept, small, origin):
    store = kept((7, 2.0, {}))
    store.keep(small(7, 2.0, wall_s=99.0), origin(9))
    found = trend(store, "wall_s")
    assert [point.value for point in found.points] == [3.2, 99.0]
    assert found.steps == ()


def test_without_a_metric_the_figures_that_thresholds_limit_are_told(kept):
    found = trends_of(kept((7, 2.0, {})).runs(Selection()))
    assert [item.name for item in found] == ["cdp.lost_messages max", "cdp.rpo max"]


def told(store, metric=None):
    out = io.StringIO()
    entries = store.entries(Selection())
    print_history(entries, trends_of(store.runs(Selection()), metric), file=out, width=200)
    return out.getvalue()


def test_the_history_shows_entries_a_sparkline_and_each_step(kept):
    text = told(kept((7, 2.0, {}), (7, 4.0, {"commit": "cd" * 20})), "cdp.rpo mean")
    assert "Runs kept: 2 entries" in text
    assert "abababa" in text
    assert "1970-01-01 00:00Z" in text
    assert "\u2581\u2588" in text
    assert (
        "site-loss: cdp.rpo mean, seed 7: 1.5 s -> 3 s (worse); first in 00000000 at cdcdcdc"
        in text
    )


def test_a_value_that_changes_with_nothing_else_is_called_unrepeatable(kept):
    text = told(kept((7, 2.0, {}), (7, 1.0, {})), "cdp.rpo mean")
    assert "(better)" in text
    assert "this run cannot be repeated" in text


def test_the_history_as_a_document_names_first_and_last(kept):
    store = kept((7, 2.0, {}), (7, 4.0, {"commit": "cd" * 20}))
    entries = store.entries(Selection())
    document = history_document(entries, trends_of(store.runs(Selection()), "cdp.rpo mean"), "here")
    [found] = document["trends"]
    [step] = found["steps"]
    assert step["first_with"] == f"{1:016x}"
    assert step["last_without"] == f"{0:016x}"
    assert step["commit"] == "cd" * 20
    assert document["entries"][0]["kept_at"] == "1970-01-01T00:00:00Z"
