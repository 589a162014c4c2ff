"""What an administrator's files can have wrong with them: unusable files, and rows left out.

A file that says nothing is refused with file, line and column. A row that cannot be used in a
file that otherwise can is left out, counted, and the first few are told in full: silently missing
mail would make every figure of the run wrong without a sign.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "BadRow",
    "BadRows",
    "Columns",
    "Line",
    "UnusableRow",
    "WorkloadFileError",
    "lines_of",
    "values_of",
]

LINE_BYTES_MAX = 1 << 20
"""A longer line is no row of a log and would fill the memory."""

BAD_ROWS_TOLD = 5


class WorkloadFileError(ValueError):
    """A file with mail, or with figures about mail, cannot be used.

    The text begins 'file:line:column:' (both counted from 1) and ends with a hint.
    """

    def __init__(self, file: str, line: int, column: int, problem: str, hint: str) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.problem = problem
        self.hint = hint
        super().__init__(file, line, column, problem, hint)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.problem} (hint: {self.hint})"


class UnusableRow(ValueError):  # noqa: N818 - no error of the file: the row is left out
    """A row cannot be used; `at` is the text in it that is wrong."""

    def __init__(self, reason: str, at: str = "") -> None:
        self.reason = reason
        self.at = at
        super().__init__(reason, at)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is left out, and why; line and column count from 1."""

    file: str
    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.reason}"


class BadRows:
    """Counts the rows left out and keeps the first few of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[BadRow] = []

    def add(self, row: BadRow) -> None:
        """Count a row."""
        self.count += 1
        if len(self.first) < BAD_ROWS_TOLD:
            self.first.append(row)

    def told(self) -> str:
        """Return the first rows in full and how many more there are."""
        rest = self.count - len(self.first)
        more = f"; and {rest} more" if rest else ""
        return "; ".join(map(str, self.first)) + more


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text file without its end; `number` counts from 1."""

    file: str
    number: int
    text: str

    def error(self, column: int, problem: str, hint: str) -> WorkloadFileError:
        """Return the refusal of the file at a column of this line."""
        return WorkloadFileError(self.file, self.number, column, problem, hint)

    def column_of(self, text: str) -> int:
        """Return where `text` stands in the line, best as a whole field; 1 when it does not."""
        bare = re.escape(text)
        whole = re.search(rf'(?:^|(?<=[,;"\s])){bare}(?=[,;"\s]|$)', self.text) if text else None
        return whole.start() + 1 if whole else max(self.text.find(text) + 1, 1)

    def bad(self, row: UnusableRow) -> BadRow:
        """Return this line as one that is left out, pointing at what is wrong in it."""
        return BadRow(self.file, self.number, self.column_of(row.at), row.reason)


def lines_of(path: Path) -> Iterator[Line]:
    """Yield the lines of a UTF-8 text file, with LF or CRLF, with or without a BOM.

    What is no UTF-8 becomes a replacement character. Empty lines are left out.

    Raises:
        WorkloadFileError: a line is too long to be one, or has zero bytes.
        OSError: the file cannot be read.
    """
    name = str(path)
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            line = Line(name, number, _text(raw, is_first=number == 1))
            if len(raw) > LINE_BYTES_MAX:
                problem = f"a line is longer than {LINE_BYTES_MAX} bytes: this is no text log"
                raise line.error(LINE_BYTES_MAX, problem, "name the log file itself")
            if "\0" in line.text:
                raise line.error(
                    line.column_of("\0"),
                    "this is a binary file, or text in UTF-16",
                    "save it as UTF-8 text",
                )
            if line.text:
                yield line


def _text(raw: bytes, *, is_first: bool) -> str:
    encoding = "utf-8-sig" if is_first else "utf-8"
    text = raw.decode(encoding, "replace")
    return text.removesuffix("\n").removesuffix("\r")


def values_of(line: Line) -> list[str]:
    """Split one line of comma-separated values; a row never goes over several lines.

    Raises:
        UnusableRow: it is none, such as one whose quotes are not closed.
    """
    try:
        return next(csv.reader([line.text], strict=True))
    except csv.Error as error:
        raise UnusableRow(f"no comma-separated values ({error})", '"') from error


class Columns:
    """Where the named fields of a row stand."""

    def __init__(self, names: list[str]) -> None:
        self._positions = {name.strip().casefold(): at for at, name in enumerate(names)}
        self.count = len(names)

    def missing(self, wanted: Mapping[str, str] | tuple[str, ...]) -> list[str]:
        """Return which of the wanted fields there are not."""
        return [name for name in wanted if name not in self._positions]

    def check_count(self, values: list[str]) -> None:
        """Refuse a row with more or fewer fields than are named.

        Raises:
            UnusableRow: it has.
        """
        if len(values) != self.count:
            raise UnusableRow(f"{len(values)} fields, and {self.count} are named")

    def value(self, values: list[str], name: str) -> str:
        """Return a field of a row, empty where the file has no such field."""
        at = self._positions.get(name)
        return "" if at is None else values[at].strip()
