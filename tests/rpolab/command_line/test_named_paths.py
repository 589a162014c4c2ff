"""Names that no file can have are wrong usage, whatever command is given them."""

import pytest

TOO_LONG = "n" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("eseutil", "/mh", TOO_LONG),
        ("eseutil", "/k", TOO_LONG),
        ("eseutil", "/g", TOO_LONG),
        ("eseutil", "/p", TOO_LONG),
        ("eseutil", "/d", TOO_LONG),
        ("eseutil", "/r", "E00", "/l", TOO_LONG),
        ("eseutil", "/cc", TOO_LONG),
        ("eseutil", "/cm", TOO_LONG),
        ("isinteg", TOO_LONG, "-test", "alltests"),
        ("eseutil", "/mh", "a\0b"),
    ],
)
def test_a_name_that_no_file_can_have_is_wrong_usage(rpolab, arguments):
    refused = rpolab(*arguments)
    assert refused.code == 2
    assert "cannot be a file" in refused.err
