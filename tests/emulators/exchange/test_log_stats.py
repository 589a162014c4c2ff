"""The reader of LogStats.csv, and the model that makes mail of it."""

import csv
import datetime as dt
import io
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.exchange.input_files import BadRows
from emulators.exchange.log_rates import LOG_BYTES, RECEIVED, SENT, curve_of, log_rates
from emulators.exchange.log_stats import LogStatsError, read_log_stats
from emulators.exchange.profiles import profile_named
from emulators.exchange.working_day import PARTS, WORKING_DAY

HEADER_2013 = "Log Generation,Time Retrieved,ServerName,DatabaseName"
HEADER_LATER = '"DatabaseName","ServerName","LogGeneration","TimeCollected"'
MIDNIGHT = dt.datetime(2007, 6, 4)  # noqa: DTZ001 - a server's clock


def text_of(samples, server="MBX1", database="SG1"):
    lines = [
        f"{generation},{MIDNIGHT + dt.timedelta(hours=hour):%m/%d/%Y %H:%M:%S},{server},{database}"
        for hour, generation in samples
    ]
    return "\r\n".join([HEADER_2013, *lines, ""])


@pytest.fixture
def write(tmp_path):
    def write_stats(text):
        path = tmp_path / "LogStats.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_stats


def read(path, database="SG1"):
    return read_log_stats(path, database, BadRows())


def test_logs_of_each_hour_become_its_share_and_their_sum_the_day(write):
    generations = [0]
    for hour in range(48):
        generations.append(generations[-1] + 10 + 20 * (9 <= hour % 24 < 11))
    rates = log_rates(read(write(text_of(enumerate(generations)))))
    assert rates.logs_per_day == 24 * 10 + 40
    assert rates.hours_unobserved == ()
    assert [round(share * 280 / PARTS) for share in rates.curve.shares] == [
        30 if hour in (9, 10) else 10 for hour in range(24)
    ]


def test_a_sample_off_the_hour_is_spread_over_the_hours_it_covers(write):
    rates = log_rates(read(write(text_of([(9.5, 0), (10.5, 60)]))))
    known = [rates.curve.shares[9], rates.curve.shares[10]]
    assert known[0] == pytest.approx(known[1], abs=1)
    assert rates.hours_unobserved == tuple(hour for hour in range(24) if hour not in (9, 10))


def test_hours_without_samples_have_the_shape_of_the_working_day(write):
    level = WORKING_DAY.shares
    rates = log_rates(read(write(text_of([(10, 0), (11, level[10])]))))
    assert rates.logs_per_day == pytest.approx(PARTS)
    assert rates.curve.shares == WORKING_DAY.shares


@pytest.mark.parametrize(
    ("samples", "logs", "left_out"),
    [
        ([(0, 5), (1, 9), (2, 3), (3, 7)], 8, (1, 0, 0)),  # a new log stream
        ([(0, 5), (1, 9), (9, 99), (10, 100)], 5, (0, 1, 0)),  # the collector was down
        ([(0, 5), (1, 9), (1, 10), (2, 12)], 6, (0, 0, 1)),  # taken twice
        ([(2, 5), (3, 9), (2, 10), (3, 12)], 6, (0, 0, 1)),  # the clock went back
        ([(0, 5), (2, 9)], 4, (0, 0, 0)),
    ],
)
def test_what_does_not_say_when_logs_were_made_is_left_out(write, samples, logs, left_out):
    found = read(write(text_of(samples)))
    assert found.logs == logs
    assert (found.resets, found.gaps, found.clock_steps) == left_out


def test_other_databases_and_passive_copies_are_told_apart(write):
    text = text_of([(0, 1), (1, 9)], "PASSIVE") + text_of([(0, 1), (1, 11)], "ACTIVE", "sg1")
    found = read(write(text + text_of([(0, 1), (1, 99)], "ACTIVE", "SG2")), "sG1")
    assert (found.server, found.logs) == ("ACTIVE", 10)
    assert found.other_servers == ("PASSIVE",)
    assert found.other_databases == ("SG2",)


@pytest.mark.parametrize(
    "spelling",
    ["6/4/2007 1:30:00 PM", "06/04/2007 13:30:00", "2007-06-04 13:30:00", "04.06.2007 13:30:00",
     "2007-06-04T13:30", "6/4/2007 1:30 pm"],
)  # fmt: skip
def test_each_spelling_of_a_time_is_the_same_time(write, spelling):
    first = '"SG1","M","1","6/4/2007 1:00:00 PM"'
    text = f"{HEADER_LATER}\n{first}\nSG1,M,9,{spelling}\n"
    [(_, later)] = read(write(text)).pairs
    assert later.time == MIDNIGHT.replace(hour=13, minute=30)


@pytest.mark.parametrize(
    ("line", "part", "column"),
    [
        ("x,06/04/2007 01:00:00,M,SG1", "no log generation", 1),
        ("-1,06/04/2007 01:00:00,M,SG1", "no log generation", 1),
        ("9999999999,06/04/2007 01:00:00,M,SG1", "beyond the last", 1),
        ("7,24/06/2007 01:00:00,M,SG1", "no time", 3),
        ("7,06/04/2007 13:00:00 PM,M,SG1", "no time", 3),
        ("7,06/04/2007 25:00:00,M,SG1", "no time", 3),
        ("7,,M,SG1", "no time", 1),
        ("7,06/04/2007 01:00:00,M,", "no DatabaseName", 1),
        ("7,06/04/2007 01:00:00,M", "3 fields, and 4 are named", 1),
        ('7,"06/04/2007 01:00:00,M,SG1', "no comma-separated values", 3),
    ],
)
def test_a_bad_row_is_left_out_and_told_with_its_place(write, line, part, column):
    text = text_of([(0, 1), (1, 9)]).replace("\r\n1,", f"\r\n{line}\r\n1,", 1)
    bad_rows = BadRows()
    found = read_log_stats(write(text), "SG1", bad_rows)
    assert found.logs == 8
    [bad] = bad_rows.first
    assert (bad.line, bad.column) == (2, column)
    assert part in bad.reason


@pytest.mark.parametrize(
    ("text", "line", "part", "hint"),
    [
        ("", 1, "empty", "GetTransactionLogStats"),
        ("Dear diary\n", 1, "names no columns", "GetTransactionLogStats"),
        ('"never closed\n', 1, "no comma-separated", "GetTransactionLogStats"),
        (HEADER_2013 + "\n", 1, "no sample of 'SG1'", "GetTransactionLogStats"),
        (HEADER_2013 + "\nx,y,z,SG1\n", 2, "none of the 1 rows", "GetTransactionLogStats"),
        (text_of([(0, 1), (1, 2)], database="SG2"), 1, "no sample of 'SG1'", "'SG2'"),
        (text_of([(0, 1)]), 1, "no two samples", "every hour"),
        (text_of([(0, 1), (1, 1)]), 1, "no two samples", "every hour"),
        (text_of([(0, 1), (9, 5)]), 1, "no two samples", "every hour"),
    ],
)
def test_a_file_that_says_nothing_is_refused_with_its_place(write, text, line, part, hint):
    path = write(text)
    with pytest.raises(LogStatsError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}:")
    assert part in caught.value.problem
    assert hint in caught.value.hint


@settings(deadline=None)
@given(
    order=st.permutations(["generation", "time", "server", "database", "Note"]),
    made=st.lists(st.integers(0, 500), min_size=1, max_size=30).filter(any),
    line_end=st.sampled_from(["\n", "\r\n"]),
    has_bom=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    is_later=st.booleans(),
)
def test_order_quotes_line_ends_and_unknown_columns_change_nothing(
    tmp_path_factory, order, made, line_end, has_bom, quoting, is_later
):
    old, later = HEADER_2013.split(","), "LogGeneration,TimeCollected,ServerName,DatabaseName"
    keys = ("generation", "time", "server", "database")
    names = dict(zip(keys, later.split(",") if is_later else old, strict=True))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=line_end, quoting=quoting)
    writer.writerow([names.get(name, name) for name in order])
    generation = 1
    for hour, logs in enumerate([0, *made]):
        generation += logs
        values = {
            "generation": str(generation),
            "time": f"{MIDNIGHT + dt.timedelta(hours=hour):%m/%d/%Y %H:%M:%S}",
            "server": "a, b",
            "database": 'The "first", storage group',
        }
        writer.writerow([values.get(name, "") for name in order])
    path = tmp_path_factory.mktemp("stats") / "LogStats.csv"
    path.write_bytes(b"\xef\xbb\xbf" * has_bom + out.getvalue().encode())
    bad_rows = BadRows()
    found = read_log_stats(path, 'the "FIRST", storage group', bad_rows)
    assert bad_rows.count == 0
    pairs = [(earlier.generation, later.generation) for earlier, later in found.pairs]
    assert [after - before for before, after in pairs] == made
    assert all(first[1] == second[0] for first, second in pairwise(pairs))


@given(st.lists(st.integers(0, 10**6), min_size=24, max_size=24).filter(any))
def test_a_curve_has_its_weights_shares_to_a_part_in_a_million(weights):
    from fractions import Fraction

    curve = curve_of([Fraction(weight) for weight in weights])
    total = sum(weights)
    for share, weight in zip(curve.shares, weights, strict=True):
        assert abs(share - weight * PARTS / total) <= 1


def test_the_scale_makes_the_deliveries_log_what_was_counted(write):
    rates = log_rates(read(write(text_of([(hour, 100 * hour) for hour in range(25)]))))
    profile = profile_named(2007, "heavy")
    size = profile.message_bytes_mean
    daily = 250 * rates.scale(profile, 250)
    logged = daily * (20 * SENT.of(size) + 80 * RECEIVED.of(size))
    assert logged == pytest.approx(2400 * LOG_BYTES)
