"""The text of a message as HTML: the rich form that a store keeps beside the plain one.

Assumption: how large it is, namely the plain text with the marks of its paragraphs and a style
sheet. Runs of zeros stay runs of the same length.
"""

from sim.payload import Segments

HTML_HEAD = (
    b'<HTML><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=us-ascii">\r\n'
    b"<STYLE>P, LI, DIV { margin: 0in; font-size: 10.0pt; font-family: Arial; }\r\n"
    b"A:link { color: blue; text-decoration: underline; }</STYLE></HEAD><BODY><P>\r\n"
)
HTML_TAIL = b"</P></BODY></HTML>\r\n"
_MARKS = ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b"\r\n\r\n", b"</P>\r\n\r\n<P>"))


def html_of(body: Segments) -> Segments:
    """Return a plain text as HTML, segment by segment."""
    texts = (part if isinstance(part, int) else _marked(part) for part in body)
    return (HTML_HEAD, *texts, HTML_TAIL)


def _marked(text: bytes) -> bytes:
    for plain, mark in _MARKS:
        text = text.replace(plain, mark)
    return text
