"""`rpolab.compare` for those who call it from Python."""

import pytest

import rpolab


@pytest.fixture(scope="module")
def results():
    wide = rpolab.Scenario.build(
        title="Two minutes",
        seed=7,
        start="10:00",
        duration="2 min",
        exchange={
            "version": 2007,
            "storage_groups": [
                {"name": "SG1", "databases": ["MDB1"], "mailboxes": 8, "profile": "heavy"}
            ],
        },
        sites={"primary": {}, "recovery": {}},
        links=[{"between": ["primary", "recovery"], "bandwidth": "10 Mbit/s", "latency": "20 ms"}],
        protect={"cdp": {"kind": "cdp", "copies": [{"site": "recovery", "retention": "48 h"}]}},
        drills={"at": ["1 min"]},
        thresholds={"cdp.rpo": ["max < 2 s"]},
    )
    return rpolab.run(wide), rpolab.run(wide.set("link.bandwidth", "100 kbit/s"))


def test_a_narrower_line_is_worse_and_said_so(results):
    comparison = rpolab.compare(*results)
    assert comparison.is_worse
    assert not rpolab.compare(*reversed(results)).is_worse
    assert any(figure.runs_worse for figure in comparison.figures)
    [threshold] = comparison.thresholds
    assert (threshold.metric, threshold.expr) == ("cdp.rpo", "max < 2 s")
    assert "Two minutes -> Two minutes" in str(comparison)
    assert "cdp.rpo" in str(comparison)


def test_files_are_read_and_named(results, tmp_path):
    for name, result in zip(("a.json", "b.json"), results, strict=True):
        (tmp_path / name).write_text(result.to_json(), encoding="utf-8")
    comparison = rpolab.compare(tmp_path / "a.json", str(tmp_path / "b.json"))
    assert comparison.names == (str(tmp_path / "a.json"), str(tmp_path / "b.json"))
    assert comparison.differences == rpolab.compare(*results).differences


def test_a_run_is_no_worse_than_itself(results):
    same = rpolab.compare(results[0], results[0])
    assert not same.is_worse
    assert {figure.change.value for figure in same.figures if figure.is_exact} == {"same"}


def test_a_file_that_is_no_result_is_told(tmp_path, results):
    with pytest.raises(rpolab.ResultError, match="cannot be read"):
        rpolab.compare(results[0], tmp_path / "none.json")
