"""The small structures keep their values, and positions keep the order of the stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.ese.formats.values import (
    LOG_TIME_ZERO,
    AttachInfo,
    BackupInfo,
    DbmsParam,
    Lgpos,
    LogTime,
    Signature,
    pack_attachments,
    unpack_attachments,
)

lgposes = st.builds(
    Lgpos, st.integers(0, 0x7FFFFFFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)
)
times_ns = st.integers(0, 4_000_000_000_000).map(lambda ms: ms * 1_000_000)
names = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=16)
signatures = st.builds(Signature, st.integers(0, 0xFFFFFFFF), times_ns.map(LogTime.from_ns), names)


@given(lgposes)
def test_a_position_survives_packing(lgpos):
    assert Lgpos.unpack(lgpos.pack()) == lgpos


@given(lgposes, lgposes)
def test_positions_compare_as_generation_then_sector_then_byte(one, other):
    def as_integer(lgpos):
        return lgpos.generation << 32 | lgpos.sector << 16 | lgpos.byte

    assert (one < other) == (as_integer(one) < as_integer(other))


def test_a_position_prints_in_hexadecimal_as_eseutil_does():
    assert str(Lgpos(0x2A, 0x1C, 0x6F)) == "(0x2A,1C,6F)"


@given(times_ns)
def test_a_time_survives_conversion_and_packing(time_ns):
    time = LogTime.from_ns(time_ns)
    assert time.to_ns() == time_ns
    assert LogTime.unpack(time.pack()) == time


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_a_time_rounds_down_to_a_millisecond(time_ns):
    assert LogTime.from_ns(time_ns).to_ns() == time_ns // 1_000_000 * 1_000_000


def test_a_time_prints_as_month_day_year():
    assert str(LogTime.from_ns(1_180_000_000_000_000_000)) == "05/24/2007 09:46:40"


def test_a_time_that_is_not_set_is_zeros_and_prints_so():
    assert LOG_TIME_ZERO.pack() == bytes(8)
    assert LogTime.unpack(bytes(8)) == LOG_TIME_ZERO
    assert LOG_TIME_ZERO.to_ns() == 0
    assert str(LOG_TIME_ZERO) == "00/00/1900 00:00:00"


@given(signatures)
def test_a_signature_survives_packing(signature):
    assert Signature.unpack(signature.pack()) == signature


@given(lgposes, times_ns, st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_backup_information_survives_packing(lgpos, time_ns, low, high):
    info = BackupInfo(lgpos, LogTime.from_ns(time_ns), low, high)
    assert BackupInfo.unpack(info.pack()) == info


@given(st.lists(st.integers(0, 0xFFFFFFFF), min_size=7, max_size=7), st.integers(0, 255), names)
def test_engine_parameters_survive_packing(numbers, flags, path):
    parameters = DbmsParam(path, path[::-1], flags, *numbers)
    assert DbmsParam.unpack(parameters.pack()) == parameters


@given(st.lists(st.tuples(st.integers(1, 255), names, lgposes, signatures), max_size=8))
def test_attachments_survive_packing_and_end_at_number_zero(entries):
    attachments = tuple(
        AttachInfo(dbid, path, 1, 2, 3, lgpos, lgpos, signature)
        for dbid, path, lgpos, signature in entries
    )
    assert unpack_attachments(pack_attachments(attachments, 2048)) == attachments


def test_too_many_attachments_are_a_programming_error():
    info = AttachInfo(1, "x" * 200, 1, 2, 3, Lgpos(0, 0, 0), Lgpos(0, 0, 0),
                      Signature(0, LOG_TIME_ZERO, ""))  # fmt: skip
    with pytest.raises(AssertionError, match="5 attachments"):
        pack_attachments((info,) * 5, 2048)
