import re

from reports import Loss
from reports.markdown import SIZE_MAX, escaped, markdown_report


def test_the_verdict_the_thresholds_and_the_replay_are_there(sample):
    text = markdown_report([sample.result()])
    assert text.startswith("## \u274c MISSED: Losing the primary site\n")
    assert "0 of 2 targets met, 1 missed, 1 not exercised." in text
    assert "| \u274c missed | cdp.rpo | max &lt; 60 s | 1 min | 13 | 45 |" in text
    assert "lost 3 messages of 1,204" in text
    assert "**Did not fire**: link\\_outage" in text
    assert "\n    rpolab run site-loss --seed 7\n" in text


def test_a_threshold_of_the_scenario_that_is_extended_names_its_file(sample):
    [first, second] = sample.result().thresholds
    first = first.model_copy(update={"file": "library/clean_1.yaml"})
    text = markdown_report([sample.result(thresholds=(first, second))])
    assert "| 13 | clean\\_1.yaml:45 |" in text


def test_lost_messages_are_listed_up_to_a_bound_and_the_rest_is_told(sample):
    messages = tuple(sample.lost_message(number, f"subject {number}") for number in range(2_000))
    recovery = sample.disaster(lost=Loss(messages=2_000, bytes=1), lost_messages_list=messages)
    text = markdown_report([sample.result(recovery)])
    assert "the first 20 of 2,000 lost messages" in text
    assert text.count("| subject ") == 21  # and the table's heading


def test_a_summary_that_is_too_large_is_cut_by_us_and_says_so(sample):
    documents = [sample.result()] * 2_000
    whole = markdown_report(documents, 100 << 20)
    assert len(whole.encode()) > SIZE_MAX
    text = markdown_report(documents)
    assert SIZE_MAX - 20_000 < len(text.encode()) < SIZE_MAX
    assert re.search(r"> \*\*Cut here\*\*: [0-9]+ of [0-9]+ parts would make this summary", text)
    assert "Cut here" not in whole
    assert len(markdown_report(documents, 0).encode()) < 300


def test_hostile_text_is_shown_and_not_obeyed(hostile_result, hostile):
    text = markdown_report([hostile_result])
    outside_details = text.replace("<details><summary>", "").replace("</summary>", "")
    outside_details = outside_details.replace("</details>", "")
    code = [line for line in outside_details.splitlines() if line.startswith("    ")]
    shown = "\n".join(line for line in outside_details.splitlines() if line not in code)
    assert "<" not in shown
    assert "](" not in shown
    assert "://" not in shown
    assert "www." not in shown
    assert not re.search(r"(?<!\\)[`*_](?!\*)(?=[a-z])", re.sub(r"`[0-9a-f]+`|\*\*", "", shown))
    for line in shown.splitlines():
        if line.startswith("|"):
            assert line.count("|") - line.count("\\|") in (4, 5, 6, 7)
    assert all(ord(letter) >= 32 or letter == "\n" for letter in text)
    assert escaped(hostile[0]) in text


def test_a_study_tells_which_choice_meets_the_targets(sample):
    study = sample.study()
    text = markdown_report([study])
    assert "4 runs in 2 cells." in text
    assert "in 95 % of cases" in text
    assert "link.bandwidth=2 Mbit/s: 0 of 2 runs met all" in text


def test_the_same_result_gives_the_same_bytes(sample):
    assert markdown_report([sample.result()]) == markdown_report([sample.result()])


def test_a_pooled_value_stands_with_its_interval(sample):
    [threshold, _] = sample.result().thresholds
    pooled = threshold.model_copy(update={"low": 50.0, "high": None})
    cell = sample.cell("", 1, 2, thresholds=(pooled,))
    assert "| 1 min \\(50 s or more\\) |" in markdown_report([sample.study(cell)])
