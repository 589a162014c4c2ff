"""A clean stop of the source needs no resync; anything else does, and nothing guesses."""

from random import Random

import pytest
from engine_direct import Direct
from engine_model import app_tag, create, delete, write
from engine_overload import random_change, random_settings
from engine_points import check_live, check_points
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Admitted, Capture, CaptureSettings
from engine.basics.errors import LocalProtocolError
from engine.capture.clean_stop import STATE_FILE
from engine.formats.capture_state import CaptureState, decode_capture_state, encode_capture_state

SPILL = CaptureSettings(pool_bytes_max=600, overflow="spill", spool_file_bytes_max=300)


def live_through(seed, length, overflow):
    """Show random changes, with a clean stop at random moments of spool, gap and drain."""
    random = Random(seed)
    direct = Direct(random_settings(random, overflow))
    direct.vacated = None
    for _ in range(length):
        direct.show(random_change(random, direct))
        kind = random.random()
        if kind < 0.3:
            direct.ship(random.randrange(1, 9))
        elif kind < 0.5:
            direct.write_spool()
        elif kind < 0.6:
            direct.read()
        elif kind < 0.75:
            assert direct.restart_cleanly() == ""
    direct.pump()
    if direct.capture.is_resync_needed:
        direct.compare(random)
    return direct


@pytest.mark.parametrize("overflow", ["push_back", "spill", "break"])
@settings(deadline=None, max_examples=80)
@given(seed=st.integers(0, 1 << 32), length=st.integers(1, 50))
def test_clean_stops_anywhere_lose_nothing_and_need_no_resync(overflow, seed, length):
    direct = live_through(seed, length, overflow)
    check_live(direct)
    if overflow != "push_back":  # which sequence a waiting writer gets, only the stream says
        check_points(direct)


@pytest.mark.nightly
@pytest.mark.parametrize("overflow", ["push_back", "spill", "break"])
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_histories_with_clean_stops_survive(hundred, overflow):
    for seed in range(hundred * 100, hundred * 100 + 100):
        direct = live_through(seed, 80, overflow)
        check_live(direct)


def filled():
    """Return a source with records in pool, spool file and spool memory."""
    direct = Direct(SPILL)
    direct.show(create("a"))
    for n in range(20):
        direct.show(write("a", n * 50, bytes([n]) * 50))
        if n < 15:
            direct.write_spool()
    assert direct.capture.figures(0).spool_bytes
    return direct


def test_what_lay_in_pool_and_spool_is_shipped_by_the_next_host():
    direct = filled()
    newest = direct.capture.newest
    assert direct.restart_cleanly() == ""
    assert direct.capture.newest == newest
    assert direct.capture.incarnation == 1, "it is the same capture"
    assert isinstance(direct.show(app_tag("after")), Admitted)
    direct.pump()
    assert direct.journal.durable.sequence == newest.sequence + 1
    check_points(direct)
    check_live(direct)


def test_a_stop_without_warning_after_a_clean_start_finds_no_saved_state():
    direct = filled()
    assert direct.restart_cleanly() == ""
    assert STATE_FILE not in direct.spool.files, "it is gone before the first write"
    reason = direct.start_again()
    assert "not stopped cleanly" in reason
    assert not direct.capture.is_based
    assert not direct.spool.files, "nobody needs the old spool"
    direct.compare(Random(1))
    check_live(direct)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda direct: direct.volume.files["a"].extend(b"x"), "while nobody watched"),
        (lambda direct: direct.volume.files.pop("a"), "while nobody watched"),
        (lambda direct: direct.volume.files.update(new=bytearray()), "while nobody watched"),
        (lambda direct: direct.spool.files.pop(min(direct.spool.files)), "is gone"),
        (lambda direct: direct.spool.files[STATE_FILE].append(0), "damaged"),
        (lambda direct: setattr(direct, "epoch", 4), "of group"),
    ],
)
def test_a_saved_state_that_does_not_fit_is_not_believed(spoil, reason):
    direct = filled()
    direct.spool.replace(STATE_FILE, direct.capture.save(direct.now_ns))
    spoil(direct)
    assert reason in direct.start_again()
    assert not direct.capture.is_based


def test_every_damaged_byte_of_a_saved_state_is_seen():
    data = encode_capture_state(CaptureState({"group": 7, "name": "é"}, b"records"))
    assert decode_capture_state(data) == CaptureState({"group": 7, "name": "é"}, b"records")
    reserved = range(6, 8)
    for at in set(range(len(data))) - set(reserved):
        damaged = bytearray(data)
        damaged[at] ^= 1
        assert decode_capture_state(bytes(damaged)) is None, at
    for length in range(len(data)):
        assert decode_capture_state(data[:length]) is None


def test_a_change_after_the_state_was_saved_is_an_error_of_the_driver():
    direct = filled()
    direct.capture.save(0)
    with pytest.raises(LocalProtocolError, match="after the capture was saved"):
        direct.capture.admit(delete("a"), 0)


def test_a_capture_that_was_never_based_has_nothing_to_save():
    capture = Capture.unbased(group=7, epoch=3, incarnation=5, files={"a": 1})
    assert capture.save(0) == b""
