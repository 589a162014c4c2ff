"""The HTML form says what the plain text says, and is of real size for sparse mail too."""

from html import unescape

from hypothesis import example, given
from hypothesis import strategies as st
from office import Office, message

from emulators.exchange.html_body import HTML_HEAD, HTML_TAIL, TEXT_BYTES_MAX, html_of
from emulators.exchange.store_schema import INBOX, MSG
from sim.payload import length_of, to_bytes


def plain_text_of(html):
    text = to_bytes(html).removeprefix(HTML_HEAD).removesuffix(HTML_TAIL).decode("latin-1")
    return unescape(text.replace("</P>\r\n\r\n<P>", "\r\n\r\n")).encode("latin-1")


@given(st.text("aB &;<>/P\r\n", max_size=40).map(str.encode))
@example(b"1 < 2 &lt; 3 > </P>\r\n\r\n<P> &amp;")
def test_the_plain_text_can_be_had_back_from_the_html(text):
    assert plain_text_of(html_of((text,))) == text


@given(st.lists(st.integers(1, TEXT_BYTES_MAX // 4), max_size=4).map(tuple))
def test_runs_of_zeros_stay_runs(runs):
    html = html_of(runs)
    assert tuple(part for part in html if isinstance(part, int)) == runs
    assert length_of(html) == sum(runs) + len(HTML_HEAD) + len(HTML_TAIL)


def test_a_text_that_nobody_writes_stays_plain():
    assert html_of((TEXT_BYTES_MAX,)) is not None
    assert html_of((TEXT_BYTES_MAX, b"!")) is None


def test_the_store_keeps_the_text_as_html_too_and_the_stream_of_what_is_submitted():
    office = Office()
    ann = office.mailbox("ann@example.com")
    draft = message((b"1 < 2\r\n\r\nAnn",))
    place = office.deliver(ann, INBOX, draft).place
    for as_stream in (False, True, False):
        office.do(office.store.save, place, draft, as_stream=as_stream)
        [row] = office.store.instances.rows.rows()
        assert plain_text_of((row[MSG.index_of("HtmlBody")],)) == b"1 < 2\r\n\r\nAnn"
        assert (row[MSG.index_of("MimeContent")] is not None) == as_stream
    office.check()
