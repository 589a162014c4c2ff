"""Reader of LogStats.csv, which GetTransactionLogStats.ps1 gathers: the log generation by the hour.

What it takes for granted, what it promises and what it cannot know:

* The header is 'Log Generation,Time Retrieved,ServerName,DatabaseName' (the script of 2013), or
  that of its later versions (DatabaseName, ServerName, LogGeneration, TimeCollected), in any
  order. A header in the middle (files put together) is read anew.
* Times are the server's own clock and have no zone. 6/4/2007 is the 4th of June: the script writes
  the month first. 4.6.2007 and 2007-06-04 are read too.
* For Exchange 2007 the script's DatabaseName is the name of the storage group.
* Two samples of one database on one server, at most two hours apart, say how many logs were made
  between them. Longer gaps, a generation that falls (a new log stream) and a clock that stands or
  goes back are left out and counted.
* Where several servers report the database, the one whose logs grew most counts: the others hold
  passive copies, whose figures follow.
* A row that cannot be read is left out and counted.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from emulators.exchange.input_files import (
    BadRows,
    Columns,
    UnusableRow,
    WorkloadFileError,
    lines_of,
    values_of,
)

__all__ = ["LogIntervals", "LogSample", "LogStatsError", "read_log_stats"]

GAP_S_MAX = 7200
"""Samples further apart do not say in which hour the logs were made (the script samples hourly)."""

_NAMES = {
    "log generation": "generation",
    "loggeneration": "generation",
    "time retrieved": "time",
    "timecollected": "time",
    "servername": "server",
    "databasename": "database",
}
_HINT_KIND = "name the LogStats.csv that GetTransactionLogStats.ps1 -Gather writes"
_GENERATION_MAX = 0x7FFFF800  # exchange.md F12
_CLOCK = r"[ T](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
_TIMES = tuple(
    re.compile(date + _CLOCK + r"(?: ?(?P<half>[AaPp][Mm]))?")
    for date in (
        r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})",
        r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})",
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})",
    )
)


class LogStatsError(WorkloadFileError):
    """The file is no LogStats.csv, or says nothing about the database."""


@dataclass(frozen=True, slots=True)
class LogSample:
    """The current log generation of a database at a time of its server's clock."""

    time: dt.datetime
    generation: int


@dataclass(frozen=True, slots=True)
class LogIntervals:
    """What is known of one database: pairs of samples that follow each other, and what was left.

    `resets` counts generations that fell, `gaps` samples too far apart, `clock_steps` times that
    did not grow; `other_servers` hold the database too, `other_databases` are the file's others.
    """

    server: str
    database: str
    pairs: tuple[tuple[LogSample, LogSample], ...]
    resets: int
    gaps: int
    clock_steps: int
    other_servers: tuple[str, ...]
    other_databases: tuple[str, ...]
    bad_rows: BadRows

    @property
    def logs(self) -> int:
        """The number of logs made between the pairs' samples."""
        return sum(later.generation - earlier.generation for earlier, later in self.pairs)


@dataclass(frozen=True, slots=True)
class _Row:
    server: str
    database: str
    sample: LogSample


def read_log_stats(path: Path, database: str, bad_rows: BadRows) -> LogIntervals:
    """Read what the file at `path` says about a database, whose name is matched in any case.

    Args:
        path: the file.
        database: the database, or of Exchange 2007 its storage group.
        bad_rows: told of each row that is left out.

    Raises:
        LogStatsError: it is no LogStats.csv, or has no two samples of the database that say how
            many logs were made.
        OSError: it cannot be read.
    """
    wanted = database.casefold()
    servers: dict[str, list[LogSample]] = {}
    others: dict[str, str] = {}
    name = database
    for row in _rows(path, bad_rows):
        if row.database.casefold() == wanted:
            name = row.database
            servers.setdefault(row.server, []).append(row.sample)
        else:
            others.setdefault(row.database.casefold(), row.database)
    if not servers:
        raise _nothing_about(path, database, tuple(others.values()), bad_rows)
    found = [
        _intervals(server, name, samples, tuple(servers), tuple(others.values()), bad_rows)
        for server, samples in servers.items()
    ]
    best = max(found, key=lambda intervals: intervals.logs)
    if best.logs == 0:
        problem = f"no two samples of '{name}' say that logs were made between them"
        hint = f"gather samples every hour, at most {GAP_S_MAX // 3600} h apart, for a day or more"
        raise LogStatsError(str(path), 1, 1, problem, hint)
    return best


def _nothing_about(
    path: Path, database: str, others: tuple[str, ...], bad_rows: BadRows
) -> LogStatsError:
    if not others and bad_rows.first:
        first = bad_rows.first[0]
        problem = f"none of the {bad_rows.count} rows can be used; this one: {first.reason}"
        return LogStatsError(first.file, first.line, first.column, problem, _HINT_KIND)
    known = ", ".join(f"'{name}'" for name in others[:10])
    hint = f"it has {known}" if known else _HINT_KIND
    return LogStatsError(str(path), 1, 1, f"there is no sample of '{database}'", hint)


def _rows(path: Path, bad_rows: BadRows) -> Iterator[_Row]:
    columns: Columns | None = None
    for line in lines_of(path):
        try:
            values = values_of(line)
            header = _header_of(values)
            columns = header or columns
            row = _row_of(values, _known(columns)) if header is None else None
        except UnusableRow as unusable:
            bad = line.bad(unusable)
            if columns is None:
                raise LogStatsError(
                    line.file, line.number, bad.column, bad.reason, _HINT_KIND
                ) from None
            bad_rows.add(bad)
            continue
        if row is not None:
            yield row
    if columns is None:
        raise LogStatsError(str(path), 1, 1, "the file is empty", _HINT_KIND)


def _header_of(values: list[str]) -> Columns | None:
    named = [_NAMES.get(value.strip().casefold(), value) for value in values]
    columns = Columns(named)
    return None if columns.missing(("generation", "time", "database")) else columns


def _known(columns: Columns | None) -> Columns:
    if columns is None:
        raise UnusableRow(
            "the first line names no columns Log Generation, Time Retrieved and DatabaseName"
        )
    return columns


def _row_of(values: list[str], columns: Columns) -> _Row:
    columns.check_count(values)
    generation = _generation(columns.value(values, "generation"))
    time = _time(columns.value(values, "time"))
    database = columns.value(values, "database")
    if not database:
        raise UnusableRow("there is no DatabaseName")
    return _Row(columns.value(values, "server"), database, LogSample(time, generation))


def _generation(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise UnusableRow(f"'{text[:20]}' is no log generation", text)
    if int(text) > _GENERATION_MAX:
        raise UnusableRow(f"'{text}' is beyond the last log generation", text)
    return int(text)


def _time(text: str) -> dt.datetime:
    wrong = UnusableRow(f"'{text[:40]}' is no time such as 06/04/2007 08:00:00", text)
    match = next((found for form in _TIMES if (found := form.fullmatch(text))), None)
    if match is None:
        raise wrong
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise wrong
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    date = (int(match["year"]), int(match["month"]), int(match["day"]))
    clock = (hour, int(match["minute"]), int(match["second"] or 0))
    try:
        return dt.datetime(*date, *clock)  # noqa: DTZ001 - the server's own clock has no zone
    except ValueError:
        raise wrong from None


def _intervals(
    server: str,
    database: str,
    samples: list[LogSample],
    servers: tuple[str, ...],
    others: tuple[str, ...],
    bad_rows: BadRows,
) -> LogIntervals:
    """Pair samples that follow each other; their order in the file is the order of time."""
    pairs = []
    resets = gaps = clock_steps = 0
    for earlier, later in pairwise(samples):
        length_s = (later.time - earlier.time).total_seconds()
        if length_s <= 0:
            clock_steps += 1
        elif later.generation < earlier.generation:
            resets += 1
        elif length_s > GAP_S_MAX:
            gaps += 1
        else:
            pairs.append((earlier, later))
    return LogIntervals(
        server=server,
        database=database,
        pairs=tuple(pairs),
        resets=resets,
        gaps=gaps,
        clock_steps=clock_steps,
        other_servers=tuple(name for name in servers if name != server),
        other_databases=others,
        bad_rows=bad_rows,
    )
