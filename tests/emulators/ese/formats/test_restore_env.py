"""restore.env: what is written is read, and what is damaged is refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.errors import EseError
from emulators.ese.formats.format import EXCHANGE_2007, FORMATS
from emulators.ese.formats.restore_env import RecoverStatus, RestoredDatabase, RestoreEnv
from emulators.ese.formats.values import LogTime, Signature

TIME = LogTime.from_ns(1_180_000_000_123_000_000)
SIGNATURE = Signature(7, TIME, "")
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
ENV = RestoreEnv(
    "E00",
    "First Storage Group",
    "SG1",
    (RestoredDatabase("MDB1.edb", "MDB1.edb", SIGNATURE),),
    Signature(8, TIME, ""),
    EXCHANGE_2007,
    4,
    9,
    TIME,
)


@settings(deadline=None, max_examples=40)
@given(
    group=NAMES,
    names=st.lists(st.tuples(NAMES, NAMES), max_size=5),
    low=st.integers(1, 0x7FFFFFFF),
    status=st.sampled_from(RecoverStatus),
    file_format=st.sampled_from(FORMATS),
)
def test_what_is_packed_is_unpacked(group, names, low, status, file_format):
    databases = tuple(RestoredDatabase(a, b, Signature(len(a), TIME, "")) for a, b in names)
    env = replace(ENV, group=group, databases=databases, generation_low=low, status=status)
    env = replace(env, file_format=file_format)
    block = env.pack()
    assert len(block) % 512 == 0
    assert RestoreEnv.unpack(block) == env


def test_every_flipped_bit_is_found():
    block = ENV.pack()
    for bit in range(len(block) * 8):
        damaged = bytearray(block)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        with pytest.raises(EseError) as caught:
            RestoreEnv.unpack(bytes(damaged))
        assert caught.value.code == -1003
        assert "restore" in caught.value.hint


@pytest.mark.parametrize("length", [0, 3, 100, 511, 1024])
def test_a_file_of_another_length_is_refused(length):
    block = ENV.pack()
    assert len(block) == 512
    with pytest.raises(EseError, match="-1003"):
        RestoreEnv.unpack((block + bytes(600))[:length])
