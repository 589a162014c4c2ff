import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.clock import Clock
from reports.model import ScenarioReference

MORNING = ScenarioReference(title="x", starts_at="2007-06-04T10:00:30")


def test_an_instant_is_told_on_the_scenarios_clock_with_its_date_in_a_run_of_days():
    assert Clock(MORNING, 3_600).text(90) == "10:02"
    assert Clock(MORNING, 3_600).text(0) == "10:00:30"
    assert Clock(MORNING, 200_000).text(86_400) == "5 Jun 10:00:30"
    assert Clock(ScenarioReference(title="x"), 200_000).text(90) == "after 1 min 30 s"
    assert Clock(MORNING, 3_600).span_text(30, 90) == "10:01 to 10:02"


@pytest.mark.parametrize(
    ("length_s", "labels"),
    [
        (600, ["10:02", "10:04", "10:06", "10:08", "10:10"]),
        (3, ["10:00:30", "10:00:31", "10:00:32", "10:00:33"]),
        (86_400, ["4 Jun 12:00", "4 Jun 18:00", "5 Jun 00:00", "5 Jun 06:00"]),
    ],
)
def test_marks_stand_at_round_times(length_s, labels):
    clock = Clock(MORNING, length_s)
    assert [clock.text(tick) for tick in clock.ticks(0, length_s)] == labels


@settings(deadline=None)
@given(st.floats(0, 1e7), st.floats(1e-3, 1e8), st.integers(2, 12))
def test_there_are_never_too_many_marks_and_all_lie_inside(from_s, length_s, marks_max):
    ticks = list(Clock(MORNING, 1.0).ticks(from_s, from_s + length_s, marks_max))
    assert len(ticks) <= marks_max + 1
    assert all(from_s - 1e-3 <= tick <= from_s + length_s + 1e-3 for tick in ticks)
    assert ticks == sorted(ticks)
