"""The text of a message as HTML: the rich form that a store keeps beside the plain one.

Assumptions: how large it is, namely the plain text with the marks of its paragraphs and a style
sheet; and that only what people write has it: longer texts, such as reports of programs, come and
stay as plain text. Runs of zeros stay runs of the same length.
"""

from sim.payload import Segments, length_of

TEXT_BYTES_MAX = 64 * 1024
"""Longer texts have no rich form."""

HTML_HEAD = (
    b'<HTML><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=us-ascii">\r\n'
    b"<STYLE>P, LI, DIV { margin: 0in; font-size: 10.0pt; font-family: Arial; }\r\n"
    b"A:link { color: blue; text-decoration: underline; }</STYLE></HEAD><BODY><P>\r\n"
)
HTML_TAIL = b"</P></BODY></HTML>\r\n"
_MARKS = ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b"\r\n\r\n", b"</P>\r\n\r\n<P>"))


def html_of(body: Segments) -> Segments | None:
    """Return a plain text as HTML, segment by segment; None for one that has no rich form."""
    if length_of(body) > TEXT_BYTES_MAX:
        return None
    texts = (part if isinstance(part, int) else _marked(part) for part in body)
    return (HTML_HEAD, *texts, HTML_TAIL)


def _marked(text: bytes) -> bytes:
    for plain, mark in _MARKS:
        text = text.replace(plain, mark)
    return text
