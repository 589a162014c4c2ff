"""`rpolab.run` for those who call it from Python."""

import pytest

import rpolab
import scenarios
from reports import result_from_json
from rpolab import run


def test_a_file_and_a_scenario_and_the_command_give_the_same_run(quick, child):
    path = quick()
    from_file = run(path)
    from_text = run(str(path), seed=7)
    from_scenario = run(scenarios.load(path))
    assert from_file.digests == from_text.digests == from_scenario.digests
    assert from_file.replay == f"rpolab run {path} --seed 7"
    assert from_scenario.replay == ""
    printed = child("run", path, "--json", "-").out
    assert from_file.digests == result_from_json(printed).digests


def test_the_seed_of_the_call_takes_the_place_of_the_scenarios(quick):
    scenario = scenarios.load(quick())
    other = run(scenario, seed=8)
    assert other.seed == 8
    assert other.digests != run(scenario).digests
    assert scenario.seed == 7


def test_thresholds_keep_their_lines_with_another_seed(quick):
    [threshold] = run(scenarios.load(quick()), seed=8).thresholds
    assert threshold.line == 20


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_a_value_error(quick, seed):
    with pytest.raises(ValueError, match="out of range"):
        run(quick(), seed=seed)


def test_a_wrong_scenario_raises_with_all_its_problems(quick):
    path = quick(("seed: 7", "seed: -7"), ("20 ms", "20"))
    with pytest.raises(rpolab.ScenarioError) as caught:
        run(path)
    assert len(caught.value.problems) == 2


def test_a_result_is_read_back_as_it_was_written(quick, tmp_path):
    result = run(quick())
    (tmp_path / "result.json").write_text(result.to_json(), encoding="utf-8")
    assert rpolab.load_result(tmp_path / "result.json") == result
    assert isinstance(result, rpolab.Result)
