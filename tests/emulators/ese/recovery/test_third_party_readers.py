"""Recovered databases of every format, read by programs that are not ours: equal rows.

Which readers there are, and what each cannot do, is said in `third_party`.
"""

from functools import cache

import pytest
from built_database import BuiltDatabase
from mail_world import DATABASE, World, recover
from third_party import READERS, Sample, compare, is_installed

from emulators.ese.formats.format import EXCHANGE_2007, FORMATS
from emulators.ese.running.parameters import Parameters

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dissect")

MESSAGES = 300
EVERY_READER = pytest.mark.parametrize("reader", READERS)
EVERY_FORMAT = pytest.mark.parametrize("file_format", FORMATS, ids=[f.name for f in FORMATS])


def need(reader):
    if not is_installed(reader):
        pytest.skip(f"{reader} is not installed")


@cache
def recovered(file_format, count, size):
    """The database of a server that was cut off in the middle of its work, recovered."""
    world = World(parameters=Parameters(file_format=file_format))
    world.spawn(world.drip(count, size, every_ms=20))
    world.run(count * 0.02 + 0.01)
    files = world.files()
    recover(files, log_format=file_format)
    return Sample(files, DATABASE, file_format), len(world.acknowledged)


def agree(reader, sample, tmp_path, figure):
    done = compare(reader, sample, tmp_path)
    assert done.problems == []
    figure(f"{done.rows} rows, {done.values} values compared, {done.skipped} skipped")
    return done


@EVERY_READER
@EVERY_FORMAT
def test_every_reader_finds_the_rows_of_a_recovered_database(file_format, reader, tmp_path, figure):
    need(reader)
    sample, acknowledged = recovered(file_format, MESSAGES, 6000)
    done = agree(reader, sample, tmp_path, figure)
    assert done.rows >= acknowledged > MESSAGES - 10
    assert done.values > 5 * done.rows


@EVERY_READER
@EVERY_FORMAT
def test_every_reader_finds_values_of_every_size(file_format, reader, tmp_path, figure):
    need(reader)
    built = BuiltDatabase(file_format)
    sizes = (0, 1, 1023, 1024, 1025, 4014, 4015, 8028, 8110, 8111, 16_220, 40_000)
    text = bytes(range(65, 91)) * 2000
    built.insert(
        (number, number % 2 == 0, f"Tab\t\u20ac {number}", text[:size], None)
        for number, size in enumerate(sizes * 8)
    )
    agree(reader, Sample(built.files(), DATABASE, file_format), tmp_path, figure)


@EVERY_READER
def test_a_value_that_differs_would_be_noticed(reader, tmp_path):
    need(reader)
    ours, theirs = (BuiltDatabase(EXCHANGE_2007) for _ in range(2))
    rows = [(number, True, "Subject", b"body", None) for number in range(50)]
    ours.insert(rows)
    theirs.insert([*rows[:20], (20, True, "Another", b"body", None), *rows[21:49]])
    sample = Sample(ours.files(), DATABASE, EXCHANGE_2007)
    sample.image = Sample(theirs.files(), DATABASE, EXCHANGE_2007).image
    problems = compare(reader, sample, tmp_path).problems
    assert any("Item[20].Subject" in problem for problem in problems)
    assert any("fewer than 49 rows" in problem for problem in problems)
