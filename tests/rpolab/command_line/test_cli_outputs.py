"""Outputs are checked before the run, and written whole or not at all."""

import os
import stat

import pytest

from rpolab.outputs import OutputError, TextFile, plan_outputs


@pytest.mark.parametrize("option", ["--json", "--trace"])
@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("nowhere/out", "does not exist"),
        ("quick.yaml/out", "is not a folder"),
        ("/proc/out", "cannot be written"),
        ("", "is missing"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_run(
    rpolab, quick, tmp_path, option, path, part
):
    quick()
    outcome = rpolab("run", "quick.yaml", "--keep", "kept", option, path)
    assert outcome.code == 2
    assert outcome.out == ""
    [line] = outcome.err.splitlines()
    assert line.startswith(f"Error: {option} {path or repr(path)}: ")
    assert part in line
    assert not (tmp_path / "kept").exists()


def test_a_folder_that_is_not_empty_is_not_mixed_with_recovered_files(
    rpolab, quick, tmp_path, listed
):
    quick()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/mine").touch()
    outcome = rpolab("run", "quick.yaml", "--keep", "kept")
    assert outcome.code == 2
    assert "--keep kept: the folder is not empty" in outcome.err
    assert listed(tmp_path / "kept") == ["mine"]


@pytest.mark.parametrize("path", ["quick.yaml", "quick.yaml/kept", "/proc/kept", ""])
def test_a_folder_that_cannot_be_made_is_refused(rpolab, quick, path):
    quick()
    outcome = rpolab("run", "quick.yaml", "--keep", path)
    assert outcome.code == 2
    assert outcome.err.startswith(f"Error: --keep {path or repr(path)}: ")


@pytest.mark.parametrize("option", ["--json", "--trace"])
def test_several_documents_do_not_go_into_one_file(rpolab, quick, option):
    quick(name="a.yaml")
    quick(name="b.yaml")
    outcome = rpolab("run", "a.yaml", "b.yaml", option, "out")
    assert outcome.code == 2
    assert "2 scenarios cannot share one file (name an existing folder)" in outcome.err


def test_several_documents_do_not_go_to_standard_output(rpolab, quick):
    quick(name="a.yaml")
    quick(name="b.yaml")
    outcome = rpolab("run", "a.yaml", "b.yaml", "--json", "-")
    assert outcome.code == 2
    assert "2 results cannot share standard output" in outcome.err


def test_checking_an_output_leaves_no_trace_of_itself(tmp_path, listed):
    (tmp_path / "old.json").write_text("old")
    plan_outputs(["a"], json=str(tmp_path / "old.json"), keep=None, trace=str(tmp_path / "new"))
    assert listed(tmp_path) == ["old.json"]
    assert (tmp_path / "old.json").read_text() == "old"


def test_a_link_stays_a_link_and_its_file_gets_the_text(tmp_path, listed):
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to("there/file")
    TextFile("--json", link).write("text")
    assert link.is_symlink()
    assert (tmp_path / "there/file").read_text() == "text"
    assert listed(tmp_path / "there") == ["file"]


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    TextFile("--json", pipe).write("text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, listed):
    target = tmp_path / "out.json"
    target.write_text("old")

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        TextFile("--json", target).write("new")
    assert target.read_text() == "old"
    assert listed(tmp_path) == ["out.json"]


def test_a_document_that_cannot_be_put_into_place_is_exit_code_three(
    rpolab, quick, tmp_path, monkeypatch
):
    quick()

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    outcome = rpolab("run", "quick.yaml", "--json", "out.json")
    assert outcome.code == 3
    assert "Error: --json out.json: cannot be written: No space left on device" in outcome.err
    assert outcome.out.startswith("MET  ")
    assert not (tmp_path / "out.json").exists()
