"""Switches of the emulated tools: '/' and '-' are the same, and so are upper and lower case."""

import pytest

from rpolab.eseutil.switches import switch_of


@pytest.mark.parametrize("written", ["/mh", "-mh", "/MH", "-Mh"])
def test_a_switch_is_the_same_however_it_is_written(written):
    assert switch_of(written) == "/mh"
    assert switch_of(written, "-") == "-mh"


@pytest.mark.parametrize("name", ["E00", "MDB1.edb", "folder/-file", ""])
def test_what_is_no_switch_stays_as_it_is(name):
    assert switch_of(name) == name
