"""The capture: one order, one clock that never runs back, a pool that pushes back."""

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    app_tag,
    crash_tag,
    create,
    delete,
    flush,
    rename,
    truncate,
    write,
)
from hypothesis import given
from hypothesis import strategies as st

from engine import Admitted, Capture, CaptureSettings, Change, Cursor, RecordType, Refused, Waiting
from engine.basics.errors import (
    ChainMismatch,
    CursorNeverSent,
    CursorRegressed,
    EpochFenced,
    FileAlreadyExists,
    FileUnknown,
    JournalRegressed,
    LocalProtocolError,
    PayloadTooLarge,
)
from engine.formats.bodies import decode_body
from engine.formats.records import HEADER_BYTES, RAW_BYTES_MAX, chain_after, scan_record


def capture_of(pool_bytes_max=1 << 20, time_interval_ns=1_000):
    return Capture(
        group=GROUP,
        epoch=EPOCH,
        incarnation=INCARNATION,
        settings=CaptureSettings(pool_bytes_max=pool_bytes_max, time_interval_ns=time_interval_ns),
    )


def record_of(capture, sequence):
    data = capture.entry(sequence).record
    record = scan_record(memoryview(data), 0)
    assert record.end == len(data)
    return record.header, data


def cursor_at(capture, sequence):
    return Cursor(EPOCH, sequence, capture.entry(sequence).chain)


def test_all_kinds_of_changes_become_records_of_one_sequence():
    capture = capture_of()
    changes = [
        create("db/a"),
        create("logs/b"),
        write("db/a", 8_192, b"page"),
        truncate("logs/b", 1 << 20),
        rename("logs/b", "logs/c"),
        flush("logs/c"),
        crash_tag(),
        app_tag("bookmark"),
        delete("db/a"),
    ]
    for number, change in enumerate(changes, 1):
        assert capture.admit(change, number * 10) == Admitted(number)
    files = [1, 2, 1, 2, 2, 2, 0, 0, 1]
    bodies = [b"db/a", b"logs/b", b"page", b"", b"logs/c", b"", b"", b"bookmark", b""]
    chain = 0
    for number, (change, file, body) in enumerate(zip(changes, files, bodies, strict=True), 1):
        header, data = record_of(capture, number)
        assert (header.type, header.sequence, header.file) == (change.kind, number, file)
        assert (header.group, header.epoch, header.offset) == (GROUP, EPOCH, change.offset)
        assert header.source_time_ns == number * 10
        stored = data[HEADER_BYTES : HEADER_BYTES + header.stored_length]
        assert b"".join(decode_body(header, stored)) == body
        chain = chain_after(memoryview(data), 0, chain)
        assert header.chain == chain


def test_a_file_id_is_never_used_again():
    capture = capture_of()
    for _ in range(3):
        capture.admit(create("db/a"), 0)
        capture.admit(delete("db/a"), 0)
    assert [record_of(capture, n)[0].file for n in range(1, 7)] == [1, 1, 2, 2, 3, 3]


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(-500, 500)), min_size=1))
def test_source_times_never_run_backward_whatever_the_clocks_do(moments):
    capture, newest = capture_of(), 0
    capture.admit(create("db/a"), 0)
    for number, (now_ns, offset_ns) in enumerate(moments, 2):
        capture.clock_offset_ns = offset_ns
        capture.admit(write("db/a", 0, b"x"), now_ns)
        newest = max(newest, now_ns + offset_ns)
        assert record_of(capture, number)[0].source_time_ns == newest


def test_a_full_pool_makes_writers_wait_and_an_acknowledgement_lets_them_in_in_order():
    capture = capture_of(pool_bytes_max=3 * HEADER_BYTES + 4)
    capture.admit(create("db/a"), 0)
    assert capture.admit(write("db/a", 0, b""), 0) == Admitted(2)
    assert capture.admit(write("db/a", 0, b"x" * 60), 0) == Waiting(1)
    assert capture.admit(write("db/a", 0, b""), 0) == Waiting(2), "though it would fit"
    assert capture.newest.sequence == 2
    capture.acknowledge(cursor_at(capture, 1), 5)
    assert capture.has_released
    assert capture.take_released() == (1,)
    assert capture.take_released() == ()
    assert record_of(capture, 3)[0].source_time_ns == 5
    capture.acknowledge(cursor_at(capture, 2), 6)
    assert capture.take_released() == (2,)
    assert capture.newest.sequence == 4


def test_a_write_larger_than_the_whole_pool_passes_alone():
    capture = capture_of(pool_bytes_max=100)
    capture.admit(create("db/a"), 0)
    assert isinstance(capture.admit(write("db/a", 0, 5_000), 0), Waiting)
    capture.acknowledge(cursor_at(capture, 1), 0)
    assert capture.take_released() == (1,)
    assert capture.pool_bytes == 5_000 + HEADER_BYTES


def test_a_waiting_change_already_counts_for_the_names_of_those_after_it():
    capture = capture_of(pool_bytes_max=1)
    capture.admit(create("db/a"), 0)
    assert isinstance(capture.admit(rename("db/a", "db/b"), 0), Waiting)
    assert isinstance(capture.admit(write("db/b", 0, b"x"), 0), Waiting)
    with pytest.raises(FileUnknown):
        capture.admit(write("db/a", 0, b"x"), 0)


@pytest.mark.parametrize("tag", [app_tag("x"), crash_tag("x")])
def test_a_tag_is_refused_while_writers_wait(tag):
    capture = capture_of(pool_bytes_max=1)
    capture.admit(create("db/a"), 0)
    capture.admit(write("db/a", 0, b"x"), 0)
    answer = capture.admit(tag, 0)
    assert isinstance(answer, Refused)
    assert "pool" in answer.reason
    assert answer.hint


def test_an_idle_group_gets_one_time_record_and_no_second_before_it_is_acknowledged():
    capture = capture_of(time_interval_ns=100)
    capture.admit(create("db/a"), 50)
    assert capture.time_due_ns() == 150
    assert not capture.tick(149)
    assert capture.tick(150)
    assert record_of(capture, 2)[0].type == RecordType.TIME
    assert capture.time_due_ns() is None
    assert not capture.tick(10_000)
    capture.acknowledge(cursor_at(capture, 2), 0)
    assert capture.tick(10_000)
    assert record_of(capture, 3)[0].source_time_ns == 10_000


def test_a_full_pool_gets_no_time_record():
    capture = capture_of(pool_bytes_max=HEADER_BYTES + 10)
    capture.admit(create("db/a"), 0)
    assert capture.time_due_ns() is None
    assert not capture.tick(1 << 40)


def test_an_abandoned_capture_lets_every_writer_go_and_takes_nothing_more():
    capture = capture_of(pool_bytes_max=1)
    capture.admit(create("db/a"), 0)
    capture.admit(write("db/a", 0, b"x"), 0)
    capture.abandon()
    assert capture.take_released() == (1,)
    assert isinstance(capture.admit(write("db/a", 0, b"x"), 0), Refused)
    assert not capture.tick(1 << 40)
    assert capture.newest.sequence == 1
    assert capture.acknowledge(cursor_at(capture, 1), 0) == HEADER_BYTES + 4


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (write("db/none", 0, b"x"), FileUnknown),
        (rename("db/none", "db/x"), FileUnknown),
        (delete("db/none"), FileUnknown),
        (flush("db/none"), FileUnknown),
        (create("db/a"), FileAlreadyExists),
        (rename("db/a", "db/b"), FileAlreadyExists),
        (rename("db/a", "db/a"), FileAlreadyExists),
        (write("db/a", 0, RAW_BYTES_MAX + 1), PayloadTooLarge),
        (Change(RecordType.TIME, ""), LocalProtocolError),
    ],
)
def test_an_impossible_change_gives_its_named_error_and_leaves_the_stream_alone(change, error):
    capture = capture_of()
    capture.admit(create("db/a"), 0)
    capture.admit(create("db/b"), 0)
    before = (capture.newest, capture.pool_bytes)
    with pytest.raises(error) as caught:
        capture.admit(change, 0)
    assert type(caught.value) is error
    assert caught.value.hint
    assert (capture.newest, capture.pool_bytes) == before
    assert isinstance(capture.admit(write("db/a", 0, b"x"), 0), Admitted)


@pytest.mark.parametrize(
    ("change_cursor", "error"),
    [
        (lambda cursor: cursor._replace(epoch=EPOCH + 1), EpochFenced),
        (lambda cursor: cursor._replace(sequence=99), CursorNeverSent),
        (lambda cursor: cursor._replace(sequence=1), CursorRegressed),
        (lambda cursor: cursor._replace(chain=cursor.chain ^ 1), ChainMismatch),
    ],
)
def test_a_wrong_cursor_frees_nothing(change_cursor, error):
    capture = capture_of()
    capture.admit(create("db/a"), 0)
    for n in range(5):
        capture.admit(write("db/a", n, b"x"), 0)
    capture.acknowledge(cursor_at(capture, 2), 0)
    before = capture.pool_bytes
    for cursor in (cursor_at(capture, 4), capture.acknowledged):
        with pytest.raises(error):
            capture.acknowledge(change_cursor(cursor), 0)
    assert capture.pool_bytes == before
    assert capture.acknowledged.sequence == 2


def test_a_welcome_below_what_was_acknowledged_is_a_regressed_journal():
    capture = capture_of()
    capture.admit(create("db/a"), 0)
    first = cursor_at(capture, 1)
    capture.admit(delete("db/a"), 0)
    capture.acknowledge(cursor_at(capture, 2), 0)
    with pytest.raises(JournalRegressed, match="had acknowledged 2"):
        capture.check_welcome(first)
