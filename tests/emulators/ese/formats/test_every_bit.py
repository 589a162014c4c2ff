"""Every single flipped bit of a page, a header and a checkpoint is found (ese-format.md C)."""

import pytest

from emulators.ese.errors import EseError
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import EXCHANGE_2007, FORMATS
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.page import FLAG_LEAF, Page
from emulators.ese.formats.values import Lgpos, LogTime, Signature

NOW = LogTime.from_ns(1_180_951_200 * 10**9)
SIGNATURE = Signature(0x1234, NOW, "")


def code_of(read, *arguments):
    try:
        read(*arguments)
    except EseError as error:
        return error.code
    return 0


def codes_of_flips(block, read, *, every=1):
    """Flip each bit alone and return the codes that reading then gave."""
    seen = set()
    damaged = bytearray(block)
    for bit in range(0, 8 * len(block), every):
        damaged[bit >> 3] ^= 1 << (bit & 7)
        seen.add(code_of(read, bytes(damaged)))
        damaged[bit >> 3] ^= 1 << (bit & 7)
    assert code_of(read, bytes(damaged)) == 0
    return seen


def full_page(file_format):
    page = Page(77, 5, FLAG_LEAF, dbtime=1234, page_bytes=file_format.page_bytes)
    for number in range(file_format.page_bytes // 100):
        page.insert(len(page), b"key%06d" % number, bytes(range(number, number + 70)))
    return page.to_bytes()


@pytest.mark.parametrize("file_format", FORMATS, ids=lambda found: found.name)
def test_every_flipped_bit_of_a_page_is_found(file_format):
    def read(image):
        Page.from_bytes(image, 77)

    assert codes_of_flips(full_page(file_format), read, every=3) == {-1018}


def test_every_flipped_bit_of_a_database_header_is_found():
    header = DatabaseHeader(EXCHANGE_2007, SIGNATURE, SIGNATURE, state=DatabaseState.DIRTY_SHUTDOWN)
    found = codes_of_flips(header.pack(), DatabaseHeader.unpack)
    assert 0 not in found
    assert found <= {-1018, -1206}


def test_every_flipped_bit_of_a_log_header_is_found():
    header = LogHeader(7, NOW, NOW, SIGNATURE)
    assert codes_of_flips(header.pack(), LogHeader.unpack) == {-501}


def test_every_flipped_bit_of_a_checkpoint_is_found_in_both_copies_and_mended_in_one():
    image = Checkpoint(Lgpos(3, 9, 22), SIGNATURE).pack()
    half = len(image) // 2

    def both(block):
        Checkpoint.unpack(block + block)

    def first(block):
        assert Checkpoint.unpack(block + image[half:]) == Checkpoint.unpack(image)

    assert codes_of_flips(image[:half], both) == {-533}
    assert codes_of_flips(image[:half], first, every=5) == {0}
