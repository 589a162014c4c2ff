"""The structural check of databases that Windows wrote: no rule is broken, and damage is noticed.

Pages of 32 KB are laid out in another way and are not checked. What no rule here decides on is
counted as not judged, which the figures show beside what was.
"""

from struct import Struct

import pytest
from windows_samples import SKIP_REASON, samples

from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.catalog import FDP_CATALOG_SHADOW, FDP_DATABASE
from emulators.ese.formats.checksum import page_checksum
from emulators.ese.formats.detection import detect_database
from emulators.ese.formats.page import (
    FLAG_INDEX,
    FLAG_LEAF,
    FLAG_ROOT,
    FLAG_SPACE,
    NODE_DELETED,
    PAGE_SIZES,
    Page,
    page_offset,
)
from emulators.ese.formats.space_header import SPACE_MULTIPLE_EXTENT, SpaceHeader
from emulators.ese.integrity.check import check_database
from emulators.ese.integrity.findings import Rule


def format_of(name):
    return detect_database(MemoryFiles({name: FOUND[name]}), name)


FOUND = samples()
SMALL = sorted(name for name in FOUND if format_of(name).page_bytes in PAGE_SIZES)
pytestmark = pytest.mark.skipif(not FOUND, reason=SKIP_REASON)
EVERY_SMALL_SAMPLE = pytest.mark.parametrize("name", SMALL)
CHECKSUMS = Struct("<II")


def checked(name, contents):
    return check_database(MemoryFiles({name: bytes(contents)}), name, format_of(name))


def page_of(name, pgno):
    start = page_offset(pgno, format_of(name).page_bytes)
    return Page.from_bytes(FOUND[name][start : start + format_of(name).page_bytes], pgno)


def once_on(name, pgno):
    """Return the records of a leaf whose bytes are nowhere else on its page, used or not."""
    page = page_of(name, pgno)
    if not page.flags & FLAG_LEAF or page.flags & FLAG_SPACE:
        return []
    start = page_offset(pgno, format_of(name).page_bytes)
    image = FOUND[name][start : start + format_of(name).page_bytes]
    nodes = zip(page.datas, page.node_flags, strict=True)
    return [data for data, flags in nodes if not flags & NODE_DELETED and image.count(data) == 1]


def changed(name, pgno, old, new):
    """Return the sample with `new` in place of the only `old` on a page, its checksums right."""
    page_bytes = format_of(name).page_bytes
    start = page_offset(pgno, page_bytes)
    contents = bytearray(FOUND[name])
    page = contents[start : start + page_bytes]
    assert page.count(old) == 1
    page = page.replace(old, new)
    page[:8] = CHECKSUMS.pack(*page_checksum(bytes(page), pgno))
    contents[start : start + page_bytes] = page
    return contents


def single_extents(name):
    """Yield page and space header of the roots that have a bitmap in place of space trees."""
    for fdp in checked(name, FOUND[name]).used:
        page = page_of(name, fdp)
        header = SpaceHeader.unpack(page.external)
        assert page.flags & FLAG_ROOT
        if not header.flags & SPACE_MULTIPLE_EXTENT:
            yield fdp, header


@EVERY_SMALL_SAMPLE
def test_a_database_that_windows_wrote_breaks_no_rule(name, figure):
    report = checked(name, FOUND[name])
    assert [str(finding) for finding in report.findings] == []
    assert not report.leaked
    assert FDP_DATABASE in report.used
    rows = sum(table.rows for table in report.tables)
    long_values = sum(table.long_values for table in report.tables)
    pages = sum(map(len, report.used.values()))
    passed = ", ".join(f"{count} {what}" for what, count in report.findings.not_judged.items())
    figure(
        f"{len(report.tables)} tables, {len(report.used)} trees, {pages} pages, {rows} rows,"
        f" {long_values} long values: no violation; not judged: {passed or 'nothing'}"
    )
    assert rows > 10


@EVERY_SMALL_SAMPLE
def test_a_shadow_that_says_something_else_is_noticed(name):
    report = checked(name, FOUND[name])
    pgno, record = next(
        (pgno, record) for pgno in report.used[FDP_CATALOG_SHADOW] for record in once_on(name, pgno)
    )
    damaged = changed(name, pgno, record, record[:-1] + bytes((record[-1] ^ 1,)))
    assert checked(name, damaged).findings.of(Rule.CATALOG_SHADOW)


@EVERY_SMALL_SAMPLE
def test_a_page_that_is_used_and_available_at_once_is_noticed(name):
    found = list(single_extents(name))
    assert found
    for fdp, header in found:
        wrong = header._replace(pgno_owned=header.pgno_owned ^ 1 << header.primary_pages)
        report = checked(name, changed(name, fdp, header.pack(), wrong.pack()))
        assert report.findings.of(Rule.SPACE_HEADER), fdp
        if header.primary_pages > 1:
            wrong = header._replace(pgno_owned=header.pgno_owned ^ 1)
            report = checked(name, changed(name, fdp, header.pack(), wrong.pack()))
            assert report.findings.of(Rule.SPACE) or report.leaked, fdp


@EVERY_SMALL_SAMPLE
def test_an_index_entry_that_leads_to_no_row_is_noticed_whatever_its_key(name, figure):
    damaged = 0
    for fdp, pages in checked(name, FOUND[name]).used.items():
        leaves = pages if page_of(name, fdp).flags & FLAG_INDEX else []
        for pgno, entry in [(pgno, once_on(name, pgno)[-1:]) for pgno in leaves]:
            for old in entry:
                new = bytes((old[0] ^ 0x80,)) + old[1:]
                findings = checked(name, changed(name, pgno, old, new)).findings
                assert findings.of(Rule.INDEX), (fdp, pgno)
                damaged += 1
    figure(f"{damaged} entries damaged, each noticed")
    assert damaged
