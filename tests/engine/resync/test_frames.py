"""The frames of a resync: their bytes, and what happens to those that nobody asked for."""

from dataclasses import replace
from random import Random

import pytest
from engine_frames import only_failure
from engine_model import EPOCH, GROUP, create, write
from engine_points import check_live
from engine_resync import AUTOMATIC, first_copy, session_settings, stop_host

from engine import Capture, SourceState, TargetState, events
from engine.basics.errors import EpochFenced, FrameDamaged, FrameUnexpected, ResyncRequired
from engine.basics.settings import SECOND_NS, DailyHours
from engine.formats.frame_parser import FrameParser
from engine.formats.standings import FileEntry, Standing
from engine.formats.wire import (
    VERSION_NEWEST,
    FrameType,
    HashAsk,
    ResyncAsk,
    ResyncHashes,
    ResyncStanding,
    Stamp,
    encode_frame,
    encode_resync_ask,
    encode_resync_hashes,
    encode_resync_standing,
)
from engine.resync.hashes import HASH_BYTES, hash_of_extent, hashes_of_blocks
from engine.resync.image_hashes import ImageHashes

LATE = DailyHours(127, 23 * 3600 * SECOND_NS, 24 * 3600 * SECOND_NS)
STAMP = Stamp(1, -2, 3, 4)
FILES = (FileEntry(3, "db/a", 70_000), FileEntry(9, "logs/ä", 0))
STANDING = Standing(first_copy({}).journal.durable, 77, 5, 4, is_resync=True, files=FILES)
ASK = ResyncAsk(STAMP, HashAsk(3, 4_096, 1 << 20, False, 1 << 20, 123_456, 42))
HASHES = ResyncHashes(STAMP, 3, True, 1 << 20, 43, bytes(range(160)))
FRAMES = [
    (ResyncStanding(STAMP, STANDING), encode_resync_standing),
    (ASK, encode_resync_ask),
    (HASHES, encode_resync_hashes),
]


@pytest.mark.parametrize(("frame", "encode"), FRAMES)
def test_a_frame_comes_back_as_it_was_whole_and_byte_by_byte(frame, encode):
    data = encode(frame, VERSION_NEWEST)
    whole, bytewise = FrameParser(1 << 20), FrameParser(1 << 20)
    whole.receive(data)
    assert whole.next_frame() == frame
    for byte in data[:-1]:
        bytewise.receive(bytes([byte]))
        assert bytewise.next_frame() is None
    bytewise.receive(data[-1:])
    assert bytewise.next_frame() == frame


@pytest.mark.parametrize(
    "kind", [FrameType.RESYNC_STANDING, FrameType.RESYNC_ASK, FrameType.RESYNC_HASHES]
)
@pytest.mark.parametrize("length", [0, 7, 33, 90])
def test_a_frame_of_the_wrong_shape_is_damaged_not_an_accident(kind, length):
    parser = FrameParser(1 << 20)
    parser.receive(encode_frame(kind, VERSION_NEWEST, b"\xfe" * length))
    try:
        frame = parser.next_frame()
    except FrameDamaged:
        return
    assert isinstance(frame, ResyncHashes)
    assert length == 90, "longer than its head: the rest are hashes"


@pytest.mark.parametrize("block_bytes", [4_096, 16_384])
@pytest.mark.parametrize("length", [0, 1, 4_096, 70_000])
def test_zeros_have_one_hash_however_they_are_told(length, block_bytes):
    runs = (length,) if length else ()
    plain = (bytes(length),)
    mixed = (bytes(length // 3), length - length // 3)
    assert hashes_of_blocks(runs, block_bytes) == hashes_of_blocks(plain, block_bytes)
    assert hashes_of_blocks(mixed, block_bytes) == hashes_of_blocks(plain, block_bytes)
    assert bool(hash_of_extent(hashes_of_blocks(runs, block_bytes))) == bool(length)


def comparing():
    pair = first_copy({"db/a": Random(1).randbytes(200_000)})
    pair.run(lambda pair: pair.capture.is_comparing and bool(pair.reads))
    return pair


def tell_source(pair, frame, encode):
    data = encode(frame, VERSION_NEWEST)
    pair.tell_source(events.BytesReceived(pair.source_number, data))
    return pair.source.state


@pytest.mark.parametrize(
    "change",
    [
        {"file": 77},
        {"offset": 16_384},
        {"sequence": 0},
        {"is_detailed": True},
        {"hashes": bytes(15)},
        {"hashes": bytes(17 * HASH_BYTES)},
    ],
)
def test_an_answer_that_is_not_to_the_question_ends_the_connection_and_harms_nothing(change):
    pair = comparing()
    ask = pair.source.resync.comparison._asked[0]
    right = ResyncHashes(Stamp(), ask.file, ask.is_detailed, ask.offset, ask.sequence, bytes(16))
    assert tell_source(pair, right._replace(**change), encode_resync_hashes) is (
        SourceState.BACKING_OFF
    )
    assert isinstance(only_failure(pair.source_actions).error, FrameUnexpected)
    pair.converge()
    check_live(pair)


def test_a_standing_that_nobody_asked_for_ends_the_connection():
    pair = comparing()
    state = tell_source(pair, ResyncStanding(Stamp(), STANDING), encode_resync_standing)
    assert state is SourceState.BACKING_OFF
    pair.converge()
    check_live(pair)


@pytest.mark.parametrize("change", [{"sequence": 1}, {"chain": 5}, {"epoch": EPOCH + 1}])
def test_a_standing_at_another_place_than_the_end_is_not_gone_on_from(change):
    pair = first_copy({"db/a": b"A" * 9_000})
    pair.converge()
    pair.settings = session_settings(replace(AUTOMATIC, policy="hours", hours=(LATE,)))
    stop_host(pair)
    pair.run(lambda pair: pair.source.resync._standing is not None)
    pair.source.resync._standing = None
    standing = pair.journal.standing_at(pair.journal.durable.sequence)
    wrong = standing._replace(cursor=standing.cursor._replace(**change))
    state = tell_source(pair, ResyncStanding(Stamp(), wrong), encode_resync_standing)
    assert state is SourceState.BACKING_OFF
    assert "its history ends" in only_failure(pair.source_actions).error.message
    pair.tell_source(events.ResyncOrdered())
    pair.converge()
    check_live(pair)


@pytest.mark.parametrize(
    "change",
    [
        {"block_bytes": 0},
        {"block_bytes": 512},
        {"extent_bytes": 4_097},
        {"extent_bytes": 1 << 30},
        {"offset": 5},
        {"length": 0},
        {"length": 1 << 40},
        {"sequence": 1 << 40},
        {"is_detailed": True, "length": 2 << 20},
    ],
)
def test_an_ask_that_makes_no_sense_is_refused_before_anything_is_read(change):
    pair = first_copy({"db/a": b"A" * 9_000})
    pair.converge()
    hashes = ImageHashes(pair.journal)
    good = ASK.ask._replace(sequence=1)
    hashes.answer(good)
    with pytest.raises(FrameUnexpected):
        hashes.answer(good._replace(**change))


def test_an_unbased_source_of_an_older_epoch_is_fenced():
    pair = first_copy({"db/a": b"A"})
    pair.converge()
    pair.capture = Capture.unbased(group=GROUP, epoch=EPOCH - 1, incarnation=99, files={})
    pair.crash_source()
    pair.run(lambda pair: pair.source.fatal_error is not None)
    assert isinstance(pair.source.fatal_error, EpochFenced)
    assert pair.journal.incarnation == 1


def test_the_capture_from_before_the_host_stopped_cannot_come_back():
    pair = first_copy({"db/a": b"A" * 9_000})
    pair.converge()
    old = pair.capture
    stop_host(pair)
    pair.converge()
    pair.show(write("db/a", 0, b"new"))
    pair.converge()
    newest = pair.journal.durable
    pair.capture, pair.acknowledged_ever = old, old.acknowledged
    pair.check = lambda: None
    pair.crash_source()
    pair.run(lambda pair: pair.source.fatal_error is not None)
    assert isinstance(pair.source.fatal_error, ResyncRequired)
    assert pair.journal.durable == newest
    assert pair.target.state is TargetState.LISTENING


def test_files_made_during_the_comparison_are_not_compared_they_are_in_the_stream():
    pair = comparing()
    pair.show(create("db/new"))
    pair.show(write("db/new", 0, b"N" * 50_000))
    pair.converge()
    assert pair.source.resync.comparison.figures.compared_bytes == 200_000
    check_live(pair)
