"""Everything together against the reference: whatever happens, a point is right or is refused.

A history is a list of steps over one protected group (`engine_world_steps`): writes, bookmarks,
overload, lines that lie, crashes and power cuts at either end, stops of the source, retention and
layers, copies. After some of the steps, and after all at every sequence, each copy is looked at.
"""

from collections import Counter

import pytest
from engine_world_found import FOUND
from engine_world_steps import STEPS, live_through, random_steps
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

HISTORIES = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 1 << 16)), max_size=25
)
TALLY = Counter()


def told(tally):
    """Return what was counted, one line for each kind of count."""
    groups = ("step: ", "line: ", "refused: ")
    lines = [
        ", ".join(f"{count} {name}" for name, count in sorted(tally.items()) if _is_plain(name))
    ]
    for group in groups:
        counts = sorted(
            (name.removeprefix(group), n) for name, n in tally.items() if name.startswith(group)
        )
        lines.append(group + ", ".join(f"{name} {n}" for name, n in counts))
    return "\n  ".join([*lines, "differences: 0"])


def _is_plain(name):
    return ": " not in name


def with_what_was_found(test):
    for seed, steps in FOUND.values():
        test = example(seed, steps)(test)
    return test


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@with_what_was_found
@given(st.integers(0, 1 << 16), HISTORIES)
def test_any_history_leaves_points_that_are_right_and_refusals(seed, steps):
    live_through(seed, steps, TALLY)


def test_five_hundred_histories_leave_points_that_are_right_and_refusals(figure):
    tally = Counter()
    for seed in range(400):
        live_through(seed, random_steps(seed, 25), tally)
    assert min(tally[f"step: {name}"] for name in STEPS) >= 20, "every step is there"
    figure(told(tally))


@pytest.mark.nightly
@pytest.mark.parametrize("thousand", range(20))
def test_twenty_thousand_histories_leave_points_that_are_right_and_refusals(thousand, figure):
    tally = Counter()
    first = 1_000 * (thousand + 1)
    for seed in range(first, first + 1_000):
        live_through(seed, random_steps(seed, 30), tally)
    figure(told(tally))
