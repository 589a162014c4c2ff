"""A capture that knows nothing of its target: it goes on from the target's end, by comparing."""

from random import Random

import pytest
from engine_direct import Direct
from engine_model import Reference, app_tag, create, delete, rename, write
from engine_overload import random_change, random_settings
from engine_points import check_live, check_points
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import CaptureMode, CaptureSettings, RecordType, Refused, Tracked, Waiting, actions
from engine.basics.errors import LocalProtocolError


def change_for(random, direct):
    direct.vacated = getattr(direct, "vacated", None)
    return random_change(random, direct)


def disturb(random, direct):
    """Let one thing happen while the ends are compared."""
    kind = random.random()
    if kind < 0.4:
        direct.show(change_for(random, direct))
    elif kind < 0.6:
        direct.ship(random.randrange(1, 5))
    elif kind < 0.8:
        direct.read()
    else:
        direct.write_spool()


def check(direct):
    assert not direct.capture.is_in_gap
    check_points(direct)
    check_live(direct)


def live_through(seed, length, overflow):
    """Show random changes, stop the host at random moments, and come back by a resync."""
    random = Random(seed)
    direct = Direct(random_settings(random, overflow))
    for _ in range(length):
        direct.show(change_for(random, direct))
        kind = random.random()
        if kind < 0.4:
            direct.ship(random.randrange(1, 9))
        elif kind < 0.6:
            direct.write_spool()
        elif kind < 0.7:
            direct.read()
        elif kind < 0.76:
            direct.stop_host()
        elif kind < 0.8:
            direct.is_spool_broken = True
        elif kind < 0.86 and direct.capture.is_resync_needed:
            direct.compare(random, lambda: disturb(random, direct))
    direct.compare(random, lambda: disturb(random, direct))
    direct.show(create("the last one"))
    direct.pump()
    direct.compare(random)
    return direct


@pytest.mark.parametrize("overflow", ["spill", "break"])
@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 1 << 32), length=st.integers(1, 60))
def test_every_point_equals_the_reference_through_stops_without_warning(overflow, seed, length):
    check(live_through(seed, length, overflow))


@pytest.mark.nightly
@pytest.mark.parametrize("overflow", ["spill", "break"])
@pytest.mark.parametrize("hundred", range(30))
def test_three_thousand_histories_with_stops_survive(hundred, overflow):
    for seed in range(hundred * 100, hundred * 100 + 100):
        check(live_through(seed, 90, overflow))


def volume_of(**files):
    volume = Reference()
    volume.files |= {name: bytearray(data) for name, data in files.items()}
    return volume


def test_a_first_copy_of_files_that_are_there_is_a_resync_against_nothing():
    direct = Direct(CaptureSettings(), volume=volume_of(a=b"A" * 9_000, b=bytes(5_000), c=b""))
    assert isinstance(direct.show(write("a", 0, b"early")), Tracked)
    direct.compare(Random(1), lambda: direct.show(write("a", 4_000, b"late")))
    check(direct)
    kinds = [direct.journal.index.row(n).kind for n in range(1, 6)]
    assert kinds[:4] == [RecordType.RESYNC_BEGIN, *[RecordType.CREATE] * 3]
    assert direct.capture.figures(direct.now_ns).drained_bytes <= 3 * 4_096, "zeros cost nothing"


def test_the_last_point_before_an_unclean_stop_stays_good_until_the_resync_ends():
    direct = Direct(CaptureSettings())
    for change in (create("a"), write("a", 0, b"one")):
        direct.show(change)
    direct.pump()
    direct.stop_host()
    direct.show(write("a", 0, b"two"))
    direct.begin_resync()
    direct.pump()
    _, inside = check_points(direct)
    assert inside == 1
    direct.compare(Random(1))
    check(direct)


def test_files_keep_their_ids_by_name_and_new_ones_get_ids_that_nobody_had():
    direct = Direct(CaptureSettings())
    for change in (create("a"), create("b"), create("c"), delete("c")):
        direct.show(change)
    direct.pump()
    direct.volume.files.pop("a")
    direct.volume.files["d"] = bytearray(b"new")
    direct.stop_host()
    direct.begin_resync()
    found = {entry.name: entry.file for entry in direct.capture.live_files().entries}
    assert found["b"] == 2
    assert found["d"] > 3
    direct.compare(Random(1))
    check(direct)


def test_writers_wait_during_a_resync_where_the_policy_says_so():
    direct = Direct(CaptureSettings(pool_bytes_max=400), volume=volume_of(a=b"A" * 90))
    direct.begin_resync()
    answers = [direct.show(write("a", n, b"x")) for n in range(9)]
    assert any(isinstance(answer, Waiting) for answer in answers)
    direct.pump()
    direct.compare(Random(1))
    check_live(direct)
    assert len(direct.capture.take_released()) == sum(isinstance(a, Waiting) for a in answers)


def test_a_capture_that_keeps_nothing_says_so_and_comes_back_by_a_resync():
    direct = Direct(CaptureSettings(pool_bytes_max=300, overflow="break"))
    direct.show(create("a"))
    answers = [direct.show(write("a", 0, bytes([n]) * 90)) for n in range(4)]
    assert isinstance(answers[-1], Tracked)
    figures = direct.capture.figures(direct.now_ns)
    assert (figures.mode, figures.gap_count) == (CaptureMode.UNTRACKED, 1)
    changed = [n for n in direct.notices if isinstance(n, actions.CaptureModeChanged)]
    assert [(n.before, n.after) for n in changed] == [("data", "untracked")]
    assert "resync" in changed[0].hint
    direct.compare(Random(1))
    check(direct)


def test_a_spool_that_fails_takes_its_records_with_it_and_says_up_to_where():
    settings_ = CaptureSettings(pool_bytes_max=300, overflow="spill", spool_bytes_max=90_000)
    direct = Direct(settings_)
    direct.show(create("a"))
    for n in range(20):
        direct.show(write("a", n * 100, b"x" * 90))
    before = direct.capture.sendable_sequence
    assert direct.capture.newest.sequence == 21 > before
    direct.is_spool_broken = True
    direct.write_spool()
    (rewound,) = [n for n in direct.notices if isinstance(n, actions.HistoryRewound)]
    assert rewound.sequence == before
    assert direct.capture.newest.sequence == before + 1, "GAP_OPEN"
    assert direct.capture.is_resync_needed
    direct.compare(Random(1))
    check(direct)


def test_a_damaged_spool_file_is_noticed_before_any_of_it_is_sent():
    settings_ = CaptureSettings(pool_bytes_max=300, overflow="spill", spool_bytes_max=90_000)
    direct = Direct(settings_)
    direct.show(create("a"))
    for n in range(20):
        direct.show(write("a", n * 100, b"x" * 90))
        direct.write_spool()
    for content in direct.spool.files.values():
        content[len(content) // 2] ^= 1
    direct.pump()
    assert any(isinstance(n, actions.HistoryRewound) for n in direct.notices)
    direct.compare(Random(1))
    check(direct)


def test_tags_are_refused_from_the_stop_to_the_end_of_the_resync():
    direct = Direct(CaptureSettings(), volume=volume_of(a=b"A" * 90))
    assert isinstance(direct.show(app_tag("too early")), Refused)
    direct.begin_resync()
    assert isinstance(direct.show(app_tag("too early")), Refused)
    direct.compare(Random(1))
    assert not isinstance(direct.show(app_tag("right")), Refused)
    assert direct.capture.figures(0).tags_refused == 2


def test_a_resync_is_refused_where_there_is_nothing_to_compare():
    direct = Direct(CaptureSettings())
    with pytest.raises(LocalProtocolError):
        direct.capture.begin_resync(0)
    with pytest.raises(LocalProtocolError):
        direct.capture.rebase(direct.journal.durable, direct.target_files(), 0, 0)
    direct.stop_host()
    with pytest.raises(LocalProtocolError):
        direct.capture.begin_resync(0)


def test_names_that_were_swapped_while_nobody_looked_are_set_right():
    direct = Direct(CaptureSettings(pool_bytes_max=300, overflow="break"))
    for change in (create("a"), create("b"), write("a", 0, b"A" * 90), write("b", 0, b"B" * 90)):
        direct.show(change)
    assert direct.capture.is_resync_needed
    for change in (rename("a", "t"), rename("b", "a"), rename("t", "b")):
        direct.show(change)
    direct.compare(Random(1))
    check(direct)
