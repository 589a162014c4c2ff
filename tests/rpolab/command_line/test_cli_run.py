"""`rpolab run`: exit codes, documents, and the replay line."""

import json
import shlex
import signal
from pathlib import Path

import pytest

from reports import load_result, result_from_json
from rpolab.commands import simulating
from rpolab.exit_codes import ExitCode, worst
from scenarios import METRICS

MISSED = ('"max < 60 s"', '"max < 1 ms"')
UNJUDGED = ('thresholds:\n  cdp.rpo: ["max < 60 s"]\n', "")


def test_a_run_that_meets_its_thresholds_ends_with_zero(rpolab, quick):
    quick()
    outcome = rpolab("run", "quick.yaml")
    assert outcome.code == 0
    assert outcome.out.startswith("MET  Ten minutes\n")
    assert outcome.err == ""


def test_a_missed_threshold_ends_with_one(rpolab, quick):
    quick(MISSED)
    outcome = rpolab("run", "quick.yaml")
    assert outcome.code == 1
    assert outcome.out.startswith("MISSED  Ten minutes\n")


def test_a_run_without_thresholds_judges_nothing_and_says_so(rpolab, quick):
    quick(UNJUDGED)
    outcome = rpolab("run", "quick.yaml", "--quiet")
    assert outcome.code == 4
    assert outcome.out == ""
    assert "nothing was judged: the scenario has no thresholds" in outcome.err


def test_quiet_means_no_output_at_all_when_all_is_well(rpolab, quick):
    quick()
    assert rpolab("run", "quick.yaml", "--quiet") == (0, "", "")


def test_the_document_holds_seed_speed_program_and_replay(rpolab, quick, tmp_path, listed):
    quick()
    outcome = rpolab("run", "quick.yaml", "--seed", "11", "--json", "result.json")
    assert outcome.code == 0
    result = load_result(tmp_path / "result.json")
    assert result.seed == 11
    assert result.replay == "rpolab run quick.yaml --seed 11"
    assert result.wall_s > 0
    assert result.events_per_s == pytest.approx(result.events / result.wall_s, rel=1e-3)
    assert result.program.startswith("rpolab 0.")
    assert listed(tmp_path) == ["quick.yaml", "result.json"]


def test_the_replay_line_repeats_the_run_whatever_the_file_is_called(rpolab, child, quick):
    quick(name='-it\'s a "name".yaml')
    first = rpolab("run", "--json", "-", "--seed", "5", "--", '-it\'s a "name".yaml')
    result = result_from_json(first.out)
    command, *arguments = shlex.split(result.replay)
    assert command == "rpolab"
    again = result_from_json(child(*arguments, "--json", "-").out)
    assert again.without_wall_clock() == result.without_wall_clock().model_copy(
        update={"scenario": again.scenario}
    )


def test_a_dash_puts_the_document_on_standard_output_and_the_report_on_standard_error(
    rpolab, quick
):
    quick()
    outcome = rpolab("run", "quick.yaml", "--json", "-")
    assert json.loads(outcome.out)["verdict"] == "met"
    assert outcome.err.startswith("MET  Ten minutes\n")


def test_several_scenarios_give_the_worst_exit_code_and_a_summary(rpolab, quick, tmp_path):
    quick(name="good.yaml")
    quick(MISSED, name="bad.yaml")
    quick(UNJUDGED, name="open.yaml")
    (tmp_path / "out").mkdir()
    outcome = rpolab("run", "good.yaml", "bad.yaml", "open.yaml", "good.yaml", "--json", "out")
    assert outcome.code == 1
    assert outcome.out.endswith(
        "\n4 scenarios\n"
        "met           good.yaml\n"
        "missed        bad.yaml\n"
        "not exercised open.yaml\n"
        "met           good.yaml\n"
    )
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["bad.json", "good-2.json", "good.json", "open.json"]


def test_the_trace_is_the_same_for_the_same_seed_and_another_for_another(rpolab, quick, tmp_path):
    quick()
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        assert rpolab("run", "quick.yaml", "--seed", seed, "--trace", name, "--quiet").code == 0
    one, two, three = ((tmp_path / name).read_text() for name in ("one", "two", "three"))
    assert one == two
    assert one != three
    assert one.count("\n") > 10


def test_kept_files_are_in_the_folder_asked_for(rpolab, quick, tmp_path):
    quick()
    outcome = rpolab("run", "quick.yaml", "--keep", "deep/kept")
    assert outcome.err == "the recovered files are in deep/kept\n"
    assert list((tmp_path / "deep/kept/cdp").rglob("MDB1.edb"))


def test_each_of_several_scenarios_keeps_its_files_apart(rpolab, quick, tmp_path):
    quick(name="a.yaml")
    quick(name="b.yaml")
    assert rpolab("run", "a.yaml", "b.yaml", "--keep", "kept", "--quiet").code == 0
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["a", "b"]
    assert len(list((tmp_path / "kept").rglob("MDB1.edb"))) == 2


def test_an_internal_error_is_one_line_with_a_hint_and_does_not_stop_the_others(
    rpolab, quick, monkeypatch
):
    quick(name="a.yaml")
    quick(name="b.yaml")
    run_timed = simulating.run_timed

    def fail_once(*arguments, **options):
        monkeypatch.setattr(simulating, "run_timed", run_timed)
        raise KeyError("a\nb")

    monkeypatch.setattr(simulating, "run_timed", fail_once)
    outcome = rpolab("run", "a.yaml", "b.yaml")
    assert outcome.code == 3
    [line] = outcome.err.splitlines()
    assert line.startswith("rpolab: a.yaml: internal error at ")
    assert "--traceback" in line
    assert "no verdict    a.yaml\nmet           b.yaml\n" in outcome.out


@pytest.mark.parametrize("way", ["option", "group option", "variable"])
def test_the_traceback_of_an_internal_error_comes_on_request(rpolab, quick, monkeypatch, way):
    quick()

    def fail(*arguments, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(simulating, "run_timed", fail)
    if way == "variable":
        monkeypatch.setenv("RPOLAB_TRACEBACK", "1")
    before = ["--traceback"] if way == "group option" else []
    after = ["--traceback"] if way == "option" else []
    outcome = rpolab(*before, "run", "quick.yaml", *after)
    assert outcome.code == 3
    assert "Traceback (most recent call last)" in outcome.err
    assert "in fail" in outcome.err


def test_the_worst_code_is_the_most_severe_and_not_the_highest():
    order = [ExitCode.MET, ExitCode.OPEN, ExitCode.MISSED, ExitCode.INVALID, ExitCode.BROKEN]
    for index, code in enumerate(order):
        assert worst(reversed(order[: index + 1])) == code
    assert worst([]) == ExitCode.NOTHING


def test_ctrl_c_ends_a_run_with_130_and_no_traceback(start_child, quick, tmp_path):
    quick(("duration: 10 min", "duration: 13 h"), ("mailboxes: 20", "mailboxes: 2000"))
    with start_child("run", "quick.yaml", "--keep", "kept", stderr=-1, text=True) as process:
        while not (tmp_path / "kept").exists():  # made just before the run starts
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert errors.split("\n")[-2] == "rpolab: interrupted"
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "arguments", [["list"], ["schema", "result"], ["--help"], ["check", "clean"], ["eseutil", "/?"]]
)
def test_a_pipe_that_nobody_reads_ends_a_command_quietly(start_child, arguments):
    with start_child(*arguments, stdout=-1, stderr=-1) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, b"")


def test_a_closed_pipe_costs_neither_the_document_nor_the_verdict(start_child, quick, tmp_path):
    quick(MISSED)
    with start_child("run", "quick.yaml", "--json", "out.json", stdout=-1, stderr=-1) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (1, b"")
    assert load_result(tmp_path / "out.json").verdict == "missed"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["list"], ["schema"], ["run", "quick.yaml", "--json", "-"]])
def test_output_that_cannot_be_written_is_an_error_and_no_success(start_child, quick, arguments):
    quick()
    with (
        Path("/dev/full").open("wb") as full,
        start_child(*arguments, stdout=full, stderr=-1, text=True) as process,
    ):
        errors = process.stderr.read()
    assert process.returncode == 3
    assert "cannot be written" in errors.splitlines()[-1]
    assert "Traceback" not in errors


def test_list_tells_every_metric_with_its_unit_under_what_gives_a_sample(rpolab):
    outcome = rpolab("list", "--metrics")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert len([line for line in lines if line.startswith("  ")]) == len(METRICS)
    [line] = [line for line in lines if line.startswith("  lost_messages ")]
    assert line.split(maxsplit=2)[1:] == ["number", "acknowledged messages that did not come back"]
    assert "A sample for each recovery of any class:" in lines
