import json

import pytest
from pydantic import ValidationError

from reports import (
    ResultError,
    ThresholdResult,
    Verdict,
    document_from_json,
    load_document,
    load_result,
    study_schema,
    worst_verdict,
)


def test_a_study_and_a_result_are_read_back_as_what_they_are(sample, tmp_path):
    path = tmp_path / "found.json"
    for document in (sample.study(), sample.result()):
        path.write_text(document.to_json(), encoding="utf-8")
        assert load_document(path) == document
        assert type(load_document(path)) is type(document)


def test_a_study_where_one_result_is_expected_is_one_clear_error(sample, tmp_path):
    path = tmp_path / "found.json"
    path.write_text(sample.study().to_json(), encoding="utf-8")
    with pytest.raises(ResultError, match="this is a study of several runs") as caught:
        load_result(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"kind": "study", "version": 2}', "no study of version 1"),
        ('{"kind": "study", "version": 1}', "field"),
        ('{"kind": "stduy", "version": 1}', "field"),
        ("[]", "no result of version 1"),
        ("", "not JSON"),
    ],
)
def test_a_document_that_is_neither_is_one_clear_error(content, message):
    with pytest.raises(ResultError, match=message):
        document_from_json(content)


def test_the_document_says_what_it_is_and_holds_the_whole_runs(sample):
    document = json.loads(sample.study().to_json())
    assert (document["version"], document["kind"]) == (1, "study")
    assert [cell["settings"] for cell in document["cells"]] == [
        {"link.bandwidth": "2 Mbit/s"},
        {"link.bandwidth": "5 Mbit/s"},
    ]
    run = document["cells"][0]["runs"][1]
    assert run == json.loads(sample.result(seed=8).to_json())
    assert set(document) == set(study_schema()["properties"])


def test_real_time_is_all_that_differs_between_studies_of_one_seed(sample):
    slow = sample.cell("", runs=(sample.result(wall_s=99.0),))
    fast = sample.cell("", runs=(sample.result(wall_s=0.1),))
    one, other = sample.study(slow), sample.study(fast, wall_s=9.0)
    assert one.to_json() != other.to_json()
    assert one.without_wall_clock().to_json() == other.without_wall_clock().to_json()
    assert one.digests == other.digests


def test_the_digest_of_a_study_knows_the_order_of_its_runs(sample):
    def run(seed, effects):
        digests = sample.result().digests.model_copy(update={"effects": effects})
        return sample.result(seed=seed, digests=digests)

    one = sample.study(sample.cell(runs=(run(1, "aa"), run(2, "bb"))))
    other = sample.study(sample.cell(runs=(run(1, "bb"), run(2, "aa"))))
    assert one.digests.effects != other.digests.effects
    assert one.digests.full == other.digests.full


def test_a_cell_counts_the_runs_that_have_met_everything(sample):
    runs = [sample.result(seed=seed, verdict=Verdict.MET) for seed in range(3)]
    cell = sample.cell(runs=(*runs, sample.result(seed=3, verdict=Verdict.MISSED)))
    assert (cell.runs_met, cell.share_met) == (3, 0.75)


@pytest.mark.parametrize("seeds", [(8, 7), (7, 7)])
def test_the_runs_of_a_cell_are_in_the_order_of_their_seeds(sample, seeds):
    with pytest.raises(ValidationError, match="order of their seeds"):
        sample.cell("", *seeds)


def test_a_study_that_contradicts_itself_is_refused(sample):
    with pytest.raises(ValidationError, match="two cells have one name"):
        sample.study(sample.cell("a=1"), sample.cell("a=1"))
    with pytest.raises(ValidationError, match="not the worst of its cells"):
        sample.study(sample.cell("a=1"), verdict=Verdict.MET)
    with pytest.raises(ValidationError, match="at least 1"):
        sample.cell(runs=())


def test_an_interval_has_its_ends_in_order():
    values = {"metric": "cdp.rpo", "expr": "p(95) < 60 s", "observed": 3.0, "unit": "s", "n": 40}
    open_ended = ThresholdResult(**values, verdict="inconclusive", low=2.0, runs_needed=33)
    assert (open_ended.low, open_ended.high, open_ended.runs_needed) == (2.0, None, 33)
    with pytest.raises(ValidationError, match="an interval from"):
        ThresholdResult(**values, verdict="met", low=4.0, high=3.0)


def test_the_worst_verdict_decides():
    met, missed = Verdict.MET, Verdict.MISSED
    assert worst_verdict([met, met]) is met
    assert worst_verdict([met, Verdict.NOT_EXERCISED, Verdict.INCONCLUSIVE]) == "inconclusive"
    assert worst_verdict([Verdict.INCONCLUSIVE, missed, met]) is missed
    assert worst_verdict([]) is Verdict.NOT_EXERCISED
