"""File sets: memory and a real directory behave alike, and counting counts what was moved."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.errors import EseError
from emulators.ese.file_set import CountingFiles, DirectoryFiles, MemoryFiles

NAMES = ("E00.log", "E00tmp.log", "MDB1.edb")
names = st.sampled_from(NAMES)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("create"), names, st.integers(0, 50)),
        st.tuples(st.just("write"), names, st.integers(0, 60), st.binary(max_size=40)),
        st.tuples(st.just("read"), names, st.integers(0, 60), st.integers(0, 60)),
        st.tuples(st.just("truncate"), names, st.integers(0, 60)),
        st.tuples(st.just("rename"), names, names),
        st.tuples(st.just("delete"), names),
        st.tuples(st.just("flush"), names),
        st.tuples(st.just("size"), names),
        st.tuples(st.just("exists"), names),
    ),
    max_size=25,
)


def outcome(files, operation):
    kind, *arguments = operation
    try:
        return getattr(files, kind)(*arguments)
    except EseError as error:
        return error.code


def test_memory_and_a_directory_give_the_same_answers_and_errors(tmp_path_factory):
    @settings(max_examples=60, deadline=None)
    @given(operations)
    def agree(sequence):
        memory = MemoryFiles()
        directory = DirectoryFiles(tmp_path_factory.mktemp("files"))
        counted = CountingFiles(MemoryFiles())
        for operation in sequence:
            wanted = outcome(memory, operation)
            assert outcome(directory, operation) == wanted, operation
            assert outcome(counted, operation) == wanted, operation
        assert memory.names() == directory.names() == counted.names()
        for name in memory.names():
            assert memory.read(name, 0, 1000) == directory.read(name, 0, 1000)

    agree()


def test_counting_counts_operations_and_bytes_of_each_kind():
    files = CountingFiles(MemoryFiles({"E00.log": bytes(100)}))
    files.read("E00.log", 90, 50)
    files.read("E00.log", 0, 10)
    files.write("E00.log", 0, b"abc")
    files.flush("E00.log")
    files.create("E00tmp.log", 512)
    files.truncate("E00tmp.log", 5)
    files.rename("E00tmp.log", "E00.chk")
    files.delete("E00.chk")
    with pytest.raises(EseError):
        files.read("E00.chk", 0, 1)
    assert (files.exists("E00.log"), files.size("E00.log"), files.names()) == (
        True,
        100,
        ["E00.log"],
    )
    once = dict.fromkeys(("write", "flush", "create", "truncate", "rename", "delete"), 1)
    assert files.counts.operations == {"read": 2, **once}
    assert files.counts.bytes_moved == {"read": 20, **dict.fromkeys(once, 0), "write": 3}


@pytest.mark.parametrize("kind", ["read", "write", "truncate", "rename", "delete", "flush", "size"])
def test_a_missing_file_is_reported_with_its_name_and_a_hint(kind, tmp_path):
    arguments = {"read": (0, 1), "write": (0, b""), "truncate": (1,), "rename": ("new.log",)}
    for files in (MemoryFiles(), DirectoryFiles(tmp_path), CountingFiles(MemoryFiles())):
        with pytest.raises(EseError, match=r"-1811 .*E00.log.*: check"):
            getattr(files, kind)("E00.log", *arguments.get(kind, ()))


def test_a_taken_name_is_reported(tmp_path):
    for files in (MemoryFiles(), DirectoryFiles(tmp_path)):
        files.create("A.log")
        files.create("B.log")
        with pytest.raises(EseError, match=r"-1814 .*A.log"):
            files.create("A.log")
        with pytest.raises(EseError, match=r"-1814 .*B.log"):
            files.rename("A.log", "B.log")


def test_a_missing_directory_is_reported(tmp_path):
    with pytest.raises(EseError, match="-1811"):
        DirectoryFiles(tmp_path / "none").names()


def test_other_failures_of_the_system_are_a_disk_error(tmp_path):
    (tmp_path / "folder.log").mkdir()
    with pytest.raises(EseError, match=r"-1022 .*folder.log"):
        DirectoryFiles(tmp_path).read("folder.log", 0, 1)


def test_a_path_in_place_of_a_name_is_a_programming_error(tmp_path):
    with pytest.raises(AssertionError, match="plain file name"):
        DirectoryFiles(tmp_path).read("../secret", 0, 1)
