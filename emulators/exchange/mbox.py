"""Reader of mail archives in mbox format: real messages, byte for byte.

What it takes for granted, what it promises and what it cannot know:

* A message begins at a line 'From <sender> <date>' at the start of the file or after an empty
  line, where the date has the form of asctime ('Fri Jun  1 00:04:24 2007', seconds and a zone
  before the year optional). Any other line beginning with 'From ' is text. '>From ' stays as it
  is. Separators and message bytes in order are exactly the bytes of the file.
* The arrival time is the separator's, read as UTC (an assumption: the line carries no zone). The
  Date header is the sender's claim and is not used.
* A file cut in the headers, in the middle of a line, or before the empty line that ends every
  message (RFC 4155, appendix A) is refused. A cut exactly after an empty line inside the last
  body cannot be seen.
* A separator whose date cannot be read, but which is plainly one (an address in it and a mail
  header line below it) is an error and not silently text of the message before.
* Not checked: MIME structure, and the encoding of bodies.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from emulators.exchange.input_files import WorkloadFileError
from emulators.exchange.mail_headers import MailHeaders, address_of
from emulators.exchange.mbox_date import InvalidDate, separator_time_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MboxError", "MboxMail", "read_mbox", "scan_mbox"]

LINE_BYTES_MAX = 1 << 20
"""A longer line is no mail (RFC 5322 allows 998 characters) and would fill the memory."""

_SEPARATOR = re.compile(
    rb"From (?P<sender>.*?) +(?P<date>"
    rb"[A-Za-z]{3} +[A-Za-z]{3} +\d{1,2} +\d{1,2}:\d{2}(?::\d{2})?(?: +[A-Z]{1,5}| +[+-]\d{4})?"
    rb" +\d{4})(?: +[+-]\d{4})? *\r?\n?\Z"
)
_LOOKS_LIKE_A_SENDER = re.compile(rb"From \S+(?:@| at )\S+\s")
_HEADER_LINE = re.compile(
    rb"(?:from|to|date|subject|message-id|received|return-path|mime-version|x-[a-z-]+):",
    re.IGNORECASE,
)
_EMPTY_LINES = (b"\n", b"\r\n")


class MboxError(WorkloadFileError):
    """The file is not a complete, readable mbox archive."""


@dataclass(frozen=True, slots=True)
class MboxMail:
    """One message of an archive.

    `arrived_ns` counts nanoseconds since 1970-01-01 UTC; `separator` is the 'From ' line with its
    line end, `raw` every byte from there to the next separator; `line` is the separator's.
    """

    arrived_ns: int
    sender: str
    subject: str
    internet_message_id: str
    separator: bytes
    raw: bytes
    line: int


def read_mbox(path: Path) -> "Iterator[MboxMail]":
    """Yield the messages of the archive at `path` in the order of the file.

    Holds one message at a time. Raises `MboxError` where the file stops being an mbox, and
    OSError where it cannot be read.
    """
    with path.open("rb") as file:
        yield from scan_mbox(file, str(path))


def scan_mbox(file: BinaryIO, name: str) -> "Iterator[MboxMail]":
    """Yield the messages of an open binary file; `name` is what errors call it."""
    return _Scanner(file, name).mails()


class _Scanner:
    """Reads lines, one ahead, and cuts them into messages."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._line = 0  # number of the current line
        self._lines_read = 0  # one more than that, while there is a line ahead

    def mails(self) -> "Iterator[MboxMail]":
        separator, arrived_ns = self._first_separator()
        start = self._line
        lines: list[bytes] = []
        after_empty_line = False
        current = self._read()
        while current:
            following = self._read()
            self._line += 1
            time_ns = None
            if after_empty_line and current.startswith(b"From "):
                time_ns = self._separator_time(current, following)
            if time_ns is None:
                lines.append(current)
            else:
                yield self._mail(separator, arrived_ns, lines, start)
                separator, arrived_ns, lines, start = current, time_ns, [], self._line
            after_empty_line = current in _EMPTY_LINES
            current = following
        self._check_end(lines or [separator])
        yield self._mail(separator, arrived_ns, lines, start)

    def _first_separator(self) -> tuple[bytes, int]:
        first = self._read()
        self._line = 1
        if not first:
            raise self._error(1, "the archive is empty", "name a file with at least one message")
        if first.startswith(b"From "):
            time_ns = self._separator_time(first, b"")
            if time_ns is not None:
                return first, time_ns
            raise self._error(
                6,
                "the first line has no date that can be read",
                "an mbox begins 'From sender@host Fri Jun  1 00:04:24 2007'",
            )
        kind = "a binary file" if _is_binary(first) else "not an mbox archive"
        raise self._error(
            1,
            f"this is {kind}: it does not begin with 'From '",
            "export the mail in mbox format",
        )

    def _separator_time(self, line: bytes, following: bytes) -> int | None:
        """Return the time if `line` is a separator, None if it is text."""
        match = _SEPARATOR.match(line)
        if match is None:
            if _LOOKS_LIKE_A_SENDER.match(line) and _HEADER_LINE.match(following):
                raise self._error(
                    6,
                    "a message begins here, but its 'From ' line has no date that can be read",
                    "write the date as in 'Fri Jun  1 00:04:24 2007', or '>From ' if it is text",
                )
            return None
        try:
            return separator_time_ns(match["date"].decode("ascii"))
        except InvalidDate as error:
            raise self._error(
                match.start("date") + 1, str(error), "correct the date of this 'From ' line"
            ) from error

    def _mail(self, separator: bytes, arrived_ns: int, lines: list[bytes], start: int) -> MboxMail:
        headers = MailHeaders(lines)
        if headers.length_lines is None:
            raise MboxError(
                self._name,
                start + len(lines),
                1,
                f"the message that begins in line {start} is truncated: "
                "no empty line ends its headers",
                "fetch the archive again",
            )
        return MboxMail(
            arrived_ns=arrived_ns,
            sender=headers.sender() or _envelope_sender(separator),
            subject=headers.text("subject"),
            internet_message_id=headers.text("message-id"),
            separator=separator,
            raw=b"".join(lines),
            line=start,
        )

    def _check_end(self, lines: list[bytes]) -> None:
        """Refuse a file that visibly ends too early; headers are checked by `_mail`."""
        last = lines[-1]
        if not last.endswith(b"\n"):
            raise self._error(
                len(last) + 1,
                "the archive is truncated: it ends in the middle of a line",
                "fetch it again; if it is complete, end it with an empty line",
            )
        if last not in _EMPTY_LINES and _has_empty_line(lines):
            raise self._error(
                1,
                "the archive may be truncated: its last message does not end in an empty line",
                "fetch it again; if it is complete, append an empty line",
            )

    def _read(self) -> bytes:
        line = self._file.readline(LINE_BYTES_MAX)
        self._lines_read += 1
        if len(line) == LINE_BYTES_MAX and not line.endswith(b"\n"):
            raise MboxError(
                self._name,
                self._lines_read,
                LINE_BYTES_MAX,
                f"a line is longer than {LINE_BYTES_MAX} bytes: this is not mail",
                "export the mail in mbox format",
            )
        return line

    def _error(self, column: int, problem: str, hint: str) -> MboxError:
        return MboxError(self._name, self._line, column, problem, hint)


def _envelope_sender(separator: bytes) -> str:
    match = _SEPARATOR.match(separator)
    assert match is not None
    return address_of(match["sender"].decode("latin-1"))


def _has_empty_line(lines: list[bytes]) -> bool:
    return any(line in _EMPTY_LINES for line in lines)


def _is_binary(start: bytes) -> bool:
    """Tell bytes that no text begins with: a zero byte, or a control character."""
    control = set(range(32)) - set(b"\t\n\r\f\x1b")
    return any(byte in control for byte in start[:512])
