import pytest

from sim.trace import Trace, first_difference


class Clock:
    now_ns = 0

    def __call__(self):
        return self.now_ns


def recorded(*events, keep_lines=True):
    clock = Clock()
    trace = Trace(clock, keep_lines=keep_lines)
    for at_ns, kind, fields in events:
        clock.now_ns = at_ns
        trace.record(kind, **fields)
    return trace


def test_a_line_is_canonical_whatever_the_order_of_the_fields():
    one = recorded((5, "mail", {"b": 2, "a": "x", "took_ns": 9}))
    other = recorded((5, "mail", {"took_ns": 9, "a": "x", "b": 2}))
    assert one.lines == other.lines == ["5 mail a='x' b=2 took_ns=9"]
    assert one.digests() == other.digests()


def test_times_move_the_full_digest_only():
    base = recorded((5, "mail", {"a": 1, "took_ns": 9})).digests()
    later = recorded((6, "mail", {"a": 1, "took_ns": 9})).digests()
    slower = recorded((5, "mail", {"a": 1, "took_ns": 10})).digests()
    assert base["effects"] == later["effects"] == slower["effects"]
    assert len({base["full"], later["full"], slower["full"]}) == 3


def test_content_and_order_move_both_digests():
    base = recorded((5, "a", {"x": 1}), (5, "b", {})).digests()
    for other in (
        recorded((5, "a", {"x": 2}), (5, "b", {})),
        recorded((5, "b", {}), (5, "a", {"x": 1})),
        recorded((5, "a", {"x": 1})),
    ):
        assert other.digests()["effects"] != base["effects"]
        assert other.digests()["full"] != base["full"]


def test_reading_the_digests_in_between_does_not_change_them():
    clock = Clock()
    often, seldom = Trace(clock), Trace(clock)
    for index in range(1_000):
        often.record("x", index=index)
        often.digests()
        seldom.record("x", index=index)
    assert often.digests() == seldom.digests()
    assert seldom.count == 1_000
    assert seldom.lines is None


def test_field_boundaries_cannot_be_forged():
    one = recorded((5, "a", {"x": "1 y=2"}))
    other = recorded((5, "a", {"x": "1", "y": 2}))
    lines = recorded((5, "a", {"x": "1\n5 b"}))
    assert one.digests() != other.digests()
    assert "\n" not in lines.lines[0]


def test_values_of_every_kind_are_written():
    trace = recorded((0, "x", {"a": None, "b": True, "c": 1.5, "d": b"abc", "e": [1, "z"]}))
    assert trace.lines[0].startswith("0 x a=None b=True c=1.5 d=3:")
    assert trace.lines[0].endswith(" e=[1 'z']")


@pytest.mark.parametrize("value", [object(), {1, 2}, {"a": 1}])
def test_a_value_whose_text_is_not_the_same_each_run_is_refused(value):
    with pytest.raises(TypeError, match="not the same each run"):
        recorded((0, "x", {"a": value}))


def test_the_first_difference_is_shown_with_ten_lines_before_it():
    left = [f"line {index}" for index in range(30)]
    right = [*left[:20], "another", *left[21:]]
    difference = first_difference(left, right)
    assert difference.index == 20
    assert difference.before == tuple(left[10:20])
    assert (difference.left, difference.right) == ("line 20", "another")
    assert "- line 20\n+ another\n(line 20)" in str(difference)


def test_a_trace_that_ends_early_differs_at_its_end():
    difference = first_difference(["a", "b"], ["a"])
    assert (difference.index, difference.left, difference.right) == (1, "b", None)
    assert "+ (the end)" in str(difference)


def test_equal_traces_do_not_differ():
    assert first_difference(["a"], ["a"]) is None
    assert first_difference([], []) is None
