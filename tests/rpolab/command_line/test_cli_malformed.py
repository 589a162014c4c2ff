"""Ten malformed scenarios through the real command: exit code 2, one error, at once."""

import re
import resource

import pytest

FILES = {
    "a picture": b"\x89PNG\r\n\x1a\n\x00",
    "a billion laughs": b"a0: &a0 [x, x]\na1: &a1 [*a0, *a0]\na2: [*a1, *a1]\n",
    "lists a hundred thousand deep": b"[" * 100_000,
    "a file of a megabyte": b"title: " + b"x" * 2**20,
    "half a million quotes": b"title: " + b"'" * (2**19 + 1),
    "a key that is there twice": b"title: a\nseed: 1\nseed: 2\n",
    "a surrogate as an escape": b'extends: clean\ntitle: "\\ud800"\n',
    "a circle of itself": b"title: a\nextends: plan.yaml\n",
    "a number of a hundred thousand digits": b"extends: clean\nseed: " + b"9" * 100_000,
    "a matrix of a thousand cells": b"extends: clean\nvary: {link.latency: %s}\n"
    % str([f"{number} ms" for number in range(1_000)]).encode(),
}
ERROR = re.compile(r"plan\.yaml:[1-9]\d*:[1-9]\d*: error: .+\(.+\)")


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_malformed_scenario_is_one_line_that_names_its_place(child, tmp_path, content):
    (tmp_path / "plan.yaml").write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = child("check", "plan.yaml")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.code == 2
    error, summary = done.out.splitlines()
    assert ERROR.fullmatch(error), error
    assert summary == "plan.yaml: 1 error"
    assert done.err == ""
    assert after.ru_utime - before.ru_utime < 1.0
