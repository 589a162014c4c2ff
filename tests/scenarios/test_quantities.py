from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.grammar import Grammar, QuantityError
from scenarios.moments import Moment, parse_date, parse_moment, parse_time_of_day
from scenarios.quantities import (
    DAY_NS,
    DURATION,
    DURATION_NS_MAX,
    HOUR_NS,
    MINUTE_NS,
    RATE,
    SECOND_NS,
    SIZE,
    THROUGHPUT,
    parse_share,
    spell_duration,
)

GRAMMARS = (DURATION, SIZE, RATE, THROUGHPUT)
EVERY_UNIT = [(grammar, unit) for grammar in GRAMMARS for unit in grammar.units]
EVERY_CORRECTION = [(grammar, unit) for grammar in GRAMMARS for unit in grammar.corrections]


@pytest.mark.parametrize(("grammar", "unit"), EVERY_UNIT)
@pytest.mark.parametrize("number", ["0", "1", "01", "1.0"])
@pytest.mark.parametrize("gap", ["", " ", "  "])
def test_each_unit_is_read_with_and_without_a_gap(grammar, unit, number, gap):
    assert grammar.parse(f" {number}{gap}{unit} ") == int(Fraction(number)) * grammar.units[unit]


@pytest.mark.parametrize(("grammar", "unit"), EVERY_CORRECTION)
def test_each_misspelt_unit_is_refused_with_what_to_write(grammar: Grammar, unit):
    assert unit not in grammar.units
    with pytest.raises(QuantityError) as caught:
        grammar.parse(f"3 {unit}")
    assert f"'3 {unit}'" in str(caught.value)
    meant = grammar.corrections[unit]
    if " " in meant:
        assert caught.value.hint == meant
    else:
        assert caught.value.hint == f"write '3 {meant}'"
        assert grammar.parse(f"1 {meant}") == 1 * grammar.units[meant]


@pytest.mark.parametrize(
    ("text", "value_ns"),
    [
        ("15 min", 15 * MINUTE_NS),
        ("1 h", HOUR_NS),
        ("20 ms", 20_000_000),
        ("1.5 h", 90 * MINUTE_NS),
        ("0.001 us", 1),
        ("1 h 30 min", 90 * MINUTE_NS),
        ("2 d 3 h 4 min 5 s", 2 * DAY_NS + 3 * HOUR_NS + 4 * MINUTE_NS + 5 * SECOND_NS),
        ("36500 d", DURATION_NS_MAX),
    ],
)
def test_a_duration_is_exact_nanoseconds(text, value_ns):
    assert DURATION.parse(text) == value_ns


def test_binary_and_decimal_sizes_and_rates_keep_their_meaning():
    assert SIZE.parse("256 KiB") == 256 * 1024
    assert SIZE.parse("1 GiB") == 2**30
    assert SIZE.parse("1 GB") == 10**9
    assert SIZE.parse("1 EiB") == 2**60
    assert RATE.parse("10 Mbit/s") == 10_000_000
    assert THROUGHPUT.parse("60 MiB/s") == 60 * 2**20


@pytest.mark.parametrize(
    ("read", "message", "hint"),
    [
        ("15 m", "could be a minute, a month or a metre", "write '15 min'"),
        ("15m", "could be a minute, a month or a metre", "write '15 min'"),
        (15, "15 has no unit", "'15 min'"),
        ("15", "'15' has no unit", "write '15 min'"),
        (1.5, "1.5 has no unit", "'1.5 min'"),
        (-15, "is negative", "such as"),
        ("-15 min", "is negative", "such as"),
        ("\u221215 min", "is negative", "such as"),
        ("", "a duration is expected, read ''", "'15 min'"),
        (None, "read nothing", "'15 min'"),
        (True, "read true", "'15 min'"),
        ((1, 2), "read a list", "'15 min'"),
        ({}, "read a mapping", "'15 min'"),
        ("0.5 ns", "not a whole number of nanoseconds", "such as"),
        ("1,5 h", "is not a duration", "'1.5 h'"),
        ("10 MIN", "not a unit", "write '10 min'"),
        ("1 week", "not a unit", "'7 d'"),
        ("3 months", "not a unit", "no fixed length"),
        ("5 parsec", "not a unit", "units: ns"),
        ("1 min 1 h", "not in falling order", "largest unit first"),
        ("1 h 1 h", "not in falling order", "largest unit first"),
        ("36501 d", "more than 100 years", "such as"),
        ("9" * 31 + " s", "is not a duration", "'15 min'"),
        ("soon", "is not a duration", "'15 min'"),
        ("1 h soon", "is not a duration", "'15 min'"),
        ("1e3 s", "not a unit", "units:"),
        ("+5 s", "is not a duration", "'15 min'"),
        ("5 \x1b[31m", r"\x1b[31m", "units:"),
    ],
)
def test_a_wrong_duration_says_what_was_read_and_what_to_write(read, message, hint):
    with pytest.raises(QuantityError) as caught:
        DURATION.parse(read)
    assert message in str(caught.value)
    assert hint in caught.value.hint
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("grammar", "read", "message", "hint"),
    [
        (SIZE, "-1 GiB", "is negative", "such as"),
        (SIZE, "2 EiB", "more than 1 EiB", "such as"),
        (SIZE, "1 GiB 1 MiB", "more than one quantity", "write one"),
        (SIZE, "0.3 B", "not a whole number of bytes", "such as"),
        (SIZE, 100, "100 has no unit", "'100 GiB'"),
        (RATE, "10 Mbps", "not a unit", "write '10 Mbit/s'"),
        (RATE, "10 MB/s", "not a unit", "80 Mbit/s"),
        (RATE, "10 MiB/s", "not a unit", "in bits"),
        (THROUGHPUT, "60 MiB", "not a unit", "write '60 MiB/s'"),
        (THROUGHPUT, "60 Mbit/s", "not a unit", "in bytes"),
    ],
)
def test_sizes_rates_and_throughputs_are_not_mistaken_for_each_other(grammar, read, message, hint):
    with pytest.raises(QuantityError) as caught:
        grammar.parse(read)
    assert message in str(caught.value)
    assert hint in caught.value.hint


@given(st.integers(0, DURATION_NS_MAX))
def test_a_spelled_duration_is_read_back_as_the_same(duration_ns):
    assert DURATION.parse(spell_duration(duration_ns)) == duration_ns


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.none(), st.booleans()))
def test_whatever_is_read_gives_a_value_within_limits_or_a_quantity_error(read):
    for grammar in GRAMMARS:
        try:
            value = grammar.parse(read)
        except QuantityError as error:
            assert error.hint  # noqa: PT017  # both outcomes are right; each is checked
        else:
            assert 0 <= value <= grammar.largest


@pytest.mark.parametrize(
    ("text", "share"),
    [("0 %", 0), ("0.1 %", Fraction(1, 1000)), ("100%", 1), ("33.3 %", Fraction(333, 1000))],
)
def test_a_percentage_is_an_exact_share(text, share):
    assert parse_share(text) == share


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (0.5, "has no unit"),
        ("0.5", "is not a percentage"),
        ("-1 %", "is negative"),
        ("100.1 %", "more than 100 %"),
        ("half", "is not a percentage"),
        (None, "read nothing"),
        (True, "read true"),
    ],
)
def test_a_wrong_percentage_is_refused(read, message):
    with pytest.raises(QuantityError, match=message) as caught:
        parse_share(read)
    assert "%" in caught.value.hint


def test_every_minute_of_the_day_is_read_as_its_time():
    for minute in range(24 * 60):
        text = f"{minute // 60:02}:{minute % 60:02}"
        assert parse_time_of_day(text) == minute * MINUTE_NS
    assert parse_time_of_day("10:30:15") == 10 * HOUR_NS + 30 * MINUTE_NS + 15 * SECOND_NS


@pytest.mark.parametrize(
    ("read", "hint"),
    [
        ("9:30", "write '09:30'"),
        ("10.30", "write '10:30'"),
        ("10h30", "write '10:30'"),
        ("9:05 pm", "write '21:05'"),
        ("12:00 am", "write '00:00'"),
        ("24:00", "24-hour clock"),
        ("10:60", "24-hour clock"),
        ("10:30:60", "24-hour clock"),
        ("noon", "24-hour clock"),
        (1030, "24-hour clock"),
        (None, "24-hour clock"),
    ],
)
def test_a_wrong_time_of_day_is_refused_with_the_right_one_where_it_is_clear(read, hint):
    with pytest.raises(QuantityError) as caught:
        parse_time_of_day(read)
    assert hint in caught.value.hint


def test_a_moment_is_a_time_of_day_or_a_duration_after_the_start():
    assert parse_moment("10:30") == Moment(10 * HOUR_NS + 30 * MINUTE_NS, on_the_clock=True)
    assert parse_moment("20 min") == Moment(20 * MINUTE_NS, on_the_clock=False)
    assert parse_moment("10:30").after_start_ns(10 * HOUR_NS) == 30 * MINUTE_NS
    assert parse_moment("09:00").after_start_ns(10 * HOUR_NS) == 23 * HOUR_NS
    assert parse_moment("20 min").after_start_ns(10 * HOUR_NS) == 20 * MINUTE_NS
    with pytest.raises(QuantityError) as caught:
        parse_moment(10.3)
    assert "write '10:30'" in caught.value.hint


@pytest.mark.parametrize("read", ["2007-02-30", "4.6.2007", "2007-6-4", "1066-10-14", 2007, None])
def test_a_wrong_date_is_refused(read):
    with pytest.raises(QuantityError):
        parse_date(read)
    assert parse_date("2007-06-04").isoformat() == "2007-06-04"
