from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulators.exchange.message import Message
from sim.payload import to_bytes


def message_with(body, **changes):
    message = Message("a@corp.example", ("b@corp.example",), "Subject", body, "<1@corp>", 5)
    return replace(message, **changes)


pieces = st.one_of(
    st.integers(0, 200),
    st.binary(max_size=40),
    st.integers(1, 200).map(bytes),
    st.builds(
        lambda a, n, b: a + bytes(n) + b,
        st.binary(max_size=4),
        st.integers(0, 150),
        st.binary(max_size=4),
    ),
)


@given(st.lists(pieces, max_size=8).map(tuple), st.data())
@example((b"a", 63, b"b", 1), None)
@settings(deadline=None)
def test_the_digest_does_not_depend_on_how_the_body_is_cut_up(body, data):
    whole = to_bytes(body)
    assert message_with((whole,)).digest == message_with(body).digest
    if data is not None:
        cut = data.draw(st.integers(0, len(whole)))
        assert message_with((whole[:cut], whole[cut:])).digest == message_with(body).digest


@given(st.lists(pieces, max_size=5).map(tuple), st.lists(pieces, max_size=5).map(tuple))
@example((64, b"a"), (b"a", 64))
@example((64, b"a", 128), (128, b"a", 64))
@example((63,), (64,))
@settings(deadline=None)
def test_different_bodies_have_different_digests(one, other):
    same = to_bytes(one) == to_bytes(other)
    assert (message_with(one).digest == message_with(other).digest) == same


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": "c@corp.example"},
        {"recipients": ("c@corp.example",)},
        {"recipients": ("b@corp.example", "c@corp.example")},
        {"recipients": ()},
        {"subject": "Other"},
        {"subject": "Sübject"},
        {"internet_message_id": "<2@corp>"},
        {"sent_ns": 6},
        {"body": (b"other",)},
    ],
)
def test_every_field_is_part_of_the_digest(changes):
    original = message_with((b"body",))
    assert replace(original, **changes).digest != original.digest


def test_moving_text_between_fields_changes_the_digest():
    one = message_with((b"",), sender="ab", recipients=("c",))
    other = message_with((b"",), sender="a", recipients=("bc",))
    as_subject = message_with((b"",), sender="ab", recipients=(), subject="c")
    assert len({one.digest, other.digest, as_subject.digest}) == 3


def test_the_digest_is_16_bytes_and_computed_once():
    message = message_with((b"x" * 1000,))
    assert len(message.digest) == 16
    assert message.digest is message.digest


def test_a_changed_copy_does_not_inherit_the_digest():
    message = message_with((b"one",))
    assert message.digest != replace(message, body=(b"two",)).digest


def test_the_size_counts_every_part_in_bytes():
    message = message_with((b"12345", 100), subject="ü")
    assert message.body_bytes == 105
    assert message.size_bytes == 105 + len("a@corp.exampleb@corp.example<1@corp>") + 2


def test_equal_messages_are_equal_whether_or_not_a_digest_was_asked_for():
    one, other = message_with((b"x",)), message_with((b"x",))
    assert one.digest
    assert one == other
