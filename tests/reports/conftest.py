import importlib.util
from pathlib import Path

import pytest

from reports import Loss, Notice


def module(name):
    """A module beside the tests; they are not a package, so it is loaded by its path."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"reports_{name}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="session")
def sample():
    """The module of sample results."""
    return module("sample")


@pytest.fixture(scope="session")
def hostile():
    """Subjects that break formats which are not careful."""
    return module("hostile").HOSTILE


@pytest.fixture(scope="session")
def hostile_result(sample, hostile):
    """A result in which everything that comes from outside is hostile."""
    messages = tuple(
        sample.lost_message(number, text).model_copy(update={"mailbox": text})
        for number, text in enumerate(hostile)
    )
    losses = Loss(messages=len(messages), bytes=1)
    lost = sample.disaster(lost=losses, lost_messages_list=messages)
    refused = sample.drill(
        300, outcome="refused", refusal=hostile[0], point=None, rpo_s=None, lost=None
    )
    found = sample.result(lost, refused)
    title = " ".join(hostile)
    everywhere = {
        "scenario": found.scenario.model_copy(update={"title": title, "file": hostile[3]}),
        "faults": tuple(
            fault.model_copy(update={"evidence": text, "kind": text})
            for fault in found.faults
            for text in hostile
        ),
        "notices": tuple(
            Notice(at_s=number, source=text, text=text) for number, text in enumerate(hostile)
        ),
        "thresholds": tuple(
            threshold.model_copy(update={"note": text})
            for threshold in found.thresholds
            for text in hostile
        ),
        "replay": hostile[1],
        "program": hostile[2],
    }
    return found.model_copy(update=everywhere)
