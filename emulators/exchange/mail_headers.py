"""The few headers of a real message that the store shows: sender, subject, message id.

Tolerant on purpose: real mail has broken encodings, unknown character sets and raw 8-bit
headers. Whatever is there becomes some text; nothing here raises.
"""

import re
from email.errors import HeaderParseError
from email.header import decode_header
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MailHeaders", "address_of", "decoded"]

_WANTED = (b"from", b"subject", b"message-id")
_ANGLE = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_PLAIN = re.compile(r"[^\s<>(),;:\"]+@[^\s<>(),;:\"]+")
# Public archives write 'name at host' to keep harvesters away.
_OBSCURED = re.compile(r"([^\s<>(),;:\"]+) at ([^\s<>(),;:\"]+)")
_LINE_BREAKS = re.compile(r"[\r\n\t]+ *")


class MailHeaders:
    """The wanted headers of a message given as lines; of a repeated header the first counts.

    `length_lines` is the number of header lines, the empty one that ends them included, or None
    where no empty line ends them.
    """

    def __init__(self, lines: "Sequence[bytes]") -> None:
        self.length_lines: int | None = None
        self._raw: dict[bytes, bytes] = {}
        self._parse(lines)

    def sender(self) -> str:
        """Return the address in the From header, or '' if there is none."""
        return address_of(self.text("from"))

    def text(self, name: str) -> str:
        """Return a header's decoded text on one line, '' where it is missing."""
        return decoded(self._raw.get(name.encode("ascii"), b""))

    def _parse(self, lines: "Sequence[bytes]") -> None:
        unfinished: bytes | None = None  # the wanted header whose continuation may follow
        for count, line in enumerate(lines, start=1):
            stripped = line.rstrip(b"\r\n")
            if not stripped:
                self.length_lines = count
                return
            if stripped[:1] in (b" ", b"\t"):
                if unfinished is not None:
                    self._raw[unfinished] += b" " + stripped.strip()
                continue
            name, colon, value = stripped.partition(b":")
            name = name.strip().lower()
            unfinished = None
            if colon and name in _WANTED and name not in self._raw:
                self._raw[name] = value.strip()
                unfinished = name


def address_of(text: str) -> str:
    """Return the first address in a header's text, lower case, or '' if there is none."""
    for pattern in (_ANGLE, _PLAIN):
        match = pattern.search(text)
        if match is not None:
            return match[match.lastindex or 0].lower()
    obscured = _OBSCURED.search(text)
    return f"{obscured[1]}@{obscured[2]}".lower() if obscured is not None else ""


def decoded(raw: bytes) -> str:
    """Return a header's bytes as text: RFC 2047 words decoded, 8-bit bytes as UTF-8 or Latin-1."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if "=?" in text:
        text = _without_encoded_words(text)
    return _LINE_BREAKS.sub(" ", text).strip()


def _without_encoded_words(text: str) -> str:
    try:
        parts = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(
        part if isinstance(part, str) else _decode_part(part, charset) for part, charset in parts
    )


def _decode_part(part: bytes, charset: str | None) -> str:
    try:
        return part.decode(charset or "latin-1", "replace")
    except (LookupError, ValueError):  # a character set that Python does not know
        return part.decode("latin-1")
