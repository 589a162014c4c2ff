"""Retention and gaps: neither an open gap nor a running resync makes a point leave."""

from collections import deque

import pytest
from engine_model import EPOCH, INCARNATION, MemoryStorage, RecordStream, opened, settle
from hypothesis import given, settings
from hypothesis import strategies as st
from retention_model import SMALL, SMALL_LAYERS

from engine import (
    JournalSettings,
    LayerKeeper,
    RecordType,
    RecoveryPoints,
    RetentionKeeper,
    actions,
)
from engine.basics.errors import PointRefused
from engine.formats.control import encode_incarnation

R = RecordType
SEGMENTS = JournalSettings(segment_bytes_max=1)


def keep(journal, storage, now_ns):
    """Let retention work until there is nothing to do; return the kept sequences."""
    keeper = RetentionKeeper(journal, LayerKeeper(journal, SMALL_LAYERS), SMALL)
    while not keeper.is_idle(now_ns):
        queue = deque(keeper.step(now_ns))
        while queue:
            action = queue.popleft()
            if isinstance(action, actions.SyncFile):
                storage.unsynced.pop(action.name, None)
                queue += keeper.sync_done(action.token)
            else:
                storage.carry_out(action)
    assert keeper.failure is None, keeper.failure
    return [point.cursor.sequence for point in journal.manifest.points]


def journal_of(stream):
    storage = MemoryStorage()
    journal = opened(storage, SEGMENTS)
    journal.adopt(EPOCH, INCARNATION)
    settle(journal, storage, journal.ingest(b"".join(stream.records)))
    return journal, storage


def in_order(count, time_ns=1):
    """A stream of writes, every fifth record a tag."""
    stream = RecordStream().add(R.CREATE, b"a", file=1, time_ns=time_ns)
    for n in range(count):
        time_ns += 1
        if n % 5 == 0:
            stream.add(R.TAG_APP if n % 10 else R.TAG_CRASH, b"tag", time_ns=time_ns)
        else:
            stream.add(R.WRITE, bytes([n]), file=1, offset=n, time_ns=time_ns)
    return stream, time_ns


@pytest.mark.parametrize(
    "opening", [(R.GAP_OPEN, b"pool full"), (R.RESYNC_BEGIN, encode_incarnation(5))]
)
def test_in_an_open_gap_however_long_the_last_good_point_and_all_others_stay(opening):
    stream, time_ns = in_order(40)
    last_good = stream.newest.sequence
    stream.add(*opening, time_ns=time_ns + 1)
    journal, storage = journal_of(stream)
    kept = keep(journal, storage, time_ns + 1)
    for passed in range(1, 300, 10):
        late = RecordStream(stream.newest)
        late.add(R.WRITE, b"x", file=1, offset=passed, time_ns=time_ns + passed + 1)
        settle(journal, storage, journal.ingest(late.records[0]))
        stream.newest = late.newest
        assert keep(journal, storage, time_ns + passed + 10**6) == kept
        assert RecoveryPoints(journal).latest().sequence == last_good
    is_resync = opening[0] == R.RESYNC_BEGIN
    closing = RecordStream(stream.newest)
    closing.add(R.RESYNC_END if is_resync else R.GAP_CLOSE, time_ns=time_ns + 400)
    closing.add(R.TIME, time_ns=time_ns + 401)
    for record in closing.records:
        settle(journal, storage, journal.ingest(record))
    after = keep(journal, storage, time_ns + 401)
    gap = journal.index.gap_at(last_good + 1)
    assert gap.closed == closing.newest.sequence - 1
    assert not any(gap.has(sequence) for sequence in after)
    assert RecoveryPoints(journal).latest().sequence == closing.newest.sequence


@st.composite
def streams(draw):
    """Records in which gaps of both kinds come and go; returns them and what lies in a gap."""
    stream = RecordStream().add(R.CREATE, b"a", file=1, time_ns=1)
    time_ns, closing, inside = 1, None, set()
    for n in range(draw(st.integers(5, 40))):
        time_ns += draw(st.sampled_from([0, 1, 4, 15]))
        kind = draw(st.sampled_from([R.WRITE, R.WRITE, R.WRITE, R.TAG_APP, R.GAP_OPEN]))
        body, is_file = bytes([n]), int(kind == R.WRITE)
        if kind == R.GAP_OPEN and closing is not None:
            kind, body, closing = closing, b"", None
        elif kind == R.GAP_OPEN and draw(st.booleans()):
            kind, body, closing = R.RESYNC_BEGIN, encode_incarnation(n + 9), R.RESYNC_END
        elif kind == R.GAP_OPEN:
            closing = R.GAP_CLOSE
        elif kind == R.TAG_APP and closing is not None:
            kind, body = R.TIME, b""
        stream.add(kind, body, file=is_file, offset=n * is_file, time_ns=time_ns)
        if closing is not None:
            inside.add(stream.newest.sequence)
    return stream, inside


@settings(deadline=None, max_examples=60)
@given(streams(), st.booleans())
def test_what_lies_in_a_gap_is_never_kept_nor_offered_and_the_rest_is_refused_rightly(
    drawn, is_reopened
):
    stream, inside = drawn
    journal, storage = journal_of(stream)
    last = journal.durable.sequence
    now_ns = journal.index.source_time_ns(last)
    kept = keep(journal, storage, now_ns)
    assert not inside & set(kept)
    if is_reopened:
        journal = opened(storage, SEGMENTS)
    points, frontier = RecoveryPoints(journal), kept[-1] if kept else 0
    for sequence in range(1, last + 1):
        is_point = sequence in kept or (sequence > frontier and sequence not in inside)
        try:
            assert points.at_sequence(sequence).sequence == sequence
        except PointRefused as refusal:
            is_refused = True
            offered = [refusal.earlier, refusal.later]
            offered = [point.sequence for point in offered if point is not None]
        else:
            is_refused, offered = False, []
        assert is_refused is not is_point
        for other in offered:
            assert other in kept or (other > frontier and other not in inside)
    assert keep(journal, storage, now_ns) == kept
