"""The samples of a document as one Parquet part: every recovery, and the points of the curves.

One row is one recovery (`series` is 'recovery') or one vertex of a curve ('rpo', 'app_rpo'); what a
row does not have is null, which Parquet stores in next to nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb
import numpy as np

from reports.copies import KeptHistory
from reports.model import ProtectionResult
from reports.placed_runs import PlacedRun
from reports.recoveries import Recovery

# Nothing is fetched from a network: what the library does not bring is not used.
_SETTINGS: dict[str, Any] = {
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Sample(NamedTuple):
    """One row of the part; times and lengths in seconds of simulated time."""

    number: int
    seed: str
    cell: str
    protection: str
    copy: str
    series: str
    time_s: float
    rpo_s: float | None = None
    reported_rpo_s: float | None = None
    rto_s: float | None = None
    lost_messages: float | None = None
    lost_bytes: float | None = None
    lost_logs: float | None = None
    phantom: float | None = None
    damaged: float | None = None
    cause: str = ""
    outcome: str = ""
    consistency: str = ""


_NUMBERS = (
    "time_s",
    "rpo_s",
    "reported_rpo_s",
    "rto_s",
    "lost_messages",
    "lost_bytes",
    "lost_logs",
    "phantom",
    "damaged",
)
MEASURES = _NUMBERS[1:]
_TYPES = {"number": "INTEGER", **dict.fromkeys(_NUMBERS, "DOUBLE")}
# A column without a value has no type of its own, and parts that differ cannot be read together.
_TYPED = ", ".join(f"{name}::{_TYPES.get(name, 'VARCHAR')} AS {name}" for name in Sample._fields)
_ROWS = f"SELECT {_TYPED} FROM rows"  # noqa: S608 - names of our own
_COPY = f"COPY ({_ROWS}) TO '{{path}}' (FORMAT parquet, COMPRESSION zstd)"

_QUANTILES = """
SELECT count({measure}), quantile_cont({measure}, ?) FROM read_parquet(?, union_by_name = true)
WHERE series = 'recovery' AND outcome = 'recovered' AND protection = ? AND copy = ?
AND (consistency = 'any' OR cause = 'disaster')
"""


def samples_of(runs: Sequence[PlacedRun]) -> list[Sample]:
    """All samples of a document, run by run; those of a protection, then of each copy."""
    return [
        sample
        for number, run in enumerate(runs)
        for protection in run.result.protections
        for copy, column in _kept_by(protection)
        for sample in _of_column(
            (number, str(run.result.seed), run.cell, protection.name, copy), column
        )
    ]


def _kept_by(protection: ProtectionResult) -> Iterator[tuple[str, KeptHistory]]:
    yield "", protection
    for copy in protection.copies:
        yield copy.name, copy


_Place = tuple[int, str, str, str, str]


def _of_column(place: _Place, column: KeptHistory) -> Iterator[Sample]:
    for recovery in column.recoveries:
        yield _of_recovery(place, recovery)
    for time_s, rpo_s in column.curve:
        yield Sample(*place, "rpo", time_s, rpo_s, consistency="any")
    for time_s, rpo_s in column.app_curve:
        yield Sample(*place, "app_rpo", time_s, rpo_s, consistency="app")


def _of_recovery(place: _Place, recovery: Recovery) -> Sample:
    lost = recovery.lost
    opened = lost is not None
    return Sample(
        *place,
        series="recovery",
        time_s=recovery.at_s,
        rpo_s=recovery.rpo_s,
        reported_rpo_s=recovery.reported_rpo_s,
        rto_s=recovery.rto_s,
        lost_messages=None if lost is None else lost.messages,
        lost_bytes=None if lost is None else lost.bytes,
        lost_logs=None if lost is None else lost.logs,
        phantom=recovery.phantom if opened else None,
        damaged=recovery.damaged if opened else None,
        cause=recovery.cause,
        outcome=recovery.outcome,
        consistency=recovery.consistency,
    )


class SampleFiles:
    """Writes and asks Parquet files, through a database in memory that is opened when needed."""

    def __init__(self) -> None:
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._scratch: TemporaryDirectory[str] | None = None

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            self._opened = duckdb.connect(":memory:", config=_SETTINGS)
        return self._opened

    def close(self) -> None:
        """Gives the memory back."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def encoded(self, runs: Sequence[PlacedRun]) -> bytes:
        """All samples of a document as the bytes of a Parquet file."""
        connection = self._connection()
        connection.register("rows", _columns(samples_of(runs)))
        try:
            if self._scratch is None:
                self._scratch = TemporaryDirectory(prefix="rpolab-")
            path = Path(self._scratch.name) / "samples.parquet"
            connection.execute(_COPY.format(path=path))
            return path.read_bytes()
        finally:
            connection.unregister("rows")

    def quantiles(
        self, paths: Sequence[Path], measure: str, protection: str, levels: Sequence[float]
    ) -> tuple[int, list[float]]:
        """The number of recoveries that have a measure, and its quantiles over all of them.

        Args:
            paths: Parquet parts.
            measure: a column of `MEASURES`.
            protection: whose recoveries; 'cdp@local' is the copy 'local' of 'cdp'.
            levels: from 0 to 1.
        """
        assert measure in MEASURES, measure
        if not paths:
            return 0, []
        query = _QUANTILES.format(measure=measure)
        name, _, copy = protection.partition("@")
        arguments = [list(levels), [str(path) for path in paths], name, copy]
        [(count, quantiles)] = self._connection().execute(query, arguments).fetchall()
        return count, quantiles or []


def _columns(samples: Sequence[Sample]) -> dict[str, Any]:
    values = list(zip(*samples, strict=True)) or [()] * len(Sample._fields)
    return {
        name: _column(name, column) for name, column in zip(Sample._fields, values, strict=True)
    }


def _column(name: str, values: Sequence[Any]) -> Any:
    if name == "number":
        return np.array(values, dtype=np.int32)
    if name in _NUMBERS:
        numbers = np.array(
            [np.nan if value is None else value for value in values], dtype=np.float64
        )
        return np.ma.masked_invalid(numbers)
    return np.array(values, dtype=object)
