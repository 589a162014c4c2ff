"""What got better or worse between two documents."""

import io

import pytest

from reports import Cell, Digests, Study, ThresholdResult, Verdict
from reports.comparing import Change, compare_documents
from reports.comparison_text import differences_document, print_differences


def run(sample, rpo_s, seed=7, verdict=Verdict.MET, **changes):
    threshold = ThresholdResult(
        metric="cdp.rpo", expr="max < 60 s", observed=rpo_s, unit="s", n=1, verdict=verdict
    )
    values = {"thresholds": (threshold,), "verdict": verdict, "seed": seed, **changes}
    digests = Digests(effects=f"{rpo_s}-{seed}", full="x")
    return sample.result(sample.drill(300, rpo_s=rpo_s), digests=digests, **values)


def study(sample, *runs, name="", settings=()):
    cell = Cell(name=name, settings=dict(settings), runs=runs, verdict=Verdict.MET)
    return Study(scenario=runs[0].scenario, verdict=Verdict.MET, cells=(cell,))


def figure(differences, name):
    [found] = [item for item in differences.figures if item.name == name]
    return found


def test_a_document_does_not_differ_from_itself(sample):
    same = compare_documents(run(sample, 2.0), run(sample, 2.0, wall_s=9.0))
    assert {item.change for item in same.figures if item.is_exact} == {Change.SAME}
    assert {item.change for item in same.thresholds} == {Change.SAME}
    assert not same.is_worse
    assert same.notes == ("both had the same effects: nothing but real time differs",)


def test_a_higher_rpo_is_worse_and_a_lower_one_better(sample):
    worse = compare_documents(run(sample, 2.0), run(sample, 3.0))
    assert figure(worse, "cdp.rpo max").change is Change.WORSE
    assert worse.is_worse
    assert not worse.has_worse_thresholds
    better = compare_documents(run(sample, 3.0), run(sample, 2.0))
    assert figure(better, "cdp.rpo max").change is Change.BETTER
    assert not better.is_worse


def test_real_time_is_told_and_never_judged(sample):
    slower = compare_documents(run(sample, 2.0, wall_s=1.0), run(sample, 2.0, wall_s=90.0))
    found = figure(slower, "wall_s")
    assert (found.before, found.after, found.is_exact) == (1.0, 90.0, False)
    assert not slower.is_worse


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (Verdict.MET, Verdict.MISSED, Change.WORSE),
        (Verdict.MET, Verdict.INCONCLUSIVE, Change.WORSE),
        (Verdict.NOT_EXERCISED, Verdict.INCONCLUSIVE, Change.BETTER),
        (Verdict.MISSED, Verdict.MET, Change.BETTER),
        (Verdict.MISSED, Verdict.MISSED, Change.SAME),
    ],
)
def test_a_verdict_gets_better_or_worse(sample, before, after, change):
    found = compare_documents(run(sample, 2.0, verdict=before), run(sample, 2.0, verdict=after))
    assert [item.change for item in found.thresholds] == [change]
    assert found.has_worse_thresholds is (change is Change.WORSE)


def test_a_threshold_in_one_alone_is_added_or_removed(sample):
    without = run(sample, 2.0, thresholds=())
    added = compare_documents(without, run(sample, 2.0))
    assert [item.change for item in added.thresholds] == [Change.ADDED]
    removed = compare_documents(run(sample, 2.0), without)
    assert [item.change for item in removed.thresholds] == [Change.REMOVED]


def test_studies_are_compared_seed_by_seed(sample):
    before = study(sample, *(run(sample, 2.0, seed) for seed in (1, 2, 3)))
    after = study(sample, run(sample, 1.0, 1), run(sample, 3.0, 2), run(sample, 4.0, 3))
    found = figure(compare_documents(before, after), "cdp.rpo max")
    assert (found.runs, found.runs_better, found.runs_worse) == (3, 1, 2)
    assert found.change is Change.WORSE
    assert found.after == pytest.approx(8 / 3)


def test_only_the_seeds_that_both_have_are_compared(sample):
    before = study(sample, run(sample, 2.0, 1), run(sample, 90.0, 2))
    after = study(sample, run(sample, 2.0, 1), run(sample, 99.0, 3))
    found = compare_documents(before, after)
    assert figure(found, "cdp.rpo max").change is Change.SAME
    assert "only the 1 seeds that both have are compared" in found.notes


def test_without_a_common_seed_chance_is_named(sample):
    found = compare_documents(run(sample, 2.0, 1), run(sample, 3.0, 2))
    assert figure(found, "cdp.rpo max").change is Change.WORSE
    assert "no seed is in both: chance has its part in every difference" in found.notes


def test_a_cell_in_one_alone_is_added(sample):
    before = study(sample, run(sample, 2.0), name="a=1", settings=[("a", "1")])
    after = study(sample, run(sample, 2.0), name="a=2", settings=[("a", "2")])
    found = compare_documents(before, after)
    changes = {item.cell: item.change for item in found.figures if item.name == "cdp.rpo max"}
    assert changes == {"a=1": Change.REMOVED, "a=2": Change.ADDED}


def told(sample, *documents, **options):
    out = io.StringIO()
    differences = compare_documents(*documents)
    print_differences(differences, ("one", "two"), file=out, width=120, **options)
    return out.getvalue()


def test_the_table_shows_limits_values_and_what_became_of_them(sample):
    text = told(sample, run(sample, 2.0), run(sample, 3.0, verdict=Verdict.MISSED))
    assert text.startswith("one -> two\n")
    assert "cdp.rpo max < 60 s met 2 s missed 3 s worse" in " ".join(text.split())
    assert "+1 s (+50.0%)" in text
    assert "real time: 3.2 s -> 3.2 s (of the machine; not judged)" in text
    assert "cdp.refused" not in text
    assert "cdp.refused sum" in told(sample, run(sample, 2.0), run(sample, 3.0), everything=True)


def test_the_document_says_whether_it_got_worse(sample):
    found = compare_documents(run(sample, 2.0), run(sample, 3.0))
    document = differences_document(found, ("one", "two"))
    assert document["is_worse"] is True
    assert document["figures"][0]["change"] == "worse"
