"""Recovery points: the right one, or a refusal that offers the nearest."""

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    app_tag,
    crash_tag,
    create,
    settle,
    write,
)

from engine import (
    Capture,
    CaptureSettings,
    Consistency,
    Image,
    RecoveryPoint,
    RecoveryPoints,
    open_journal,
)
from engine.basics.errors import ImageFileMissing, PointRefused
from engine.formats.records import RecordType

#: (source time, change); None is an idle moment that becomes a TIME record.
TIMELINE = [
    (100, create("db/a")),
    (200, write("db/a", 0, b"1")),
    (200, write("db/a", 1, b"2")),
    (300, app_tag("first")),
    (400, write("db/a", 2, b"3")),
    (500, crash_tag("drill")),
    (600, app_tag("second")),
    (900, None),
]


def journal_of(timeline=TIMELINE, durable=None):
    """Return a journal of the timeline of which the first `durable` records are synced."""
    capture = Capture(
        group=GROUP,
        epoch=EPOCH,
        incarnation=INCARNATION,
        settings=CaptureSettings(time_interval_ns=250),
    )
    for time_ns, change in timeline:
        if change is None:
            assert capture.tick(time_ns)
        else:
            capture.admit(change, time_ns)
    storage = MemoryStorage()
    journal = open_journal(storage, group=GROUP).journal
    journal.adopt(EPOCH, INCARNATION)
    records = [capture.entry(n).record for n in range(1, len(timeline) + 1)]
    durable = len(timeline) if durable is None else durable
    if durable:
        settle(journal, storage, journal.ingest(b"".join(records[:durable])))
    for record in records[durable:]:
        for action in journal.ingest(record):
            storage.carry_out(action)
    return journal


def sequence_of(point):
    return point.sequence


def test_the_latest_point_is_the_newest_durable_record_and_not_the_newest_received():
    assert RecoveryPoints(journal_of()).latest() == RecoveryPoint(8, 900, Consistency.WRITE)
    assert RecoveryPoints(journal_of(durable=4)).latest() == RecoveryPoint(
        4, 300, Consistency.APP, "first"
    )


@pytest.mark.parametrize(
    ("time_ns", "sequence"),
    [(100, 1), (199, 1), (200, 3), (299, 3), (300, 4), (600, 7), (899, 7), (900, 8)],
)
def test_a_point_at_a_time_is_the_newest_record_not_after_it(time_ns, sequence):
    assert RecoveryPoints(journal_of()).at_time(time_ns).sequence == sequence


def test_a_time_record_makes_idle_time_recoverable():
    points = RecoveryPoints(journal_of())
    assert points.at_time(899).sequence == 7
    with pytest.raises(PointRefused):
        RecoveryPoints(journal_of(TIMELINE[:-1])).at_time(899)


def test_a_point_outside_of_what_is_durable_is_refused_with_the_nearest_one():
    points = RecoveryPoints(journal_of(durable=4))
    for refused in (lambda: points.at_time(301), lambda: points.at_sequence(5)):
        with pytest.raises(PointRefused) as caught:
            refused()
        assert sequence_of(caught.value.earlier) == 4
        assert caught.value.later is None
    for refused in (lambda: points.at_time(99), lambda: points.at_sequence(0)):
        with pytest.raises(PointRefused) as caught:
            refused()
        assert caught.value.earlier is None
        assert sequence_of(caught.value.later) == 1


def test_app_points_are_the_durable_app_tags():
    points = RecoveryPoints(journal_of())
    assert [(p.sequence, p.label) for p in points.app_points()] == [(4, "first"), (7, "second")]
    assert [(p.sequence, p.label) for p in points.crash_points()] == [(6, "drill")]
    assert points.latest_app().label == "second"
    assert points.app_at(599).label == "first"
    assert points.app_at(600).label == "second"
    assert RecoveryPoints(journal_of(durable=6)).latest_app().label == "first"


def test_an_app_point_that_does_not_exist_is_refused_with_what_does():
    with pytest.raises(PointRefused) as caught:
        RecoveryPoints(journal_of()).app_at(299)
    assert caught.value.later.label == "first"
    with pytest.raises(PointRefused) as caught:
        RecoveryPoints(journal_of(durable=3)).latest_app()
    assert sequence_of(caught.value.earlier) == 3
    with pytest.raises(PointRefused) as caught:
        RecoveryPoints(journal_of(durable=3)).app_at(1_000)
    assert caught.value.later is None


def test_an_empty_journal_refuses_every_point_and_reports_no_rpo():
    points = RecoveryPoints(journal_of(durable=0))
    for refused in (points.latest, points.latest_app, lambda: points.at_time(1)):
        with pytest.raises(PointRefused):
            refused()
    assert points.reported_rpo_ns(10_000) is None


def test_the_reported_rpo_is_the_age_of_the_newest_durable_record():
    assert RecoveryPoints(journal_of()).reported_rpo_ns(1_000) == 100
    assert RecoveryPoints(journal_of(durable=4)).reported_rpo_ns(1_000) == 700


def test_a_target_clock_that_is_behind_shows_as_a_negative_age_and_not_as_zero():
    assert RecoveryPoints(journal_of()).reported_rpo_ns(500) == -400


def test_the_image_of_an_app_point_is_one_cut_through_all_files():
    journal = journal_of()
    image = Image(journal, RecoveryPoints(journal).app_at(300).sequence)
    assert image.read("db/a", 0, 10) == b"12"
    assert journal.index.row(image.sequence).kind == RecordType.TAG_APP


def test_an_image_has_no_file_that_did_not_exist_then():
    image = Image(journal_of(), 0)
    for ask in (image.size, lambda name: image.read(name, 0, 1), lambda n: list(image.pieces(n))):
        with pytest.raises(ImageFileMissing):
            ask("db/a")


def test_an_image_stays_the_same_while_the_journal_grows():
    journal = journal_of(durable=3)
    image = Image(journal, 3)
    before = image.read("db/a", 0, 10)
    journal.sync_done(journal._pending._tokens)
    assert journal.durable.sequence > 3
    assert image.read("db/a", 0, 10) == before == b"12"
