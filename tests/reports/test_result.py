import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reports import (
    Loss,
    LostMessage,
    Recovery,
    Result,
    ResultError,
    load_result,
    result_from_json,
    result_schema,
)


def test_a_result_is_read_back_as_it_was_written(sample, tmp_path):
    result = sample.result()
    path = tmp_path / "result.json"
    path.write_text(result.to_json(), encoding="utf-8")
    assert load_result(path) == result
    assert result_from_json(result.to_json()).to_json() == result.to_json()


def test_the_document_has_the_keys_that_are_published(sample):
    document = json.loads(sample.result().to_json())
    assert {"seed", "digests", "simulated_s", "wall_s", "verdict", "thresholds", "faults",
            "protections", "assumptions", "replay"} <= set(document)  # fmt: skip
    (recovery, *_) = document["protections"][0]["recoveries"]
    assert recovery["point"]["class"] == "any"
    assert recovery["lost"] == {"messages": 3, "bytes": 7_035, "logs": 0}
    assert set(recovery["rto_steps"][0]) == {"step", "seconds", "basis", "source"}


def test_real_time_is_all_that_differs_between_runs_of_one_seed(sample):
    one, other = sample.result(wall_s=3.2), sample.result(wall_s=4.1, events_per_s=9.0)
    assert one.to_json() != other.to_json()
    assert one.without_wall_clock().to_json() == other.without_wall_clock().to_json()
    assert one.without_wall_clock().speed == 0
    assert one.speed == 1125


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "no result of version 1"),
        (b'{"version": 2}', "no result of version 1"),
        (b'{"version": 1}', "field"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_no_result_is_one_clear_error(tmp_path, content, message):
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(ResultError, match=message) as caught:
        load_result(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(ResultError, match="cannot be read"):
        load_result(tmp_path / "no.json")


def test_an_unknown_or_wrong_field_is_refused_by_name(sample):
    document = json.loads(sample.result().to_json())
    with pytest.raises(ResultError, match="first surprise"):
        result_from_json(json.dumps({**document, "surprise": 1}))
    document["faults"][0]["at_s"] = "soon"
    with pytest.raises(ResultError, match=r"first faults\.0\.at_s"):
        result_from_json(json.dumps(document))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"point": None}, "has a point"),
        ({"rpo_s": None}, "has a point and an rpo_s"),
        ({"outcome": "refused"}, "says why"),
        ({"lost": Loss(messages=2, bytes=0)}, "more lost messages are listed"),
        ({"rto_s": 1.0}, "its steps sum to 4320"),
        ({"rpo_s": float("nan")}, "finite"),
        ({"phantom": -1}, "greater than or equal to 0"),
    ],
)
def test_a_recovery_that_contradicts_itself_is_refused(sample, changes, message):
    with pytest.raises(ValidationError, match=message):
        sample.disaster(**changes)


def test_a_report_better_than_the_truth_is_noticed_and_a_worse_one_is_not(sample):
    assert sample.disaster(reported_rpo_s=1.2).reported_better_than_true_s == 1.2
    assert sample.disaster(reported_rpo_s=5.0).reported_better_than_true_s == 0
    assert sample.disaster(reported_rpo_s=None).reported_better_than_true_s == 0


@given(st.text(st.characters(), max_size=20))
def test_any_subject_can_be_written_and_read_back(subject):
    message = LostMessage(mailbox="a@b", subject=subject, acknowledged_s=0.0, stage="pool", bytes=1)
    assert LostMessage.model_validate_json(message.model_dump_json()) == message


def test_half_a_character_in_a_subject_is_replaced(sample):
    assert sample.lost_message(1, "a\udc80b").subject == "a\ufffdb"


def test_the_schema_is_of_this_document(sample):
    schema = result_schema()
    document = json.loads(sample.result().to_json())
    assert set(document) == set(schema["properties"])
    recovery = schema["$defs"]["Recovery"]["properties"]
    assert set(document["protections"][0]["recoveries"][0]) == set(recovery)
    assert schema["additionalProperties"] is False
    assert json.loads(json.dumps(schema)) == schema


def test_records_are_final_and_complete():
    assert Recovery.model_config["extra"] == "forbid"
    assert Result.model_config["frozen"] is True
