"""Reader of Exchange's message tracking logs (2007 and later): who got what mail, when.

What it takes for granted, what it promises and what it cannot know:

* The log is text, comma-separated, one event on one line. '#Fields:' names the fields and their
  order, and may come again (files put together); other lines beginning with '#' are comments.
* Mail is what an event DELIVER of the source STOREDRIVER says: delivered to mailboxes of one
  database. Every other event is passed over. Times are UTC, to 100 ns.
* Of a folder the files '*.log' are read by name, whatever the case of their names.
* A row that cannot be read is left out and counted. A file that is no tracking log is refused, and
  so is a log without one usable delivery.
* Not checked: that the log is complete, or that a delivery is logged once.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emulators.exchange.input_files import (
    BadRows,
    Columns,
    Line,
    UnusableRow,
    WorkloadFileError,
    lines_of,
    values_of,
)

__all__ = ["Delivered", "TrackingLogError", "read_tracking_log", "tracking_log_files"]

MESSAGE_BYTES_MAX = 64 << 20
"""A larger size is taken for a mistake of the log: every body is really made (an assumption)."""

DIGITS_MAX = 20

ADDRESS_BYTES_MAX = 254
"""What a mailbox's name may take in the emulated store: a text column holds 255 bytes."""

NEEDED = (
    "date-time",
    "source",
    "event-id",
    "recipient-address",
    "total-bytes",
    "sender-address",
)
RECIPIENT_SEPARATOR = ";"
LOG_TYPE = "message tracking log"

_HINT_KIND = "name a log of Exchange 2007 or later, from TransportRoles\\Logs\\MessageTracking"
_HINT_EMPTY = "take a log of a server that delivers to mailboxes"
_TIME = re.compile(
    r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?Z?"
)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = dt.timedelta(seconds=1)


class TrackingLogError(WorkloadFileError):
    """The file is no message tracking log, or holds no delivery."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivery to mailboxes of one database.

    `delivered_ns` counts nanoseconds since 1970-01-01 UTC; `recipients` are distinct.
    """

    delivered_ns: int
    sender: str
    recipients: tuple[str, ...]
    subject: str
    internet_message_id: str
    size_bytes: int


def tracking_log_files(path: Path) -> list[Path]:
    """Return the log files that a path stands for: itself, or those of the folder.

    Raises:
        TrackingLogError: the folder has none.
        OSError: it cannot be read.
    """
    if not path.is_dir():
        return [path]
    found = [file for file in path.iterdir() if file.suffix.lower() == ".log" and file.is_file()]
    if not found:
        raise TrackingLogError(str(path), 1, 1, "the folder has no file '*.log'", _HINT_KIND)
    return sorted(found, key=lambda file: file.name)


def read_tracking_log(path: Path, bad_rows: BadRows) -> Iterator[Delivered]:
    """Yield the deliveries of a log file, or of all logs of a folder, in the order of the files.

    Args:
        path: a file or a folder.
        bad_rows: told of each row that is left out.

    Raises:
        TrackingLogError: a file is no tracking log, or there is no usable delivery in any.
        OSError: a file cannot be read.
    """
    files = tracking_log_files(path)
    is_empty = True
    for file in files:
        for delivered in _deliveries(file, bad_rows):
            is_empty = False
            yield delivered
    if not is_empty:
        return
    if bad_rows.first:
        first = bad_rows.first[0]
        problem = f"none of the {bad_rows.count} rows can be used; this one: {first.reason}"
        raise TrackingLogError(first.file, first.line, first.column, problem, _HINT_EMPTY)
    problem = "the log has no delivery to a mailbox (event DELIVER of source STOREDRIVER)"
    raise TrackingLogError(str(files[0]), 1, 1, problem, _HINT_EMPTY)


def _deliveries(file: Path, bad_rows: BadRows) -> Iterator[Delivered]:
    columns: Columns | None = None
    for line in lines_of(file):
        if line.text.startswith("#"):
            columns = _columns_of(line) or columns
            continue
        if columns is None:
            problem = "there is no '#Fields:' line before the first row"
            raise TrackingLogError(line.file, line.number, 1, problem, _HINT_KIND)
        try:
            row = _delivery_of(line, columns)
        except UnusableRow as unusable:
            bad_rows.add(line.bad(unusable))
            continue
        if row is not None:
            yield row
    if columns is None:
        problem = "there is no '#Fields:' line: this is no message tracking log"
        raise TrackingLogError(str(file), 1, 1, problem, _HINT_KIND)


def _columns_of(line: Line) -> Columns | None:
    """Return the fields that a comment names, None when it names none."""
    key, _, rest = line.text[1:].partition(":")
    kind = key.strip().casefold()
    if kind == "log-type" and rest.strip().casefold() != LOG_TYPE:
        problem = f"this is another log: '{rest.strip()}'"
        raise TrackingLogError(line.file, line.number, len(key) + 3, problem, _HINT_KIND)
    if kind != "fields":
        return None
    columns = Columns(rest.split(","))
    missing = columns.missing(NEEDED)
    if missing:
        problem = f"the fields {', '.join(missing)} are missing"
        raise TrackingLogError(line.file, line.number, len(key) + 3, problem, _HINT_KIND)
    return columns


def _delivery_of(line: Line, columns: Columns) -> Delivered | None:
    """Return what a row says, None when it says nothing about a mailbox."""
    values = values_of(line)
    columns.check_count(values)
    is_delivery = columns.value(values, "event-id").upper() == "DELIVER"
    if not is_delivery or columns.value(values, "source").upper() != "STOREDRIVER":
        return None
    return Delivered(
        delivered_ns=_time_ns(columns.value(values, "date-time")),
        sender=columns.value(values, "sender-address") or "<>",
        recipients=_recipients(columns.value(values, "recipient-address")),
        subject=columns.value(values, "message-subject"),
        internet_message_id=columns.value(values, "message-id"),
        size_bytes=_size_bytes(columns.value(values, "total-bytes")),
    )


def _time_ns(text: str) -> int:
    match = _TIME.fullmatch(text)
    wrong = UnusableRow(f"'{text[:40]}' is no time such as 2007-06-04T08:00:00.000Z", text)
    if match is None:
        raise wrong
    try:
        time = dt.datetime.fromisoformat(match["time"]).replace(tzinfo=dt.UTC)
    except ValueError:
        raise wrong from None
    if time < _EPOCH:
        raise wrong
    fraction_ns = int((match["fraction"] or "0").ljust(9, "0"))
    return (time - _EPOCH) // _SECOND * 10**9 + fraction_ns


def _size_bytes(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    if not is_number or not 0 < int(text) <= MESSAGE_BYTES_MAX:
        reason = f"total-bytes '{text[:20]}' is no size from 1 to {MESSAGE_BYTES_MAX}"
        raise UnusableRow(reason, text)
    return int(text)


def _recipients(text: str) -> tuple[str, ...]:
    """Return the addresses, each once, as it was first written."""
    distinct: dict[str, str] = {}
    for part in text.split(RECIPIENT_SEPARATOR):
        address = part.strip()
        if len(address.lower().encode("utf-16-le")) > ADDRESS_BYTES_MAX:
            raise UnusableRow(f"the address '{address[:40]}...' is too long", address)
        if address:
            distinct.setdefault(address.lower(), address)
    if not distinct:
        raise UnusableRow("there is no recipient-address")
    return tuple(distinct.values())
