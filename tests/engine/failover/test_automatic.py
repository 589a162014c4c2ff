"""Automatic failover: the detector, a lease and the witness must all say so."""

import pytest
from engine_failover import COPY, QUICK, SISTER, Copy, Place
from engine_model import EPOCH

from engine.basics.errors import LeaseMissing, LocalProtocolError, WitnessDisagrees
from engine.contract import promotions as fo
from engine.failover.detector import Detector, Lease
from engine.failover.states import PromotionState


def automatic(*, is_silent=True, has_lease=True, is_heard_by_witness=False, is_leased_there=True):
    place = Place()
    copy = Copy(place)
    copy.now_ns = 100_000
    copy.detector = Detector(QUICK.source_timeout_ns, 0)
    copy.lease = Lease(QUICK.lease_margin_ns)
    if not is_silent:
        copy.detector.heard(99_000)
    if has_lease:
        copy.lease.given(copy.now_ns - 10, QUICK.lease_ns)
    if is_leased_there:
        assert place.witness.renew_lease(COPY, copy.now_ns - 5) == QUICK.lease_ns
    if is_heard_by_witness:
        place.witness.source_heard(copy.now_ns - 5)
    copy.start()
    copy.tell(fo.Promote(cause="automatic"))
    copy.settle()
    return copy


def test_a_silent_source_a_lease_and_the_witness_together_promote_a_copy():
    assert automatic().state is PromotionState.PROMOTED


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"is_silent": False}, WitnessDisagrees),
        ({"has_lease": False}, LeaseMissing),
        ({"is_heard_by_witness": True}, WitnessDisagrees),
        ({"is_leased_there": False}, WitnessDisagrees),
    ],
)
def test_automatic_failover_needs_every_one_of_them(fields, error):
    copy = automatic(**fields)
    assert copy.errors() == [error]
    assert copy.state is PromotionState.STANDBY
    assert copy.place.register.epoch == EPOCH
    assert not copy.is_held


def test_an_automatic_failover_chooses_nothing_and_forces_nothing():
    for fields in ({"sequence": 3}, {"is_forced": True}):
        with pytest.raises(LocalProtocolError):
            fo.Promote(cause="automatic", **fields)


def test_a_lease_is_over_here_before_another_copy_can_get_it():
    place = Place()
    asked_at_ns = 100_000
    lease = Lease(QUICK.lease_margin_ns)
    lease.given(asked_at_ns, place.witness.renew_lease(COPY, asked_at_ns + 700))
    first = next(
        now_ns
        for now_ns in range(asked_at_ns, asked_at_ns + 20_000, 100)
        if place.witness.renew_lease(SISTER, now_ns)
    )
    assert not lease.holds(first - QUICK.lease_margin_ns)
    assert lease.holds(asked_at_ns + 1_000)


def test_a_witness_that_was_restarted_gives_nobody_a_lease_that_another_may_hold():
    place = Place()
    assert place.witness.renew_lease(COPY, 50_000)
    place.start(51_000)
    assert not place.witness.renew_lease(SISTER, 51_000 + QUICK.lease_ns - 1)
    assert place.witness.renew_lease(SISTER, 51_000 + QUICK.lease_ns)
