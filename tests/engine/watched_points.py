"""Compares the points that are followed with those that a look at the whole journal finds."""

from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage

from engine import Consistency, RecoveryPoints, open_journal
from engine.basics.errors import PointRefused


def opened():
    storage = MemoryStorage()
    journal = open_journal(storage, group=GROUP).journal
    journal.adopt(EPOCH, INCARNATION)
    return journal, storage


def check(watch, journal):
    """Compare what is followed with what a look at everything gives."""
    points, newest = RecoveryPoints(journal), watch.newest
    app, crash = points.app_points(), points.crash_points()
    assert newest[Consistency.APP] == (app[-1] if app else None)
    tagged = max([*app, *crash], key=lambda point: point.sequence, default=None)
    assert newest[Consistency.CRASH] == tagged
    try:
        latest = points.latest()
    except PointRefused:
        assert newest[Consistency.WRITE] is None
    else:
        found = newest[Consistency.WRITE]
        assert (found.sequence, found.source_time_ns) == (latest.sequence, latest.source_time_ns)
    assert watch.gap == journal.index.gap_at(journal.durable.sequence)
