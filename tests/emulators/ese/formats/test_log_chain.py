"""Checksum records proved many at a time, against each of them proved alone."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.formats import log_chain
from emulators.ese.formats.log_chain import ProvedChain, prove_chain
from emulators.ese.formats.log_checksum import CHECKSUM_RECORD_BYTES, RangeXor, Verdict, prove
from emulators.ese.formats.log_file import fill_pattern
from emulators.ese.formats.log_stream import STREAM_OFFSET, LogFrame
from emulators.ese.formats.log_types import RecordType, list_records, measure

GENERATION = 0x2A
FILE_BYTES = 128 * 1024
SECTOR = 512


def record_of(size, fill):
    body = random.Random(fill).randbytes(size - 5)
    return bytes((RecordType.FORCE_LOG_ROLLOVER, 1, 0)) + len(body).to_bytes(2, "little") + body


def log_of(sizes):
    """A log whose records were flushed one by one."""
    frame = LogFrame(GENERATION, FILE_BYTES)
    image = bytearray(fill_pattern(FILE_BYTES))
    for number, size in enumerate(sizes):
        if frame.room(size):
            frame.append(record_of(size, number))
            offset, data = frame.flush()
            image[offset : offset + len(data)] = data
    return bytes(image)


def proved_alone(buffer, generation):
    """Return the same as `prove_chain`, and the places of all checksum records that were met."""
    at, proved, places = STREAM_OFFSET, None, []
    ranges = RangeXor(buffer)
    while True:
        places.append(at)
        proof = prove(buffer, at, generation, ranges)
        record = proof.record
        if proof.verdict is not Verdict.WHOLE or not proof.intact or not record.next:
            return proved, places
        after = at + CHECKSUM_RECORD_BYTES
        end, following = after + record.forwards, after + record.next
        if end % SECTOR or following - following % SECTOR != end:
            return proved, places
        proved, at = ProvedChain(at, end, following), following


@pytest.fixture(autouse=True, scope="module")
def short_chains_too():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_chain, "WORTHWHILE", 1)
        yield


def check(buffer, generation=GENERATION):
    alone, _ = proved_alone(buffer, generation)
    assert prove_chain(buffer, STREAM_OFFSET, generation, RangeXor(buffer)) == alone


SIZES = st.lists(st.sampled_from((20, 200, 467, 468, 489, 490, 491, 700)), max_size=60)
LOG = log_of([size for number in range(60) for size in (200, 468, 490 - number, 900, 300)])
PLACES = proved_alone(LOG, GENERATION)[1]


@settings(deadline=None, max_examples=60)
@given(SIZES, st.integers(0, 5000))
def test_a_chain_is_proved_as_far_as_its_records_are_one_by_one(sizes, cut):
    log = log_of(sizes)
    check(log)
    check(log[: len(log) - cut])


def test_the_log_of_these_tests_is_a_long_chain():
    assert len(PLACES) > 100
    check(LOG)
    check(LOG, GENERATION + 1)
    check(LOG[: STREAM_OFFSET + 5])
    check(LOG[:STREAM_OFFSET])


def test_any_bit_of_a_checksum_record_ends_the_chain_where_it_does_alone():
    for at in (PLACES[0], PLACES[1], PLACES[60], PLACES[-2], PLACES[-1]):
        for bit in range(CHECKSUM_RECORD_BYTES * 8):
            damaged = bytearray(LOG)
            damaged[at + bit // 8] ^= 1 << bit % 8
            check(bytes(damaged))


@settings(deadline=None, max_examples=300)
@given(st.integers(STREAM_OFFSET, PLACES[-1] + SECTOR), st.binary(min_size=1, max_size=40))
def test_damage_anywhere_ends_the_chain_where_it_does_alone(at, garbage):
    check(LOG[:at] + garbage + LOG[at + len(garbage) :])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([*map(int, RecordType), 99])), st.randoms(use_true_random=False))
def test_records_are_listed_with_the_sizes_that_they_have_alone(kinds, choice):
    buffer = b"".join(
        bytes((kind, *(choice.choice((0, 0, 0, 0, 4)) for _ in range(90)))) for kind in kinds
    )
    begins, ends, stop = list_records(buffer, 0, len(buffer))
    offset = 0
    for begin, end in zip(begins, ends, strict=True):
        while offset < begin:
            assert buffer[offset] in (RecordType.CHECKSUM, RecordType.NOP)
            offset += measure(buffer, offset)
        assert (begin, begin + measure(buffer, begin)) == (offset, end)
        offset = end
    while offset < stop:
        offset += measure(buffer, offset)
    assert offset == stop
    assert stop == len(buffer) or not measure(buffer, stop)
