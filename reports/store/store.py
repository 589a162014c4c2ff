"""The store: keeps documents, finds them again, and forgets those that are asked to be forgotten.

Running the same thing twice is two entries: each was run, and that both came to the same is worth
knowing. An entry's id is chosen before it is written, so that writing it again, after a failure
that may have come too late, keeps it once. One `Store` is for one process: after a fork, open
another.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Self

import zstandard
from sqlalchemy import Connection, insert, select

from reports.documents import document_from_json
from reports.model import Result
from reports.placed_runs import placed_runs
from reports.store import tables
from reports.store.catalogue import Catalogue
from reports.store.errors import StoreBusyError, UnknownEntryError
from reports.store.folder_catalogue import open_folder
from reports.store.locations import FolderLocation, Location, location_of
from reports.store.parts import DOCUMENT, SAMPLES, Parts
from reports.store.pruning import Pruned, Retention, prune
from reports.store.records import Entry, Origin, StoredRun, new_entry_id
from reports.store.rows import entry_row, figure_of, insert_runs
from reports.store.selecting import Selection, newest, resolve
from reports.store.server_catalogue import open_server
from reports.study import Study

if TYPE_CHECKING:
    from reports.store.samples import SampleFiles

_STAGINGS_MAX = 3
_ZSTD_LEVEL = 9


def open_store(place: str | Path | Location, *, create: bool = True, program: str = "") -> "Store":
    """Opens a store.

    Args:
        place: a folder, or the URL of a PostgreSQL database.
        create: make it if it is not there.
        program: who asks; the store remembers who made it.

    Raises:
        StoreError: it is not there, damaged, newer, or out of reach. It is left as it is.
    """
    location = location_of(place) if isinstance(place, str | Path) else place
    if isinstance(location, FolderLocation):
        catalogue = open_folder(location.folder, create=create, program=program)
        return Store(catalogue, location.folder)
    return Store(open_server(location, create=create, program=program), None)


class Store:
    """An open store; close it, or use it with `with`."""

    def __init__(self, catalogue: Catalogue, folder: Path | None) -> None:
        self._catalogue = catalogue
        self._parts = Parts(catalogue, folder)
        self._opened_samples: SampleFiles | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return self._catalogue.place

    def close(self) -> None:
        """Closes the store; what was kept is kept already."""
        if self._opened_samples is not None:
            self._opened_samples.close()
        self._catalogue.close()

    @property
    def _samples(self) -> "SampleFiles":
        if self._opened_samples is None:
            # Only who writes or asks samples waits for DuckDB: most commands need the catalogue.
            from reports.store.samples import SampleFiles  # noqa: PLC0415 - see above

            self._opened_samples = SampleFiles()
        return self._opened_samples

    def keep(self, document: Result | Study, origin: Origin, entry_id: str = "") -> str:
        """Keeps a document; when this returns, it is durable.

        Args:
            document: what to keep.
            origin: where it came from.
            entry_id: of an attempt that may have failed; a new one when left out.

        Returns:
            The entry's id.

        Raises:
            StoreError: it could not be kept; nothing of it counts.
        """
        entry_id = entry_id or new_entry_id()
        runs = placed_runs(document)
        compressed = zstandard.ZstdCompressor(_ZSTD_LEVEL).compress(document.to_json().encode())
        contents = {DOCUMENT: compressed, SAMPLES: self._samples.encoded(runs)}
        row = entry_row(entry_id, document, origin)
        for _ in range(_STAGINGS_MAX):
            staged = self._parts.stage(entry_id, contents)
            with self._catalogue.writing() as connection:
                if _has(connection, entry_id):
                    return entry_id
                if self._parts.are_there(staged):
                    connection.execute(insert(tables.entries), row)
                    insert_runs(connection, entry_id, runs)
                    self._parts.insert(connection, staged)
                    return entry_id
        hint = "something removes files from it: another program, perhaps"
        raise StoreBusyError(self.place, f"the parts of entry {entry_id} do not stay", hint)

    def document(self, entry_id: str) -> Result | Study:
        """Reads a document back, and checks that it is what was written.

        Raises:
            StoreDamagedError: it is missing or was changed.
            UnknownEntryError: there is no such entry; or it was pruned.
        """
        with self._entry_read(entry_id) as connection:
            compressed = self._parts.read(connection, entry_id, DOCUMENT)
        content = zstandard.ZstdDecompressor().decompress(compressed)
        return document_from_json(content, f"{self.place}: entry {entry_id}")

    @contextmanager
    def _entry_read(self, entry_id: str) -> Iterator[Connection]:
        with self._catalogue.reading() as connection:
            if not _has(connection, entry_id):
                hint = "`rpolab history` lists those that are; it may have been pruned"
                raise UnknownEntryError(self.place, f"there is no entry {entry_id}", hint)
            yield connection

    def entries(self, selection: Selection) -> list[Entry]:
        """The entries of a selection, the newest first."""
        with self._catalogue.reading() as connection:
            return newest(connection, selection)

    def resolve(self, reference: str) -> Entry:
        """The entry that a reference means.

        Raises:
            UnknownEntryError: there is none, or it is not clear which.
        """
        with self._catalogue.reading() as connection:
            return resolve(connection, reference, self.place)

    def runs(self, selection: Selection) -> list[StoredRun]:
        """The runs of the entries of a selection with their figures, the newest entry first."""
        with self._catalogue.reading() as connection:
            return [
                run
                for entry in newest(connection, selection)
                for run in _runs_of(connection, entry)
            ]

    def quantiles(
        self, entries: Sequence[Entry], measure: str, protection: str, levels: Sequence[float]
    ) -> tuple[int, list[float]]:
        """Quantiles of a measure over all recoveries of several entries together.

        Args:
            entries: whose samples to take.
            measure: a column of `samples.MEASURES`.
            protection: whose recoveries.
            levels: from 0 to 1.

        Returns:
            The number of samples, and a value for each level; none without a sample.

        Raises:
            StoreDamagedError: a part is missing or was changed.
        """
        with TemporaryDirectory(prefix="rpolab-") as folder:
            with self._catalogue.reading() as connection:
                paths = [
                    self._parts.checked_file(connection, entry.entry_id, SAMPLES, Path(folder))
                    for entry in entries
                ]
            return self._samples.quantiles(paths, measure, protection, levels)

    def prune(self, retention: Retention, *, now_ns: int, dry_run: bool = False) -> Pruned:
        """Forgets old entries, and sweeps what dead writers left.

        Args:
            retention: what stays.
            now_ns: calendar time.
            dry_run: only say what would go.
        """
        return prune(self._catalogue, self._parts, retention, now_ns=now_ns, dry_run=dry_run)

    def problems(self) -> list[str]:
        """Reads everything in the store; returns what is damaged, in words."""
        with self._catalogue.reading() as connection:
            found = [str(problem) for problem in self._parts.problems(connection)]
            if not self._catalogue.keeps_parts:
                told_by_sqlite = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
                found += [f"{self.place}: {text}" for text in told_by_sqlite if text != "ok"]
        return found


def _has(connection: Connection, entry_id: str) -> bool:
    column = tables.entries.c.entry_id
    return connection.execute(select(column).where(column == entry_id)).first() is not None


def _runs_of(connection: Connection, entry: Entry) -> list[StoredRun]:
    table = tables.runs
    query = select(table).where(table.c.entry_id == entry.entry_id).order_by(table.c.number)
    found = [
        StoredRun(entry, row.number, row.cell, int(row.seed), row.effects, row.verdict)
        for row in connection.execute(query)
    ]
    by_number = {run.number: run for run in found}
    figures = tables.figures
    for row in connection.execute(select(figures).where(figures.c.entry_id == entry.entry_id)):
        by_number[row.number].figures[row.name] = figure_of(row)
    return found
