"""A document is kept as it is, and found again by what it is."""

import numpy as np
import pytest

from reports import CopyResult
from reports.store import (
    Selection,
    StoreAbsentError,
    UnknownEntryError,
    new_entry_id,
    open_store,
)


def test_a_result_comes_back_as_it_was_kept(store, small, origin):
    result = small(seed=2**64 - 1)
    entry_id = store.keep(result, origin())
    assert store.document(entry_id) == result
    [run] = store.runs(Selection())
    assert run.seed == 2**64 - 1
    assert run.figures["cdp.rpo max"].value == 60.0
    assert run.figures["cdp.rpo max"].is_limited
    assert run.figures["cdp.rpo mean"].value == 1.5
    assert not run.figures["cdp.rpo mean"].is_limited


def test_a_study_comes_back_as_it_was_kept_with_every_run(store, study, origin):
    entry_id = store.keep(study(), origin())
    assert store.document(entry_id) == study()
    [entry] = store.entries(Selection())
    assert (entry.kind, entry.verdict) == ("study", "missed")
    runs = store.runs(Selection())
    assert [(run.cell, run.seed) for run in runs] == [
        (f"link.bandwidth={bandwidth}", seed)
        for bandwidth in ("2 Mbit/s", "10 Mbit/s")
        for seed in (1, 2, 3)
    ]


def test_the_same_run_twice_is_two_entries_of_one_identity(store, small, origin):
    first = store.keep(small(wall_s=1.0), origin(1))
    second = store.keep(small(wall_s=2.0), origin(2))
    assert first != second
    [newer, older] = store.entries(Selection())
    assert (older.entry_id, newer.entry_id) == (first, second)
    assert older.identity == newer.identity


@pytest.mark.parametrize(
    "changes", [{"commit": "cd" * 20}, {"scenario_digest": "00"}, {"is_dirty": True}]
)
def test_another_origin_is_another_identity(store, small, origin, changes):
    store.keep(small(), origin())
    store.keep(small(), origin(**changes))
    first, second = store.entries(Selection())
    assert first.identity != second.identity


def test_keeping_again_under_the_same_id_keeps_once(store, small, origin):
    entry_id = new_entry_id()
    assert store.keep(small(), origin(), entry_id) == entry_id
    assert store.keep(small(), origin(), entry_id) == entry_id
    assert len(store.entries(Selection())) == 1


def test_a_store_that_is_closed_and_opened_has_everything(place, small, origin):
    with open_store(place) as store:
        entry_id = store.keep(small(), origin())
    with open_store(place, create=False) as store:
        assert store.document(entry_id) == small()
        assert store.problems() == []


def test_entries_are_chosen_by_scenario_seed_branch_and_commit(store, small, study, origin):
    kept = {
        "plain": store.keep(small(), origin(1)),
        "file": store.keep(small(seed=8), origin(2, "plans/dr_1.yaml", branch="night")),
        "study": store.keep(study(), origin(3, commit="0123456789" * 4)),
    }
    name_of = {entry_id: name for name, entry_id in kept.items()}

    def chosen(**wanted):
        return [name_of[entry.entry_id] for entry in store.entries(Selection(**wanted))]

    assert chosen() == ["study", "file", "plain"]
    assert chosen(last=1) == ["study"]
    assert chosen(scenario="site-loss") == ["study", "plain"]
    assert chosen(scenario="dr_1") == chosen(scenario="plans/dr_1.yaml") == ["file"]
    assert chosen(scenario="drX1") == chosen(scenario="1") == chosen(scenario="%") == []
    assert chosen(seed=8) == ["file"]
    assert chosen(seed=3) == ["study"]
    assert chosen(branch="night") == ["file"]
    assert chosen(branch="0123456") == ["study"]
    assert chosen(branch="012345") == []
    assert chosen(kind="result") == ["file", "plain"]
    assert chosen(without=kept["plain"], scenario="site-loss") == ["study"]


def test_a_reference_is_an_age_or_the_first_letters_of_an_id(store, small, origin):
    first = store.keep(small(), origin(1), "aaaa000000000000")
    second = store.keep(small(), origin(2), "aaaa100000000000")
    assert store.resolve("latest").entry_id == second
    assert store.resolve("latest~1").entry_id == first
    assert store.resolve("aaaa1").entry_id == second
    for reference, message in (
        ("latest~2", "too far back"),
        ("aaaa", "several entries"),
        ("bbbb", "no entry has an id"),
        ("aa", "names no entry"),
        ("a%%%%", "names no entry"),
    ):
        with pytest.raises(UnknownEntryError, match=message) as caught:
            store.resolve(reference)
        assert caught.value.hint


def test_an_unknown_entry_is_an_error_with_a_hint(store):
    with pytest.raises(UnknownEntryError, match="it may have been pruned"):
        store.document("0" * 16)


def test_a_store_that_is_only_read_is_not_made(place):
    with pytest.raises(StoreAbsentError, match="no store"):
        open_store(place, create=False)


def test_quantiles_are_those_of_all_recoveries_together(store, small, origin):
    ages_s = []
    for number in range(20):
        rpo_s = 1 + number * 0.37
        ages_s += [rpo_s, rpo_s / 2]
        store.keep(small(seed=number, rpo_s=rpo_s), origin(number))
    levels = (0.5, 0.95, 1.0)
    entries = store.entries(Selection())
    count, found = store.quantiles(entries, "rpo_s", "cdp", levels)
    assert count == 40
    assert found == pytest.approx(np.quantile(ages_s, levels))
    assert store.quantiles(entries, "rto_s", "cdp", levels) == (0, [])
    assert store.quantiles([], "rpo_s", "cdp", levels) == (0, [])


def test_the_samples_of_a_copy_are_told_from_those_of_its_protection(store, sample, origin):
    copies = tuple(
        CopyResult(
            name=name, site="here", role="local", state="fed",
            recoveries=(sample.drill(300, rpo_s=rpo_s),),
        )
        for name, rpo_s in (("local", 1.0), ("far", 9.0))
    )  # fmt: skip
    result = sample.result(sample.drill(300, rpo_s=1.0))
    [protection] = result.protections
    protection = protection.model_copy(update={"copies": copies})
    store.keep(result.model_copy(update={"protections": (protection,)}), origin())
    entries = store.entries(Selection())
    assert store.quantiles(entries, "rpo_s", "cdp", (1.0,)) == (1, [1.0])
    assert store.quantiles(entries, "rpo_s", "cdp@far", (1.0,)) == (1, [9.0])
    [run] = store.runs(Selection())
    assert run.figures["cdp@far.rpo mean"].value == 9.0
