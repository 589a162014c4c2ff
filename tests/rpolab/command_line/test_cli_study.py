"""`rpolab run` of many runs at once: the same whatever the number of processes; never a hang."""

import os
import signal
import time
from pathlib import Path

import pytest

import rpolab
import scenarios
from reports import Result, Study, load_document
from rpolab.studies.workers import Task, processors, run_all

STUDY = (
    ("duration: 10 min", "duration: 2 min"),
    ("mailboxes: 20", "mailboxes: 4"),
    ("[10:05]", "[10:01]"),
    (
        "thresholds:",
        "vary: {link.bandwidth: '[1, 10] Mbit/s'}\nreplications: 2\nthresholds:",
    ),
)
LONG = (("duration: 10 min", "duration: 4 h"), ("thresholds:", "replications: 4\nthresholds:"))


def test_a_study_is_the_same_in_one_process_and_in_three(quick, child, tmp_path):
    path = quick(*STUDY)
    for jobs in (1, 3):
        done = child("run", path, "--jobs", jobs, "--json", tmp_path / f"{jobs}.json")
        assert done.code == 0, done.err
    one, three = (load_document(tmp_path / f"{jobs}.json") for jobs in (1, 3))
    assert one.without_wall_clock().to_json() == three.without_wall_clock().to_json()
    assert isinstance(one, Study)
    assert [cell.name for cell in one.cells] == [
        "link.bandwidth=1 Mbit/s",
        "link.bandwidth=10 Mbit/s",
    ]
    assert [[run.seed for run in cell.runs] for cell in one.cells] == [[7, 8], [7, 8]]
    [threshold] = one.cells[0].thresholds
    assert (threshold.n, threshold.line) == (2, 22)


def test_the_report_says_what_is_enough_and_each_run_can_be_repeated(quick, rpolab, tmp_path):
    path = quick(*STUDY, ("max < 60 s", "max < 1 ns"))
    done = rpolab("run", path, "--jobs", 1, "--json", "found.json")
    assert done.code == 1
    assert "4 runs, 2 choices of link.bandwidth, seeds 7 to 8" in done.out
    assert "100 % of runs   none of them" in done.out
    assert "0 of 2 runs met all thresholds" in done.out
    run = load_document(tmp_path / "found.json").cells[1].runs[1]
    assert run.replay == (
        f"rpolab run {path} --set 'link.bandwidth=10 Mbit/s' --set replications=1 --seed 8"
    )
    assert run.replay in done.out.replace("--seed 7", "--seed 8")
    arguments = ["run", path, "--set", "link.bandwidth=10 Mbit/s", "--set", "replications=1"]
    assert rpolab(*arguments, "--seed", 8, "--quiet", "--json", "run.json").code == 1
    again = load_document(tmp_path / "run.json")
    assert isinstance(again, Result)
    assert again.digests == run.digests


def test_each_run_keeps_its_files_and_its_trace_by_cell_and_seed(quick, rpolab, tmp_path, listed):
    path = quick(*STUDY)
    done = rpolab("run", path, "--jobs", 2, "--keep", "kept", "--trace", "t.trace", "--quiet")
    assert (done.code, done.out) == (0, "")
    assert listed(tmp_path / "kept") == ["1-7", "1-8", "2-7", "2-8"]
    assert all(listed(tmp_path / "kept" / name) == ["cdp"] for name in listed(tmp_path / "kept"))
    names = [f"t-{cell}-{seed}.trace" for cell in (1, 2) for seed in (7, 8)]
    assert [name for name in listed(tmp_path) if name.endswith(".trace")] == names
    assert (tmp_path / names[0]).read_bytes() != (tmp_path / names[1]).read_bytes()


def test_the_first_seed_of_the_command_line_is_that_of_the_first_run(quick):
    study = rpolab.run_study(quick(*STUDY), seed=20, settings=["link.bandwidth=2 Mbit/s"], jobs=1)
    [cell] = study.cells
    assert [run.seed for run in cell.runs] == [20, 21]
    assert cell.settings == {}
    assert study.replay.endswith(" --set 'link.bandwidth=2 Mbit/s' --seed 20")


def test_a_last_seed_out_of_range_is_one_error(quick, rpolab):
    done = rpolab("run", quick(*STUDY), "--seed", 2**64 - 1)
    assert done.code == 2
    assert done.err.startswith(f"--seed {2**64 - 1}: error: the last of 2 seeds")


def test_a_study_is_not_the_result_of_one_run(quick):
    with pytest.raises(ValueError, match=r"use rpolab\.run_study"):
        rpolab.run(quick(*STUDY))


def workers_of(process) -> list[int]:
    """The processes that run a part of the study, once both of them are there."""
    for _ in range(600):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        found = [
            int(pid)
            for pid in children
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        if len(found) == 2:
            return found
        time.sleep(0.05)
    raise AssertionError("no workers were started")


def is_gone(pid) -> bool:
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_a_worker_that_is_killed_ends_the_study_with_3(quick, start_child, tmp_path):
    with (tmp_path / "err").open("wb") as err:
        process = start_child("run", quick(*LONG), "--jobs", 2, "--quiet", stderr=err)
        first, second = workers_of(process)
        os.kill(first, signal.SIGKILL)
        assert process.wait(30) == 3
    text = (tmp_path / "err").read_text()
    assert "of 'Ten minutes' was ended by signal 9" in text
    assert is_gone(second)


def test_an_interrupt_ends_the_study_with_130_and_leaves_no_process(quick, start_child, tmp_path):
    with (tmp_path / "err").open("wb") as err:
        process = start_child(
            "run", quick(*LONG), "--jobs", 2, "--quiet", "--json", "found.json",
            stderr=err, start_new_session=True,
        )  # fmt: skip
        workers = workers_of(process)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
    assert (tmp_path / "err").read_text().strip() == "rpolab: interrupted"
    assert all(is_gone(worker) for worker in workers)
    assert not (tmp_path / "found.json").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_run_is_raised_where_the_study_was_asked_for(quick, tmp_path, jobs):
    archive = tmp_path / "mail.mbox"
    archive.write_text("From a\n")
    mail = ("start: 10:00", "workload: {mbox: mail.mbox}")
    scenario = scenarios.load(quick(mail, ("at: [10:05]", "every: 5 min")))
    archive.unlink()
    with pytest.raises(FileNotFoundError) as caught:
        run_all([Task(scenario)] * 2, jobs)
    assert caught.value.filename == str(archive)


def test_there_is_a_processor():
    assert processors() >= 1
