"""What two ends agree on before the first record flows, and how they refuse each other by name."""

import struct

import pytest
from engine_frames import (
    HELLO,
    batch_of,
    capture_of,
    hello_of,
    notices,
    only_failure,
    records,
    sent_frames,
    welcome_at,
)
from engine_harness import SMALL, Pair
from engine_model import EPOCH, MemoryStorage, opened, write
from isal.isal_zlib import crc32

from engine import SourceSession, SourceState, TargetSession, TargetState, actions, events
from engine.basics.cursor import Cursor
from engine.basics.errors import FrameUnexpected, VersionUnsupported
from engine.basics.settings import SessionSettings
from engine.formats.wire import VERSION_NEWEST, Batch, Capability, Welcome
from engine.session.negotiation import Versions, newest_common

ALL = [Versions(a, b) for a in range(1, 5) for b in range(a, 5)]


@pytest.mark.parametrize("offered", ALL)
@pytest.mark.parametrize("spoken", ALL)
def test_the_newest_common_version_is_chosen_or_both_ranges_are_named(offered, spoken):
    both = set(range(offered.oldest, offered.newest + 1)) & set(
        range(spoken.oldest, spoken.newest + 1)
    )
    if both:
        assert newest_common(offered, spoken) == max(both)
    else:
        with pytest.raises(VersionUnsupported) as caught:
            newest_common(offered, spoken)
        assert f"{offered.oldest} to {offered.newest}" in str(caught.value)
        assert f"{spoken.oldest} to {spoken.newest}" in str(caught.value)


def greeted(data, settings=SMALL):
    session = TargetSession(opened(MemoryStorage()), settings)
    session.handle(events.Connected(1), 5_000)
    return session, session.handle(events.BytesReceived(1, data), 5_000)


def test_a_newer_source_that_still_speaks_our_version_is_welcome():
    hello = hello_of(capture_of(), version_newest=VERSION_NEWEST + 7, capabilities=0xFFFF)
    session, given = greeted(hello)
    (welcome,) = sent_frames(given)
    assert (welcome.version, welcome.capabilities) == (VERSION_NEWEST, sum(Capability))
    assert session.state is TargetState.STREAMING


def test_fields_that_a_newer_source_adds_to_its_hello_are_passed_over():
    payload = HELLO[16:] + b"what a later release adds"
    header = struct.pack("<IBBHI", len(payload), 1, 0, 0, crc32(payload))
    longer = header + struct.pack("<I", crc32(header)) + payload
    assert greeted(longer)[0].state is TargetState.STREAMING


@pytest.mark.parametrize("versions", [(VERSION_NEWEST + 1, VERSION_NEWEST + 3), (1, 1)])
def test_a_source_without_a_common_version_is_refused_in_words_it_can_read(versions):
    oldest, newest = versions
    session, given = greeted(hello_of(capture_of(), version_oldest=oldest, version_newest=newest))
    assert session.state is TargetState.LISTENING
    assert session.journal.incarnation is None
    source = SourceSession(capture_of(), SMALL)
    source.handle(events.Started(), 5_000)
    source.handle(events.Connected(1), 5_000)
    (refusal,) = [action.data for action in given if isinstance(action, actions.SendBytes)]
    source.handle(events.BytesReceived(1, refusal), 5_000)
    assert isinstance(source.fatal_error, VersionUnsupported)
    assert f"{oldest} to {newest}" in source.fatal_error.message
    assert source.state is SourceState.HALTED


def test_a_kind_of_source_that_this_release_does_not_know_is_not_taken_for_another():
    session, given = greeted(hello_of(capture_of(), flags=1 << 20))
    assert isinstance(only_failure(given).error, VersionUnsupported)
    assert session.journal.incarnation is None


def test_a_source_of_the_first_protocol_is_refused_by_name():
    payload = struct.pack("<IIQQQI", 7, 3, 0xC0FFEE, 1, 6, 0)
    header = struct.pack("<IBBHI", len(payload), 1, 0, 1, crc32(payload))
    session, given = greeted(header + struct.pack("<I", crc32(header)) + payload)
    error = only_failure(given).error
    assert isinstance(error, VersionUnsupported)
    assert "version 1 only" in error.message
    assert session.journal.incarnation is None


def waiting_source(settings=SMALL):
    session = SourceSession(capture_of(), settings)
    session.handle(events.Started(), 5_000)
    session.handle(events.Connected(1), 5_000)
    return session


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"version": VERSION_NEWEST + 1}, VersionUnsupported),
        ({"version": 1}, VersionUnsupported),
        ({"capabilities": 4}, FrameUnexpected),
        ({"flags": 1}, FrameUnexpected),
    ],
)
def test_a_target_that_chooses_what_was_not_offered_is_refused(fields, error):
    given = waiting_source().handle(
        events.BytesReceived(1, welcome_at(Cursor(EPOCH, 0, 0), **fields)), 5_000
    )
    assert type(only_failure(given).error) is error
    assert not notices(given, actions.Established)


PLAIN = {"batch_compression_level": None, "batch_linger_ns": 0}


@pytest.mark.parametrize(("source_level", "target_level"), [(1, 1), (1, None), (None, 1)])
def test_batches_are_compressed_where_both_ends_can_and_only_there(source_level, target_level):
    seen = []

    def note(pair):
        seen.extend(sent_frames([pair.source_actions[0]] if pair.source_actions else []))

    pair = Pair(capture_of(), at_step=note)
    for session, level in ((pair.source, source_level), (pair.target, target_level)):
        session.settings = SessionSettings(batch_compression_level=level)
    for number in range(60):
        pair.show(write("db/a", number, b"mail " * 10))
    pair.converge()
    (mode,) = {frame.is_compressed for frame in seen if isinstance(frame, Batch)}
    assert mode == (source_level is not None and target_level is not None)
    assert pair.journal.durable.sequence >= 60


def test_a_compressed_batch_that_was_not_agreed_on_is_refused():
    session, given = greeted(HELLO, SessionSettings(**PLAIN))
    (welcome,) = sent_frames(given)
    assert isinstance(welcome, Welcome)
    assert welcome.capabilities == 0
    capture = capture_of(text=b"long and long and long " * 9)
    data = batch_of(1, records(capture, 1, 6), level=1)
    given = session.handle(events.BytesReceived(1, data), 5_000)
    assert isinstance(only_failure(given).error, FrameUnexpected)
    assert session.journal.received.sequence == 0


def test_a_frame_of_another_version_than_the_agreed_one_is_refused():
    session, _ = greeted(HELLO)
    data = batch_of(1, records(capture_of(), 1, 6), version=VERSION_NEWEST + 1)
    given = session.handle(events.BytesReceived(1, data), 5_000)
    assert isinstance(only_failure(given).error, VersionUnsupported)
    assert session.journal.received.sequence == 0
