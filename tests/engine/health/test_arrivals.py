"""The points that are followed are those that a look at the whole journal finds."""

from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    RecordStream,
    app_tag,
    crash_tag,
    create,
    pending_app_tag,
    settle,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from watched_points import check, opened

from engine import Capture, Consistency, RecordType, RecoveryPoints, open_journal
from engine.formats.control import encode_incarnation
from engine.health.arrivals import PointWatch

R = RecordType


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(["write", "app", "crash", "insert", "commit", "revoke"]), max_size=25),
    st.data(),
)
def test_tags_of_one_and_of_two_phases_are_followed(steps, data):
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    journal, storage = opened()
    watch, taken, pending = PointWatch(journal), [], []
    capture.admit(create("a"), 0)
    for now_ns, step in enumerate(steps, start=1):
        if step in ("commit", "revoke"):
            if pending:
                sequence = pending.pop(data.draw(st.integers(0, len(pending) - 1)))
                decide = capture.commit_tag if step == "commit" else capture.revoke_tag
                decide(sequence, now_ns)
        elif step == "insert":
            pending.append(capture.admit(pending_app_tag(str(now_ns)), now_ns).sequence)
        else:
            change = {"write": write("a", 0, b"x"), "app": app_tag("t"), "crash": crash_tag()}[step]
            capture.admit(change, now_ns)
        if data.draw(st.booleans()):
            first, last = journal.received.sequence + 1, capture.newest.sequence
            records = [capture.entry(n).record for n in range(first, last + 1)]
            settle(journal, storage, journal.ingest(b"".join(records)))
            assert watch.advance(journal.durable.sequence) == bool(records)
            taken += watch.take_tags()
            check(watch, journal)
    points = RecoveryPoints(journal)
    everything = [*points.app_points(), *points.crash_points()]
    assert sorted(taken, key=str) == sorted(everything, key=str)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from("wtgcbe"), max_size=25), st.integers(1, 5))
def test_in_a_gap_nothing_is_newer_than_the_record_before_it(letters, at_once):
    kinds = {
        "w": (R.TIME, b""),
        "t": (R.TAG_APP, b""),
        "g": (R.GAP_OPEN, b"full"),
        "c": (R.GAP_CLOSE, b""),
        "b": (R.RESYNC_BEGIN, encode_incarnation(9)),
        "e": (R.RESYNC_END, b""),
    }
    stream, is_open = RecordStream(), None
    for letter in letters:
        allowed = {None: "wtgb", "g": "wcb", "b": "web"}[is_open]
        if letter not in allowed:
            continue
        stream.add(*kinds[letter])
        is_open = {"g": "g", "b": "b", "c": None, "e": None}.get(letter, is_open)
    journal, storage = opened()
    watch = PointWatch(journal)
    for first in range(0, len(stream.records), at_once):
        records = b"".join(stream.records[first : first + at_once])
        settle(journal, storage, journal.ingest(records))
        watch.advance(journal.durable.sequence)
        check(watch, journal)


def test_a_watch_made_late_finds_what_an_early_one_has_followed():
    stream = RecordStream()
    for kind in (R.TIME, R.TAG_APP, R.TIME, R.TAG_CRASH, R.GAP_OPEN, R.TIME):
        stream.add(kind)
    journal, storage = opened()
    early = PointWatch(journal)
    for record in stream.records:
        settle(journal, storage, journal.ingest(record))
        early.advance(journal.durable.sequence)
    late = PointWatch(journal)
    late.advance(journal.durable.sequence)
    assert late.newest == early.newest
    assert late.gap == early.gap


def test_a_branch_inherits_the_points_before_its_base_and_none_of_the_orphan_tail():
    stream = RecordStream()
    for kind in (R.TIME, R.TAG_APP, R.TIME, R.TAG_CRASH, R.TAG_APP, R.TIME):
        stream.add(kind)
    parent, storage = opened()
    settle(parent, storage, parent.ingest(b"".join(stream.records)))
    before = PointWatch(parent)
    before.advance(6)
    assert before.newest[Consistency.APP].sequence == 5
    for base, tagged in ((5, 5), (4, 2), (6, 5), (1, None)):
        branch = open_journal(MemoryStorage(), group=GROUP, base=parent.standing_at(base)).journal
        watch = PointWatch(branch)
        watch.inherit(before)
        newest = watch.newest[Consistency.APP]
        assert (newest and newest.sequence) == tagged
        assert watch.newest[Consistency.WRITE].sequence == base
