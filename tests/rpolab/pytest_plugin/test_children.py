"""The child that reads scenarios: it answers, is not disturbed, and is started again."""

import pytest

from rpolab.pytest_plugin.children import OUTPUT_LINES_MAX, ChildFailed, Reader, last_lines
from scenarios import library_path

NOISY = """
from rpolab.hooks import OwnFault
print("a greeting on standard output")

class Noisy:
    settings = OwnFault
"""


@pytest.fixture
def reader(tmp_path):
    made = Reader(tmp_path)
    yield made
    made.close()


def test_what_a_package_prints_does_not_disturb_the_answers(reader, bring, monkeypatch, tmp_path):
    folder = bring("noise", NOISY, faults={"noisy": "noise:Noisy"})
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    text = library_path("clean").read_text(encoding="utf-8")
    (tmp_path / "noisy.yaml").write_text(f"{text}faults: [{{kind: noisy, at: 1 min}}]\n")
    read = reader.read("noisy.yaml")
    assert read["problems"] == []
    assert read["has_faults"]
    assert reader.read("none.yaml")["problems"] != []


def test_a_child_that_has_died_is_told_once_and_started_again(reader):
    name = str(library_path("clean"))
    assert reader.read(name)["thresholds"]
    reader._process.kill()
    reader._process.wait()
    with pytest.raises(ChildFailed, match="ended with code -9"):
        reader.read(name)
    assert reader.read(name)["thresholds"]


def test_of_a_long_output_the_end_is_shown():
    lines = [f"line {number}" for number in range(OUTPUT_LINES_MAX + 5)]
    shown = last_lines("\n".join(lines) + "\n").splitlines()
    assert shown == ["(5 lines before)", *lines[5:]]
    assert last_lines("one\n") == "one"
