"""Where the mail comes from: exactly one source, and profiles in figures of one's own."""

import pytest

from scenarios import MailProfile, check_text

BASE = """\
title: A base
seed: 7
duration: 1 h
exchange:
  version: 2007
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 250}
sites: {primary: {}, recovery: {}}
links: [{between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}]
protect: {cdp: {kind: cdp, copies: [{site: recovery, retention: 48 h}]}}
drills: {every: 5 min}
thresholds: {cdp.rpo: ["max < 60 s"]}
"""
DAY = ", ".join(["4 %"] * 23 + ["8 %"])


def with_profile(profile):
    return BASE.replace("mailboxes: 250", f"mailboxes: 250, profile: {profile}")


def with_workload(workload):
    return f"{BASE}workload: {workload}\n"


@pytest.fixture
def folder(tmp_path):
    for name in ("mail.mbox", "a.log", "LogStats.csv"):
        (tmp_path / name).write_text("")
    (tmp_path / "logs").mkdir()
    return tmp_path


def test_figures_are_a_profile():
    checked = check_text(with_profile(f"{{sent: 25, received: 100, size: 60 KiB, hours: [{DAY}]}}"))
    assert checked.problems == ()
    assert checked.warnings == ()
    profile = checked.scenario.exchange.storage_groups[0].profile
    assert isinstance(profile, MailProfile)
    assert (profile.sent, profile.received, profile.size_bytes) == (25, 100, 60 * 1024)
    assert profile.hours == (*[0.04] * 23, 0.08)


def test_size_and_hours_may_be_left_out():
    checked = check_text(with_profile("{sent: 0, received: 1}"))
    profile = checked.scenario.exchange.storage_groups[0].profile
    assert (profile.size_bytes, profile.hours) == (50 * 1024, None)


@pytest.mark.parametrize(
    ("profile", "pointed", "message", "hint"),
    [
        ("{sent: 25}", "{sent", "the key 'received' is missing", "received: 100"),
        ("{sent: 25, recieved: 1}", "recieved", "unknown key", "did you mean 'received'?"),
        ("{sent: -1, received: 1}", "-1", "is negative", "at least 0"),
        ("{sent: 1.5, received: 1}", "1.5", "a whole number", "digits"),
        ("{sent: 20000, received: 1}", "20000", "out of range", "10,000"),
        ("{sent: 0, received: 0}", "{sent", "nobody sends or receives", "received: 100"),
        ("{sent: 1, received: 1, size: 60}", "60", "has no unit", "such as"),
        ("{sent: 1, received: 1, size: 1 KiB}", "1 KiB", "out of range", "2 KiB"),
        ("{sent: 1, received: 1, size: 6 MiB}", "6 MiB", "out of range", "5 MiB"),
        ("{sent: 1, received: 1, hours: [100 %]}", "[100 %]", "1 hours", "24 percentages"),
        (f"{{sent: 1, received: 1, hours: [{DAY.replace('8 %', '6 %')}]}}", "[4 %", "98 %", "100"),
        (f"{{sent: 1, received: 1, hours: [{DAY.replace('8 %', '8')}]}}", "8]", "no unit", "0.1 %"),
        ("{sent: 1, received: 1, hours: 9-17}", "9-17", "a list is expected", ""),
        ("heavvy", "heavvy", "is unknown", "did you mean 'heavy'?"),
        ("7", "7", "is unknown", "light"),
        ("[1]", "[1]", "is unknown", "light"),
    ],
)
def test_a_mistake_in_figures_is_one_error_where_it_stands(profile, pointed, message, hint):
    text = with_profile(profile)
    [problem] = check_text(text).problems
    assert message in problem.message
    assert hint in problem.hint
    assert text.splitlines()[problem.line - 1][problem.column - 1 :].startswith(pointed)
    assert problem.path.startswith("exchange.storage_groups[0].profile")
    assert "figures" not in problem.path


def test_hours_that_are_nearly_a_day_are_scaled_with_a_warning():
    text = with_profile(f"{{sent: 1, received: 1, hours: [{DAY.replace('8 %', '7.5 %')}]}}")
    [warning] = check_text(text).warnings
    assert "99.5 %, and are scaled to 100 %" in warning.message
    assert warning.path == "exchange.storage_groups[0].profile.hours"


@pytest.mark.parametrize(
    ("workload", "path", "is_open"),
    [
        ("{mbox: mail.mbox}", "mail.mbox", True),
        ("{tracking_log: a.log}", "a.log", True),
        ("{tracking_log: logs}", "logs", True),
        ("{log_stats: LogStats.csv, database: First Storage Group}", "LogStats.csv", False),
    ],
)
def test_each_source_of_mail_can_be_written(folder, workload, path, is_open):
    checked = check_text(with_workload(workload), folder=folder)
    assert checked.problems == ()
    assert checked.warnings == ()
    assert checked.scenario.workload_path == folder / path
    assert checked.scenario.starts_with_mail == is_open
    without = check_text(with_workload(workload).replace("duration: 1 h\n", ""), folder=folder)
    assert bool(without.problems) != is_open


@pytest.mark.parametrize(
    ("workload", "pointed", "message", "hint"),
    [
        ("{}", "{}", "names no file", "tracking_log"),
        ("{mbox: null}", "{mbox", "names no file", "tracking_log"),
        ("{mbox: mail.mbox, tracking_log: a.log}", "tracking_log", "both 'mbox' and", "keep one"),
        ("{mbox: mail.mbox, log_stats: LogStats.csv, database: X}", "log_stats", "both", "keep"),
        ("{log_stats: LogStats.csv}", "{log", "'database' is missing", "First Storage Group"),
        ("{mbox: mail.mbox, database: X}", "database", "says nothing", "remove"),
        ("{tracking_log: nowhere}", "nowhere", "does not exist", "relative"),
        ("{log_stats: logs, database: X}", "logs", "is not a file", "relative"),
        ("{log_stats: LogStats.csv, database: 7}", "7", "text is expected", "quotes"),
        ("{traking_log: a.log}", "traking_log", "unknown key", "did you mean 'tracking_log'?"),
    ],
)
def test_a_mistake_in_a_workload_is_told_where_it_stands(folder, workload, pointed, message, hint):
    text = with_workload(workload)
    problem = check_text(text, folder=folder).problems[-1]
    assert message in problem.message
    assert hint in problem.hint
    assert text.splitlines()[problem.line - 1][problem.column - 1 :].startswith(pointed)


def test_the_tracking_log_decides_date_and_start(folder):
    text = with_workload("{tracking_log: logs}\nstart: 10:00")
    [problem] = check_text(text, folder=folder).problems
    assert "'start' is given, and the tracking log decides it" in problem.message


@pytest.mark.parametrize(
    ("workload", "message"),
    [
        ("{tracking_log: logs}", "the profile has no effect: the tracking log decides the mail"),
        ("{log_stats: LogStats.csv, database: X}", "the hours have no effect"),
    ],
)
def test_what_of_the_profile_has_no_effect_is_doubtful(folder, workload, message):
    profile = f"{{sent: 1, received: 1, hours: [{DAY}]}}"
    text = with_profile(profile) + f"workload: {workload}\n"
    [warning] = check_text(text, folder=folder).warnings
    assert message in warning.message
