"""Headers, checksums and pages of databases that Windows wrote, with pages of 4 and 32 KB."""

import pytest
from windows_samples import SKIP_REASON, samples

from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.checksum import FLAG_NEW_CHECKSUM
from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.detection import detect_database
from emulators.ese.formats.format import FORMATS
from emulators.ese.formats.page import PAGE_SIZES, Page, page_offset
from emulators.ese.formats.page_verification import verify_pages
from emulators.ese.tools.checksum_mode import check_database
from emulators.ese.tools.eseutil import file_dump

FOUND = samples()
pytestmark = pytest.mark.skipif(not FOUND, reason=SKIP_REASON)
EVERY_SAMPLE = pytest.mark.parametrize("name", sorted(FOUND))
OWNED_EXTENTS_PGNO = 2


def opened(name):
    files = MemoryFiles({name: FOUND[name]})
    return files, read_header(files, name, detect_database(files, name))


def page_of(name, pgno, page_bytes):
    start = page_offset(pgno, page_bytes)
    return FOUND[name][start : start + page_bytes]


def last_owned(name, page_bytes):
    """The last page that the database owns; a file may be longer, with anything behind it."""
    if page_bytes not in PAGE_SIZES:
        return len(FOUND[name]) // page_bytes
    extents = Page.from_bytes(page_of(name, OWNED_EXTENTS_PGNO, page_bytes), OWNED_EXTENTS_PGNO)
    return max(int.from_bytes(key, "big") for key in extents.keys)


def test_the_samples_have_small_pages_and_large_ones_of_four_blocks():
    sizes = {opened(name)[1].page_bytes for name in FOUND}
    assert {4096, 32768} <= sizes


@EVERY_SAMPLE
def test_the_header_is_shown_and_written_again_byte_for_byte(name):
    files, header = opened(name)
    assert header.file_format not in FORMATS
    assert header.pack() == files.read(name, 0, header.page_bytes)
    text, error = file_dump("/mh", files, name)
    assert error is None
    assert f"cbDbPage: {header.page_bytes}\n" in text
    assert "State: Clean Shutdown\n" in text or "State: Dirty Shutdown\n" in text


@EVERY_SAMPLE
def test_no_page_that_the_database_owns_has_a_wrong_checksum(name, figure):
    files, header = opened(name)
    page_bytes = header.page_bytes
    summary = check_database(files, name, header.file_format)
    assert summary.pages == len(FOUND[name]) // page_bytes
    assert summary.correctable == summary.wrong_number == 0
    if summary.damaged:
        assert summary.first_bad_pgno > last_owned(name, page_bytes)
    _, error = file_dump("/k", files, name)
    assert (error is None) == (summary.damaged == 0)
    figure(
        f"{summary.pages} pages of {page_bytes} bytes, {summary.uninitialized} never written,"
        f" {summary.damaged} bad behind the last that the database owns"
    )


@EVERY_SAMPLE
def test_a_bit_flipped_anywhere_in_a_page_is_noticed_and_known(name):
    page_bytes = opened(name)[1].page_bytes
    page = page_of(name, 4, page_bytes)
    assert not len(verify_pages(page, 4, page_bytes).bad)
    for byte in range(64, page_bytes, page_bytes // 64):
        damaged = bytearray(page)
        damaged[byte] ^= 1 << byte % 8
        check = verify_pages(bytes(damaged), 4, page_bytes)
        assert (check.bad.tolist(), check.correctable.tolist()) == ([0], [0])
    check = verify_pages(page, 5, page_bytes)
    assert (check.bad.tolist(), check.wrong_number.tolist()) == ([0], [0])


@EVERY_SAMPLE
def test_every_small_page_keeps_the_rules_of_annex_d(name, figure):
    page_bytes = opened(name)[1].page_bytes
    if page_bytes not in PAGE_SIZES:
        pytest.skip("pages of more than 8 KB are laid out in another way")
    last = last_owned(name, page_bytes)
    written = [pgno for pgno in range(1, last + 1) if any(page_of(name, pgno, page_bytes))]
    for pgno in written:
        page = Page.from_bytes(page_of(name, pgno, page_bytes), pgno, name)
        assert page.flags & FLAG_NEW_CHECKSUM
    figure(f"{len(written)} pages")
    assert len(written) > 20
