"""No recovery point lies in a gap: a request there is refused, and both edges are offered."""

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage, RecordStream, settle

from engine import RecordType, RecoveryPoints, open_journal
from engine.basics.errors import PointRefused
from engine.formats.control import encode_incarnation

R = RecordType
#: (source time, type, body); a gap from 4 to 7, a resync from 9 to 11.
TIMELINE = [
    (100, R.CREATE, b"db/a"),
    (200, R.WRITE, b"1"),
    (300, R.TAG_APP, b"first"),
    (400, R.GAP_OPEN, b"pool full"),
    (500, R.WRITE, b"2"),
    (500, R.WRITE, b"3"),
    (600, R.GAP_CLOSE, b""),
    (700, R.TAG_APP, b"second"),
    (900, R.RESYNC_BEGIN, encode_incarnation(5)),
    (950, R.WRITE, b"4"),
    (990, R.RESYNC_END, b""),
    (999, R.TIME, b""),
]
OUTSIDE = {1, 2, 3, 7, 8, 11, 12}


def points_of(durable, timeline=TIMELINE):
    """Return the points of a journal that has it all, of which the first `durable` are synced."""
    stream = RecordStream()
    for time_ns, kind, body in timeline:
        is_file = kind in (R.CREATE, R.WRITE)
        stream.add(kind, body, file=int(is_file), time_ns=time_ns)
    storage = MemoryStorage()
    journal = open_journal(storage, group=GROUP).journal
    journal.adopt(EPOCH, INCARNATION)
    if durable:
        settle(journal, storage, journal.ingest(b"".join(stream.records[:durable])))
    if durable < len(timeline):
        journal.ingest(b"".join(stream.records[durable:]))
    return RecoveryPoints(journal)


def edges(refusal):
    return tuple(
        None if point is None else point.sequence
        for point in (refusal.value.earlier, refusal.value.later)
    )


@pytest.mark.parametrize("durable", range(1, len(TIMELINE) + 1))
def test_every_sequence_is_a_point_or_refused_with_the_right_edges(durable):
    points = points_of(durable)
    for sequence in range(1, len(TIMELINE) + 1):
        if sequence <= durable and sequence in OUTSIDE:
            assert points.at_sequence(sequence).sequence == sequence
            continue
        with pytest.raises(PointRefused) as refusal:
            points.at_sequence(sequence)
        earlier = max(n for n in OUTSIDE if n <= min(sequence, durable))
        laters = [n for n in OUTSIDE if sequence < n <= durable]
        assert edges(refusal) == (earlier, min(laters, default=None))


@pytest.mark.parametrize("durable", range(1, len(TIMELINE) + 1))
def test_the_latest_point_and_the_reported_rpo_stay_before_an_open_gap(durable):
    points = points_of(durable)
    newest = max(n for n in OUTSIDE if n <= durable)
    assert points.latest().sequence == newest
    assert points.reported_rpo_ns(10_000) == 10_000 - TIMELINE[newest - 1][0]


@pytest.mark.parametrize(
    ("time_ns", "sequence"), [(299, 2), (399, 3), (600, 7), (700, 8), (990, 11), (999, 12)]
)
def test_a_time_outside_of_gaps_gives_the_newest_record_not_after_it(time_ns, sequence):
    assert points_of(len(TIMELINE)).at_time(time_ns).sequence == sequence


@pytest.mark.parametrize(
    ("time_ns", "both"),
    [(400, (3, 7)), (500, (3, 7)), (599, (3, 7)), (900, (8, 11)), (989, (8, 11))],
)
def test_a_time_in_a_gap_is_refused_with_both_edges(time_ns, both):
    with pytest.raises(PointRefused, match="lies in a gap") as refusal:
        points_of(len(TIMELINE)).at_time(time_ns)
    assert edges(refusal) == both


def test_what_came_after_the_last_record_before_an_unclean_stop_is_unknown():
    """The writes between 700 and 900 went with the capture that stopped without warning."""
    points = points_of(len(TIMELINE))
    assert points.at_time(700).sequence == 8
    for time_ns in (701, 899):
        with pytest.raises(PointRefused) as refusal:
            points.at_time(time_ns)
        assert edges(refusal) == (8, 11)


def test_a_gap_that_is_not_durably_closed_offers_no_later_edge():
    with pytest.raises(PointRefused) as refusal:
        points_of(6).at_sequence(5)
    assert edges(refusal) == (3, None)
    with pytest.raises(PointRefused) as refusal:
        points_of(6).at_time(450)
    assert edges(refusal) == (3, None)


def test_an_initial_copy_offers_nothing_before_its_end():
    timeline = [(1, R.RESYNC_BEGIN, encode_incarnation(5)), *TIMELINE[:2], (300, R.RESYNC_END, b"")]
    points = points_of(3, timeline)
    with pytest.raises(PointRefused, match="first copy"):
        points.latest()
    assert points.reported_rpo_ns(1_000) is None
    for ask in (lambda: points.at_sequence(2), lambda: points.at_time(100), points.latest_app):
        with pytest.raises(PointRefused) as refusal:
            ask()
        assert edges(refusal) == (None, None)
    points = points_of(4, timeline)
    assert points.latest().sequence == 4
    with pytest.raises(PointRefused) as refusal:
        points.at_sequence(0)
    assert edges(refusal) == (None, 4)
