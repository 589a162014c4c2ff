import json
import re

from reports import Verdict
from reports.annotations import ANNOTATIONS_MAX, github_annotations, gitlab_annotations


def missed(sample, count):
    [threshold, _] = sample.result().thresholds
    return sample.result(
        thresholds=tuple(
            threshold.model_copy(update={"line": 40 + number, "metric": f"cdp{number}.rpo"})
            for number in range(count)
        )
    )


def test_only_missed_thresholds_are_annotated_on_their_line(sample):
    text = github_annotations([sample.result()])
    assert text == (
        "::error file=site-loss,line=45,title=rpolab::cdp.rpo: missed: max < 60 s, "
        "observed 1 min over 13 samples, seed 7\n"
    )
    [finding] = json.loads(gitlab_annotations([sample.result()]))
    assert finding["location"] == {"path": "site-loss", "lines": {"begin": 45}}
    assert finding["severity"] == "major"


def test_a_result_without_a_miss_has_none(sample):
    met = tuple(
        item.model_copy(update={"verdict": Verdict.MET}) for item in sample.result().thresholds
    )
    assert github_annotations([sample.result(thresholds=met)]) == ""
    assert json.loads(gitlab_annotations([sample.result(thresholds=met)])) == []


def test_there_are_ten_at_most_and_the_rest_is_told(sample):
    lines = github_annotations([missed(sample, 25)]).splitlines()
    assert len(lines) == ANNOTATIONS_MAX
    assert lines[-1].endswith("; 15 more were missed")
    assert len(json.loads(gitlab_annotations([missed(sample, 25)]))) == ANNOTATIONS_MAX
    assert "more were missed" not in github_annotations([missed(sample, 10)])


def test_a_finding_keeps_its_fingerprint_from_run_to_run_and_shares_it_with_none(sample):
    first, again = (json.loads(gitlab_annotations([missed(sample, 9)])) for _ in range(2))
    assert first == again
    assert len({item["fingerprint"] for item in first}) == 9


def test_paths_are_those_of_the_checkout(sample):
    text = github_annotations([sample.result()], lambda file: f"scenarios/{file}")
    assert "file=scenarios/site-loss," in text


def test_hostile_text_stays_within_its_line_and_its_command(hostile_result):
    lines = github_annotations([hostile_result]).split("\n")
    assert len(lines) == ANNOTATIONS_MAX + 1
    for line in lines[:-1]:
        assert re.fullmatch(r"::error file=[^:,]*,line=\d+,title=rpolab::[^\r\n]*", line)
        assert line.replace("%25", "").count("%0A") == 0
    assert len(json.loads(gitlab_annotations([hostile_result]))) == ANNOTATIONS_MAX
