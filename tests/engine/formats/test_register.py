"""The register and the record of a promotion: what was written is read, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.basics.cursor import Cursor
from engine.basics.register import Grant, Register
from engine.formats.promotion_state import PromotionRecord, decode_promotion, encode_promotion
from engine.formats.register import decode_register, encode_register

U32, U64 = st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 64) - 1)
EPOCHS = st.lists(st.integers(1, (1 << 32) - 1), unique=True, max_size=5).map(sorted)
RECORDS = st.builds(
    PromotionRecord,
    U32,
    st.integers(1, 6),
    U32,
    st.builds(Cursor, U32, U64, U32),
    U64,
    U64,
    st.none() | U64,
)


@given(EPOCHS, U64, U64)
def test_a_register_is_read_as_it_was_written(epochs, holder, request):
    register = Register(7, tuple(Grant(epoch, holder, request) for epoch in epochs))
    data = encode_register(register)
    assert decode_register(data, 7) == register
    assert not data or decode_register(data, 8) is None


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record):
    assert decode_promotion(encode_promotion(record)) == record


def test_any_damaged_byte_or_length_is_noticed():
    register = encode_register(Register(7, (Grant(1, 2, 3), Grant(4, 5, 6))))
    record = encode_promotion(PromotionRecord(7, 1, 2, Cursor(1, 2, 3), 4, 5, None))
    for data, decode in ((register, lambda d: decode_register(d, 7)), (record, decode_promotion)):
        assert decode(data) is not None
        for at in range(len(data)):
            damaged = bytearray(data)
            damaged[at] ^= 0x10
            assert decode(bytes(damaged)) is None
            assert at == 0 or decode(data[:at]) is None
        assert decode(data + b"\0") is None


def test_epochs_that_do_not_rise_are_no_register():
    data = encode_register(Register(7, (Grant(4, 2, 3), Grant(4, 5, 6))))
    assert decode_register(data, 7) is None
    with pytest.raises(AssertionError):
        Register(7, (Grant(4, 2, 3),)).granting(Grant(4, 5, 6))
