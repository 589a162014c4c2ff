"""Compares the rows of a database, as this project reads them, with what other readers make of it.

Every reader is independent of this project: dissect.esedb, esedbexport of libesedb-utils, pyesedb
(libesedb-python) and impacket. What each of them cannot do (ese-format.md I) is left out and
counted as skipped, value by value:

* dissect.esedb misreads a long value of three or more chunks;
* esedbexport prints a separated long value blank, and numbers of some types in a form of its own;
* pyesedb takes a chunk that begins with the byte 0x18 for compressed;
* impacket gives the number of a separated long value in place of its data.

None but dissect.esedb tells an empty value from none.
"""

import importlib.util
import io
import shutil
import subprocess
import warnings
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from dissect.esedb import EseDB

from emulators.ese.formats.record import Separated
from emulators.ese.formats.schema import FIXED_FORMATS, TEXT_TYPES, ColumnType
from emulators.ese.recovery.opened import open_database

PROBLEMS_MAX = 20
DISSECT_CHUNKS_MAX = 2
COMPRESSION_MARK = 0x18
INTEGERS = {
    ColumnType.UNSIGNED_BYTE,
    ColumnType.SHORT,
    ColumnType.LONG,
    ColumnType.UNSIGNED_LONG,
    ColumnType.UNSIGNED_SHORT,
}
INTEGER_CODES = ("B", "h", "H", "i", "I", "q")
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
EXPORT_SECONDS_MAX = 600


@dataclass
class Comparison:
    """What was compared with one reader, and the first differences as sentences."""

    reader: str
    rows: int = 0
    values: int = 0
    skipped: int = 0
    problems: list = field(default_factory=list)

    def differ(self, text):
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(f"{self.reader}: {text}")

    def equal(self, where, ours, theirs):
        self.values += 1
        if ours != theirs:
            self.differ(f"{where} is {theirs!r:.80} instead of {ours!r:.80}")


@dataclass
class Cell:
    """One value of one row: as this project reads it, and whether it lies apart from its row."""

    column: object
    value: object
    is_separated: bool
    chunk_bytes: int

    @property
    def data(self):
        """The bytes of the value as they are stored, None when there is no value."""
        if isinstance(self.value, str):
            return self.value.encode(self.column.encoding, "surrogatepass")
        return self.value

    @property
    def chunks(self):
        size = len(self.data)
        return [self.data[at : at + self.chunk_bytes] for at in range(0, size, self.chunk_bytes)]


class Sample:
    """A clean database in a set of files, opened by this project.

    Args:
        files: where it lies.
        name: the file.
        file_format: of the database.
    """

    def __init__(self, files, name, file_format):
        self.image = files.read(name, 0, files.size(name))
        self.file_format = file_format
        self.tables = open_database(files, name, file_format).tables()

    def rows_of(self, table):
        """Yield the cells of each row of a table, in key order."""
        columns = table.definition.columns
        chunk_bytes = self.file_format.long_value_chunk_bytes
        for record, row in zip(table.records(), table.rows(), strict=True):
            yield [
                Cell(column, value, isinstance(stored, Separated), chunk_bytes)
                for column, stored, value in zip(columns, record, row, strict=True)
            ]


def pairs_of(done, table, ours, theirs):
    """Yield our row beside theirs, and note when there are not as many."""
    for number, (mine, other) in enumerate(zip_longest(ours, theirs)):
        if mine is None or other is None:
            which = "more" if mine is None else "fewer"
            done.differ(f"{table.definition.name} has {which} than {number} rows")
            return
        done.rows += 1
        yield f"{table.definition.name}[{number}]", mine, other


def compare_with_dissect(sample, _path):
    done = Comparison("dissect.esedb")
    database = EseDB(io.BytesIO(sample.image))
    for table in sample.tables:
        theirs = database.table(table.definition.name).records()
        for where, cells, record in pairs_of(done, table, sample.rows_of(table), theirs):
            for cell in cells:
                if cell.is_separated and len(cell.chunks) > DISSECT_CHUNKS_MAX:
                    done.skipped += 1
                    continue
                name = cell.column.name
                done.equal(f"{where}.{name}", cell.value, record.get(name))
    return done


def compare_with_esedbexport(sample, path):
    done = Comparison("esedbexport")
    target = path.parent / "out"
    finished = subprocess.run(
        ["esedbexport", "-v", "-t", str(target), str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=EXPORT_SECONDS_MAX,
        errors="replace",
    )
    printed = finished.stdout + finished.stderr
    if finished.returncode or "mismatch" in printed.lower():
        done.differ(f"returned {finished.returncode}: {printed[-300:]}")
    for table in sample.tables:
        compare_exported(done, sample, table, Path(f"{target}.export"))
    return done


def compare_exported(done, sample, table, folder):
    found = list(folder.glob(f"{table.definition.name}.*"))
    if len(found) != 1:
        done.differ(f"{table.definition.name} was not exported")
        return
    with found[0].open(encoding="utf-8", newline="\n") as lines:
        names = next(lines).rstrip("\n").split("\t")
        for where, cells, line in pairs_of(done, table, sample.rows_of(table), lines):
            printed = dict(zip(names, line.rstrip("\n").split("\t"), strict=True))
            for cell in cells:
                wanted = as_exported(cell)
                if wanted is None:
                    done.skipped += 1
                else:
                    name = cell.column.name
                    done.equal(f"{where}.{name}", wanted, printed[name])


def as_exported(cell):
    """Return how esedbexport prints a value, or None where it has a form of its own."""
    kind, value = cell.column.column_type, cell.value
    if value is None:
        return ""
    if cell.is_separated:
        return None
    if kind in TEXT_TYPES:
        return value.translate(ESCAPES)
    if kind is ColumnType.BIT:
        return "true" if value else "false"
    if kind in INTEGERS:
        return str(value)
    return value.hex() if isinstance(value, bytes) and kind is not ColumnType.GUID else None


def compare_with_pyesedb(sample, path):
    import pyesedb

    done = Comparison("pyesedb")
    database = pyesedb.file()
    database.open(str(path))
    for table in sample.tables:
        theirs = database.get_table_by_name(table.definition.name)
        records = (theirs.get_record(i) for i in range(theirs.number_of_records))
        for where, cells, record in pairs_of(done, table, sample.rows_of(table), records):
            places = {record.get_column_name(i): i for i in range(record.number_of_values)}
            for cell in cells:
                name = cell.column.name
                compare_data(done, f"{where}.{name}", cell, record, places[name])
    database.close()
    return done


def compare_data(done, where, cell, record, place):
    code = FIXED_FORMATS.get(cell.column.column_type)
    if cell.is_separated:
        if any(chunk[0] == COMPRESSION_MARK for chunk in cell.chunks):
            done.skipped += 1
            return
        found = record.get_value_data_as_long_value(place).get_data()
        done.equal(where, cell.data, found)
    elif code is None:
        done.equal(where, cell.data or b"", record.get_value_data(place) or b"")
    elif code in INTEGER_CODES and cell.column.column_type is not ColumnType.BIT:
        done.equal(where, cell.value, integer_of(record.get_value_data(place), code))
    else:
        done.skipped += 1


def integer_of(data, code):
    if data is None:
        return None
    return int.from_bytes(data, "little", signed=code.islower())


def compare_with_impacket(sample, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from impacket import ese

    done = Comparison("impacket")
    database = ese.ESENT_DB(str(path))
    for table in sample.tables:
        cursor = database.openTable(table.definition.name)
        theirs = iter(lambda cursor=cursor: database.getNextRow(cursor), None)
        for where, cells, record in pairs_of(done, table, sample.rows_of(table), theirs):
            for cell in cells:
                if cell.is_separated:
                    done.skipped += 1
                    continue
                name = cell.column.name
                found = record[name.encode()]
                done.equal(f"{where}.{name}", as_impacket(cell), found or as_nothing(found))
    database.close()
    return done


def as_nothing(found):
    return None if isinstance(found, str | bytes) else found


def as_impacket(cell):
    kind, value = cell.column.column_type, cell.value
    if value is None or value in ("", b""):
        return None
    if kind is ColumnType.BIT:
        return 255 if value else 0
    if kind in TEXT_TYPES:
        return value
    return value.hex().encode() if isinstance(value, bytes) else value


READERS = {
    "dissect.esedb": compare_with_dissect,
    "esedbexport": compare_with_esedbexport,
    "pyesedb": compare_with_pyesedb,
    "impacket": compare_with_impacket,
}


def is_installed(reader):
    if reader == "esedbexport":
        return shutil.which(reader) is not None
    return reader == "dissect.esedb" or importlib.util.find_spec(reader) is not None


def compare(reader, sample, folder):
    """Compare a database with what one reader makes of it.

    Args:
        reader: one of `READERS`.
        sample: the database.
        folder: an empty folder to write to.
    """
    path = folder / "MDB1.edb"
    path.write_bytes(sample.image)
    return READERS[reader](sample, path)
