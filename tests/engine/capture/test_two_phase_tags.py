"""Two-phase tags: inserted, then committed or revoked; without a commit in time, no point."""

import pytest
from engine_harness import Pair
from engine_model import EPOCH, GROUP, INCARNATION, create, opened, pending_app_tag, write
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    Admitted,
    Capture,
    CaptureSettings,
    Change,
    Consistency,
    JournalSettings,
    RecordType,
    RecoveryPoints,
    Refused,
    actions,
    events,
)
from engine.basics.errors import LocalProtocolError, PointRefused

SETTINGS = CaptureSettings()


def pending_crash_tag():
    return Change(RecordType.TAG_CRASH, "", is_pending=True)


def pair_of(**settings):
    capture = Capture(
        group=GROUP,
        epoch=EPOCH,
        incarnation=INCARNATION,
        settings=CaptureSettings(**settings),
    )
    pair = Pair(capture)
    pair.show(create("db/a"))
    return pair


def points(pair):
    return RecoveryPoints(pair.journal)


def test_a_tag_is_a_point_only_once_its_commit_is_durable():
    pair = pair_of()
    tag = pair.show(pending_app_tag("set 1")).sequence
    pair.show(write("db/a", 0, b"after the release"))
    pair.converge()
    assert points(pair).app_points() == []
    assert points(pair).at_sequence(tag).consistency is Consistency.WRITE
    with pytest.raises(PointRefused, match="No application-consistent point"):
        points(pair).latest_app()
    assert isinstance(pair.capture.commit_tag(tag, pair.now_ns), Admitted)
    assert points(pair).app_points() == [], "the commit is in the pool, not in the journal"
    pair.converge()
    point = points(pair).latest_app()
    assert (point.sequence, point.label) == (tag, "set 1")
    assert points(pair).at_sequence(tag) == point
    assert points(pair).at_sequence(tag).consistency is Consistency.APP


def test_a_revoked_tag_is_no_point_whatever_comes_later():
    pair = pair_of()
    tag = pair.show(pending_app_tag("set 1")).sequence
    pair.capture.revoke_tag(tag, pair.now_ns)
    refusal = pair.capture.commit_tag(tag, pair.now_ns)
    assert isinstance(refusal, Refused)
    assert refusal.hint
    pair.converge()
    assert points(pair).app_points() == []


@pytest.mark.parametrize(
    ("change", "timeout_ns"),
    [
        (pending_crash_tag(), SETTINGS.tag_commit_timeout_ns_crash),
        (pending_app_tag("set"), SETTINGS.tag_commit_timeout_ns_app),
    ],
    ids=["crash", "app"],
)
@pytest.mark.parametrize("late_ns", [-1, 0])
def test_the_hard_timeout_decides_to_the_nanosecond(change, timeout_ns, late_ns):
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    tag = capture.admit(change, 1_000).sequence
    answer = capture.commit_tag(tag, 1_000 + timeout_ns + late_ns)
    assert isinstance(answer, Admitted if late_ns else Refused)
    kind = RecordType.TAG_COMMIT if late_ns else RecordType.TAG_REVOKE
    assert capture.entry(capture.newest.sequence).kind == kind
    counts = capture.pending_tags
    assert (counts.committed_count, counts.timed_out_count) == ((1, 0) if late_ns else (0, 1))
    assert not len(counts)


def test_the_session_wakes_up_to_revoke_a_tag_that_nobody_comes_back_for():
    pair = pair_of(tag_commit_timeout_ns_app=7_000, time_interval_ns=1 << 50)
    tag = pair.show(pending_app_tag("set 1")).sequence
    pair.run(lambda pair: pair.is_converged() and not len(pair.capture.pending_tags))
    (row,) = [tag for tag in pair.journal.index.tags if tag.kind == RecordType.TAG_REVOKE]
    assert (row.names, row.source_time_ns) == (tag, 1_000 + 7_000)
    assert points(pair).app_points() == []


def test_a_commit_finds_room_in_a_full_pool_and_overtakes_waiting_writers():
    pair = pair_of(pool_bytes_max=600)
    tag = pair.show(pending_app_tag("set 1")).sequence
    for _ in range(6):
        pair.show(write("db/a", 0, b"x" * 100))
    assert pair.capture.held_count
    assert isinstance(pair.capture.commit_tag(tag, pair.now_ns), Admitted)
    pair.converge()
    assert [point.sequence for point in points(pair).app_points()] == [tag]


def test_an_abandoned_capture_commits_nothing_and_never_wakes():
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    tag = capture.admit(pending_app_tag("set"), 1_000).sequence
    capture.abandon()
    assert isinstance(capture.commit_tag(tag, 1_000), Refused)
    assert capture.time_due_ns() is None
    assert not capture.tick(1 << 60)
    assert capture.newest.sequence == tag


@pytest.mark.parametrize("kind", [RecordType.TAG_COMMIT, RecordType.TAG_REVOKE])
def test_a_second_phase_cannot_be_shown_as_a_change(kind):
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    with pytest.raises(LocalProtocolError):
        capture.admit(Change(kind, "", 1), 1_000)


def test_a_source_that_dies_between_the_phases_leaves_no_point():
    pair = pair_of()
    tag = pair.show(pending_app_tag("set 1")).sequence
    pair.converge()
    journal = opened(pair.storage)
    assert journal.durable.sequence >= tag
    assert RecoveryPoints(journal).app_points() == []
    assert RecoveryPoints(journal).latest().consistency is Consistency.WRITE


@pytest.mark.parametrize("ending", ["commit", "revoke", "nothing"])
def test_in_sealed_segments_and_after_a_restart_a_tag_is_what_it_was(ending):
    settings = JournalSettings(segment_bytes_max=1)
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    pair = Pair(capture, journal_settings=settings)
    pair.show(create("db/a"))
    tag = pair.show(pending_app_tag("set 1")).sequence
    pair.show(write("db/a", 0, b"between"))
    pair.converge()
    if ending != "nothing":
        decide = capture.commit_tag if ending == "commit" else capture.revoke_tag
        assert isinstance(decide(tag, pair.now_ns), Admitted)
    pair.show(write("db/a", 0, b"afterwards"))
    pair.converge()
    expected = [(tag, "set 1")] if ending == "commit" else []
    for journal in (pair.journal, opened(pair.storage, settings)):
        found = RecoveryPoints(journal)
        assert [(point.sequence, point.label) for point in found.app_points()] == expected
        consistency = Consistency.APP if expected else Consistency.WRITE
        assert found.at_sequence(tag).consistency is consistency


@pytest.mark.parametrize("ending", ["commit", "revoke"])
@pytest.mark.parametrize(
    "disturb",
    [
        Pair.crash_source,
        Pair.disconnect,
        Pair.crash_target,
        lambda pair: pair.crash_target(lambda: "lost"),
    ],
    ids=["source crash", "disconnect", "target process crash", "target crash"],
)
def test_after_any_action_a_bookmark_is_what_its_second_phase_made_it(disturb, ending):
    def run(at):
        capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
        pair = Pair(capture, at_step=lambda pair: disturb(pair) if pair.steps == at else None)
        pair.show(create("db/a"))
        tag = pair.show(pending_app_tag("set 1")).sequence
        pair.show(write("db/a", 0, b"released"))
        for _ in range(6):
            pair.step()
        decide = capture.commit_tag if ending == "commit" else capture.revoke_tag
        assert isinstance(decide(tag, pair.now_ns), Admitted)
        pair.converge()
        expected = [tag] if ending == "commit" else []
        assert [point.sequence for point in points(pair).app_points()] == expected
        return pair.steps

    for step in range(1, run(0) + 1):
        run(step)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("tag"), st.booleans()),
            st.tuples(st.sampled_from(["commit", "revoke"]), st.integers(0, 5)),
            st.tuples(st.just("pass"), st.sampled_from([1_000, 60_000_000_000])),
            st.tuples(st.just("crash"), st.just(0)),
        ),
        max_size=15,
    )
)
def test_any_history_of_tags_gives_the_points_of_the_plainest_model(steps):
    pair = pair_of(time_interval_ns=1 << 50)
    inserted, open_until, good = [], {}, []
    for what, detail in steps:
        now_ns = pair.now_ns
        open_until = {tag: end for tag, end in open_until.items() if end > now_ns}
        if what == "tag":
            change = pending_app_tag("t") if detail else pending_crash_tag()
            tag = pair.show(change).sequence
            inserted.append(tag)
            limit = SETTINGS.tag_commit_timeout_ns_app
            open_until[tag] = now_ns + (limit if detail else SETTINGS.tag_commit_timeout_ns_crash)
        elif what == "pass":
            pair.now_ns += detail
        elif what == "crash":
            pair.crash_source()
        elif detail < len(inserted):
            tag = inserted[detail]
            decide = pair.capture.commit_tag if what == "commit" else pair.capture.revoke_tag
            assert isinstance(decide(tag, now_ns), Admitted) == (tag in open_until)
            if open_until.pop(tag, None) and what == "commit":
                good.append(tag)
    pair.tell_source(events.Captured())
    pair.converge()
    found = points(pair).app_points() + points(pair).crash_points()
    assert sorted(point.sequence for point in found) == sorted(good)
    failures = [n for _, n in pair.notices if isinstance(n, actions.SessionFailed)]
    assert not failures
