from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.exchange.mail_headers import address_of, decoded
from emulators.exchange.mbox import MboxError, read_mbox, scan_mbox
from emulators.exchange.mbox_date import InvalidDate, separator_time_ns

FIRST = b"From ann at corp.example  Fri Jun  1 00:04:24 2007\n"
SECOND = b"From bob@corp.example Fri Jun  1 00:15:46 2007\n"
HEADERS = (
    b"From: ann at corp.example (Ann Example)\n"
    b"Subject: [R] A question\n"
    b"Message-ID: <1@corp.example>\n"
)
ARCHIVE = (
    FIRST
    + HEADERS
    + b"\nHello,\n\nFrom here on it is text.\n\n>From there too.\n\n\n"
    + SECOND
    + b"Subject: Re: A question\n\nYes.\n\n"
)


def scan(data):
    return list(scan_mbox(BytesIO(data), "test.mbox"))


def refused(data):
    with pytest.raises(MboxError) as caught:
        scan(data)
    return caught.value


def scan_or_refuse(data):
    try:
        return scan(data), None
    except MboxError as error:
        return None, error.line


def rebuilt(mails):
    return b"".join(mail.separator + mail.raw for mail in mails)


def test_an_archive_is_cut_at_its_separators_and_nowhere_else():
    mails = scan(ARCHIVE)
    assert [mail.line for mail in mails] == [1, 13]
    assert rebuilt(mails) == ARCHIVE
    assert mails[0].raw.endswith(b">From there too.\n\n\n")
    assert mails[1].separator == SECOND


def test_sender_subject_and_id_come_from_the_headers():
    first, second = scan(ARCHIVE)
    assert (first.sender, first.subject) == ("ann@corp.example", "[R] A question")
    assert first.internet_message_id == "<1@corp.example>"
    assert (second.sender, second.internet_message_id) == ("bob@corp.example", "")


def test_the_time_is_the_separators_in_utc():
    first, second = scan(ARCHIVE)
    assert first.arrived_ns == 1_180_656_264 * 10**9
    assert second.arrived_ns - first.arrived_ns == (11 * 60 + 22) * 10**9


def test_windows_line_ends_are_kept():
    data = ARCHIVE.replace(b"\n", b"\r\n")
    mails = scan(data)
    assert len(mails) == 2
    assert rebuilt(mails) == data
    assert mails[0].subject == "[R] A question"


def test_a_message_may_have_no_headers_and_no_body():
    mails = scan(FIRST + b"\n" + SECOND + b"\n")
    assert [mail.raw for mail in mails] == [b"\n", b"\n"]
    assert mails[0].sender == "ann@corp.example"


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4_000_000_000),
            st.lists(
                st.sampled_from([b"text", b">From x", b"From x", b"", b" ", b"a: b", b"\xff"])
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(deadline=None)
def test_what_was_put_together_is_taken_apart_again(parts):
    data = b""
    for _, lines in parts:
        data += FIRST + HEADERS + b"\n" + b"".join(line + b"\n" for line in lines) + b"\n"
    mails = scan(data)
    assert rebuilt(mails) == data
    assert len(mails) == len(parts)


def test_a_cut_anywhere_is_an_error_or_leaves_whole_messages_and_a_visible_end():
    whole = scan(ARCHIVE)
    undetected = []
    for length in range(len(ARCHIVE)):
        mails, error_line = scan_or_refuse(ARCHIVE[:length])
        if mails is None:
            lines = ARCHIVE[:length].count(b"\n")
            assert error_line in (lines, lines + 1)
            continue
        undetected.append(length)
        assert rebuilt(mails) == ARCHIVE[:length]
        for mail, original in zip(mails, whole, strict=False):
            assert original.raw.startswith(mail.raw)
    # Only a cut right after an empty line below the headers looks like an end.
    assert all(ARCHIVE[:length].endswith(b"\n\n") for length in undetected)
    assert len(undetected) == 6


@pytest.mark.parametrize(
    ("data", "line", "column", "says"),
    [
        (b"", 1, 1, "empty"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0", 1, 1, "binary"),
        (b"PK\x03\x04\x14\0", 1, 1, "binary"),
        (b"Dear diary,\n\ntoday\n", 1, 1, "not an mbox"),
        (b"\n" + ARCHIVE, 1, 1, "not an mbox"),
        (b"\xef\xbb\xbf" + ARCHIVE, 1, 1, "not an mbox"),
        (b"From \n", 1, 6, "no date"),
        (b"From ann@corp.example yesterday\n" + HEADERS + b"\nx\n\n", 1, 6, "no date"),
        (FIRST + HEADERS, 4, 1, "truncated"),
        (FIRST + HEADERS[:20], 2, 21, "truncated"),
        (FIRST, 1, 1, "truncated"),
        (FIRST[:-1], 1, 51, "truncated"),
        (ARCHIVE[:-8], 14, 24, "truncated"),
        (ARCHIVE[:-7], 14, 1, "truncated"),
        (ARCHIVE[:-3], 16, 4, "truncated"),
        (ARCHIVE[:-1], 16, 1, "truncated"),
        (FIRST.replace(b"Jun", b"Jux") + b"\n", 1, 27, "no month 'Jux'"),
        (FIRST.replace(b" 1 ", b"31 ") + b"\n", 1, 27, "no such time"),
        (FIRST.replace(b"00:04", b"24:04") + b"\n", 1, 27, "no such time"),
        (FIRST.replace(b"2007", b"0207") + b"\n", 1, 27, "year"),
        (ARCHIVE.replace(SECOND, SECOND.replace(b"00:15", b"00:75")), 13, 23, "no such time"),
        (ARCHIVE.replace(SECOND, b"From bob@corp.example some day\n"), 13, 6, "no date"),
        (FIRST + HEADERS + b"\n" + b"x" * (1 << 20) + b"\n\n", 6, 1 << 20, "longer"),
    ],
)
def test_a_bad_archive_is_one_clear_error_with_its_place(data, line, column, says):
    error = refused(data)
    assert says in error.problem
    assert error.hint
    assert str(error).startswith(f"test.mbox:{error.line}:{error.column}: ")
    assert (error.line, error.column) == (line, column)


def test_an_error_in_the_second_message_leaves_the_first_readable():
    reader = scan_mbox(BytesIO(ARCHIVE[:-5]), "test.mbox")
    assert next(reader).subject == "[R] A question"
    with pytest.raises(MboxError):
        next(reader)


def test_a_line_that_only_looks_like_a_separator_is_text():
    body = b"From what I see:\nFrom: is a header\n\nFrom a to b\nSubject: no\n\n"
    data = FIRST + HEADERS + b"\n" + body + b"From me at home in June\n\n"
    (mail,) = scan(data)
    assert mail.raw.endswith(b"June\n\n")


def test_a_separator_not_after_an_empty_line_is_text():
    (mail,) = scan(FIRST + HEADERS + b"\ntext\n" + SECOND + b"\n")
    assert SECOND in mail.raw


def test_reading_a_file_names_it_in_errors(tmp_path):
    path = tmp_path / "archive.mbox"
    path.write_bytes(b"")
    with pytest.raises(MboxError, match=r"archive\.mbox:1:1: the archive is empty"):
        list(read_mbox(path))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu Jan  1 00:00:00 1970", 0),
        ("Fri Jun  1 00:04:24 2007", 1_180_656_264),
        ("Fri Jun 01 00:04 2007", 1_180_656_240),
        ("Fri Jun  1 00:04:24 CEST 2007", 1_180_656_264),
        ("Fri Jun  1 02:04:24 +0200 2007", 1_180_656_264),
        ("Thu May 31 16:34:24 -0730 2007", 1_180_656_264),
        ("fri jun  1 00:04:24 2007", 1_180_656_264),
        ("Fri Feb 29 12:00:00 2008", 1_204_286_400),
    ],
)
def test_dates_are_read_to_the_second(text, seconds):
    assert separator_time_ns(text) == seconds * 10**9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "Fri Feb 29 12:00:00 2007",
        "Fri Jun  0 12:00:00 2007",
        "Fri Jun  1 12:60:00 2007",
    ],
)
def test_a_date_that_is_none_is_refused(text):
    with pytest.raises(InvalidDate):
        separator_time_ns(text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"=?iso-8859-1?Q?au=DFer_Haus?=", "außer Haus"),
        (b"=?utf-8?B?w7xiZXI=?= alles", "über alles"),
        (b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        (b"=?klingon?Q?caf=E9?=", "café"),
        (b"=?utf-8?B?a?= rest", "=?utf-8?B?a?= rest"),
        (b"=?utf-8?Q?broken", "=?utf-8?Q?broken"),
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "café"),
        (b"folded\r\n\tline", "folded line"),
        (b"", ""),
    ],
)
def test_headers_become_text_whatever_is_in_them(raw, text):
    assert decoded(raw) == text


@given(st.binary(max_size=80).map(lambda tail: b"=?utf-8?B?" + tail))
@settings(deadline=None)
def test_no_header_is_so_broken_that_it_raises(raw):
    text = decoded(raw)
    assert "\n" not in text
    assert "\r" not in text


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ann <Ann@Corp.example>", "ann@corp.example"),
        ('"x@y.z" <ann@corp.example>', "ann@corp.example"),
        ("ann@corp.example (Ann)", "ann@corp.example"),
        ("Ann.Lee at corp.example (Lee, Ann at work)", "ann.lee@corp.example"),
        ("nobody", ""),
        ("", ""),
    ],
)
def test_the_address_is_found_in_any_form_of_sender(text, address):
    assert address_of(text) == address


def test_folded_and_repeated_headers_are_read_as_mail_programs_do():
    headers = b"SUBJECT: one\n two\nSubject: three\nReceived: x\n y\nFrom: a@b.example\n"
    (mail,) = scan(FIRST + headers + b"\nbody\n\n")
    assert mail.subject == "one two"
    assert mail.sender == "a@b.example"
