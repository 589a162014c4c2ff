"""The table of modes: every mode can be left and reached, and no way back skips the gap."""

from itertools import product

import pytest

from engine import CaptureMode
from engine.basics.errors import LocalProtocolError
from engine.capture.modes import CAPTURE_TRANSITIONS, ORDERED, CaptureTrigger
from engine.contract.machines import next_state


def test_every_mode_and_every_trigger_is_in_the_table():
    assert {mode for mode, _ in CAPTURE_TRANSITIONS} == set(CaptureMode)
    assert set(CAPTURE_TRANSITIONS.values()) == set(CaptureMode)
    assert {trigger for _, trigger in CAPTURE_TRANSITIONS} == set(CaptureTrigger)


@pytest.mark.parametrize("mode", CaptureMode)
def test_from_every_mode_there_is_a_way_back_to_data(mode):
    reached = {mode}
    for _ in CaptureMode:
        reached |= {
            after for (before, _), after in CAPTURE_TRANSITIONS.items() if before in reached
        }
    assert CaptureMode.DATA in reached


def test_order_is_never_lost_without_a_trigger_that_says_so():
    lost = {
        trigger
        for (before, trigger), after in CAPTURE_TRANSITIONS.items()
        if before in ORDERED and after not in ORDERED
    }
    assert lost == {CaptureTrigger.ORDER_LOST, CaptureTrigger.BROKEN}


def test_what_the_table_does_not_name_is_impossible():
    for mode, trigger in product(CaptureMode, CaptureTrigger):
        if (mode, trigger) in CAPTURE_TRANSITIONS:
            after = next_state("It", CAPTURE_TRANSITIONS, mode, trigger)
            assert after is CAPTURE_TRANSITIONS[mode, trigger]
        else:
            with pytest.raises(LocalProtocolError):
                next_state("It", CAPTURE_TRANSITIONS, mode, trigger)
