"""A real folder carries out what restoring asks for, inside of itself only."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layer_model import Volume

from engine.contract.events import ActionFailed
from engine.contract.volumes import (
    FlushVolume,
    MakeFile,
    MoveFile,
    RemoveFile,
    SizeFile,
    VolumeFlushed,
    WriteRange,
)
from engine.live.volume import VolumeDirectory

NAMES = st.sampled_from(["a", "logs/b", "logs/old/c", "d"])
ACTIONS = st.lists(
    st.one_of(
        st.builds(MakeFile, NAMES),
        st.builds(
            WriteRange,
            NAMES,
            st.integers(0, 50),
            st.tuples(st.binary(min_size=1), st.integers(0, 9)),
        ),
        st.builds(SizeFile, NAMES, st.integers(0, 80)),
        st.builds(MoveFile, NAMES, NAMES),
        st.builds(RemoveFile, NAMES),
        st.builds(FlushVolume, st.just(1)),
    ),
    max_size=15,
)


def is_possible(action, files):
    if isinstance(action, FlushVolume):
        return True
    if isinstance(action, MakeFile):
        return action.name not in files
    if isinstance(action, MoveFile) and action.new_name in files:
        return False
    return action.name in files


def files_of(path):
    return {
        item.relative_to(path).as_posix(): item.read_bytes()
        for item in path.rglob("*")
        if item.is_file()
    }


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=ACTIONS)
def test_a_folder_holds_what_the_model_does(actions, tmp_path_factory):
    path, model = tmp_path_factory.mktemp("volume"), Volume()
    folder = VolumeDirectory(path)
    for action in actions:
        if is_possible(action, model.files):
            events = folder.carry_out([action])
            assert events == ([VolumeFlushed(1)] if isinstance(action, FlushVolume) else [])
            model.carry_out(action)
    assert files_of(path) == model.files


@pytest.mark.parametrize(
    "action",
    [
        MakeFile("../outside"),
        MakeFile("/outside"),
        RemoveFile("."),
        WriteRange("missing", 0, (b"x",)),
        SizeFile("missing", 1),
        RemoveFile("missing"),
        MakeFile("there"),
        MoveFile("there", "also"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_more_is_tried(action, tmp_path):
    folder = VolumeDirectory(tmp_path)
    assert folder.carry_out([MakeFile("there"), MakeFile("also")]) == []
    (failed,) = folder.carry_out([action, MakeFile("later"), FlushVolume(1)])
    assert isinstance(failed, ActionFailed)
    assert type(action).__name__ in failed.reason
    assert folder.carry_out([FlushVolume(2)]) == []
    assert files_of(tmp_path) == {"there": b"", "also": b""}
    assert not (tmp_path.parent / "outside").exists()
