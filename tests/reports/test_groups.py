"""Several storage groups: a line for each, and none where a server has one only."""

import pytest
from pydantic import ValidationError

from reports import GroupRecovery, Loss, result_from_json
from reports.groups import group_rows
from reports.terminal import render_text


def group(name, messages=0, logs=0, **changes):
    lost = Loss(messages=messages, bytes=messages * 1000, logs=logs)
    return GroupRecovery(**{"name": name, "outcome": "recovered", "lost": lost} | changes)


def refused(name):
    return group(name, outcome="refused", lost=None, refusal="-501: a log file is damaged")


def lines_with(text, word):
    return [line.split() for line in text.splitlines() if word in line.split()]


def test_a_server_with_one_group_has_no_line_of_its_own(sample):
    assert list(group_rows(sample.result().protections[0].recoveries)) == []
    assert "storage group" not in render_text(sample.result())


def test_a_disaster_tells_what_each_group_lost(sample):
    recovery = sample.disaster(groups=(group("SG1", 3, logs=2), group("SG2")))
    text = render_text(sample.result(recovery))
    assert "By storage group" in text
    assert lines_with(text, "SG1") == [["SG1", "recovered", "3", "2.93", "KiB", "2"]]
    assert lines_with(text, "SG2") == [["SG2", "recovered", "0", "0", "B", "0"]]


def test_a_refusal_tells_which_group_is_refused_and_what_the_others_would_lose(sample):
    groups = (group("SG1", 1), refused("SG2"))
    recovery = sample.disaster(
        outcome="refused", refusal="SG2 refused", lost=None, lost_messages_list=(), groups=groups
    )
    text = render_text(sample.result(recovery))
    assert lines_with(text, "SG1") == [["SG1", "recovered", "1", "0.977", "KiB", "0"]]
    assert ["SG2", "refused"] in lines_with(text, "SG2")


def test_drills_are_summed_up_by_the_worst_that_each_group_lost(sample):
    drills = [
        sample.drill(300, groups=(group("SG1"), group("SG2"))),
        sample.drill(
            600,
            lost=Loss(messages=4, bytes=4000),
            groups=(group("SG1", 4, logs=1), group("SG2")),
        ),
        sample.drill(
            900, outcome="refused", refusal="SG2", groups=(group("SG1", 2), refused("SG2"))
        ),
    ]
    rows = {row.name: row for row in group_rows(drills)}
    assert rows["SG1"].outcome == "all recovered"
    assert rows["SG1"].lost == Loss(messages=4, bytes=4000, logs=1)
    assert rows["SG2"].outcome == "2 recovered, 1 refused"
    assert "the worst of its drills" in render_text(sample.result(*drills))


def test_the_groups_are_in_the_document_and_are_read_back(sample):
    written = sample.result(sample.disaster(groups=(group("SG1", 3, logs=2), group("SG2"))))
    assert result_from_json(written.to_json()) == written


@pytest.mark.parametrize(
    "groups", [(group("SG1", 1), group("SG2", 1)), (group("SG1", 3), refused("SG2"))]
)
def test_groups_that_contradict_their_recovery_are_refused(sample, groups):
    with pytest.raises(ValidationError, match="group"):
        sample.disaster(groups=groups)
