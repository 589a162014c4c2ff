"""Each wrong input gives exit code 2 and one clear error with its place, and no traceback."""

import pytest

MBOX = b"""\
From anna@example.com Mon Jun  4 10:00:00 2007
From: anna@example.com
Subject: Hello

A body.

"""
REPLAY = ("start: 10:00\nduration: 10 min\n", "workload: {mbox: mail.mbox}\n")
GROUP = "    - {name: SG1, databases: [MDB1], mailboxes: 20, profile: heavy}\n"
FIVE_GROUPS = "".join(
    f"    - {{name: SG{n}, databases: [DB{n}], mailboxes: 9}}\n" for n in range(5)
)
NO_DRILL = ("drills: {at: [10:05]}", "drills: {at_end: true}")

# what is replaced, by what, then line and column of the error, and a part of its text
MISTAKES = {
    "an unknown key": (("seed: 7", "sede: 7"), (2, 1), "did you mean 'seed'?"),
    "a unit that could be two": (("10 min", "15 m"), (4, 11), "write '15 min'"),
    "a site without a link": (
        ("  - {between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}\n", "  []\n"),
        (17, 21),
        "is unreachable",
    ),
    "a negative size": (
        ("primary: {}", "primary: {capacity: -1 GiB}"),
        (10, 23),
        "is negative",
    ),
    "a storage group more than the edition allows": (
        (
            f"  version: 2007\n  storage_groups:\n{GROUP}",
            f"  version: 2003\n  storage_groups:\n{FIVE_GROUPS}",
        ),
        (12, 7),
        "5 storage groups, and Exchange 2003 Enterprise allows 4",
    ),
    "continuous replication, which this version has not": (
        ("kind: cdp", "kind: ccr"),
        (16, 11),
        "protection by ccr is not yet in this version",
    ),
}


def assert_one_error(outcome, place, part):
    assert outcome.code == 2
    lines = outcome.err.splitlines() or outcome.out.splitlines()[:-1]
    errors = [line for line in lines if "error: " in line]
    assert len(errors) == 1
    assert errors[0].startswith(place)
    assert part in errors[0]
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_mistake_in_a_scenario_is_one_error_with_line_and_column(rpolab, quick, mistake, command):
    change, (line, column), part = MISTAKES[mistake]
    quick(change)
    assert_one_error(rpolab(command, "quick.yaml"), f"quick.yaml:{line}:{column}: error: ", part)


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("content", "line", "column", "part"),
    [
        (b"", 1, 1, "the archive is empty"),
        (MBOX[:70], 2, 1, "truncated"),
        (MBOX[:-3], 5, 7, "truncated"),
        (bytes(range(256)), 1, 1, "binary file"),
    ],
    ids=["empty", "cut in the headers", "cut in a line", "binary"],
)
def test_a_mail_archive_that_is_not_whole_is_one_error_with_line_and_column(
    rpolab, quick, tmp_path, command, content, line, column, part
):
    quick(REPLAY, NO_DRILL)
    (tmp_path / "mail.mbox").write_bytes(content)
    assert_one_error(rpolab(command, "quick.yaml"), f"mail.mbox:{line}:{column}: error: ", part)


def test_a_whole_mail_archive_is_no_problem(rpolab, quick, tmp_path):
    quick(REPLAY, NO_DRILL, (", profile: heavy", ""))
    (tmp_path / "mail.mbox").write_bytes(MBOX)
    assert rpolab("check", "quick.yaml") == (0, "quick.yaml: no problems\n", "")


def test_a_missing_mail_archive_points_at_its_line(rpolab, quick):
    quick(REPLAY, NO_DRILL)
    assert_one_error(rpolab("run", "quick.yaml"), "quick.yaml:3:18: error: ", "does not exist")


def test_a_mail_archive_that_becomes_unreadable_is_the_operators_matter(rpolab, quick, tmp_path):
    quick(REPLAY, NO_DRILL)
    (tmp_path / "mail.mbox").symlink_to("/proc/self/mem")  # a file that cannot be read from 0
    assert_one_error(rpolab("check", "quick.yaml"), "mail.mbox: error: ", "cannot be read")


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("site-los", "did you mean 'site-loss'?"),
        ("nothing.yaml", "there is no such file"),
        ("there/nothing", "there is no such file"),
        ("", "folder"),
        ("\x1b[2J", "\\x1b"),
    ],
)
def test_a_name_that_stands_for_nothing_is_one_error(rpolab, command, name, part):
    assert_one_error(rpolab(command, name), "", part)


def test_a_binary_file_is_no_scenario(rpolab, tmp_path):
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    outcome = rpolab("run", "binary.yaml")
    assert_one_error(outcome, "binary.yaml", "")
    assert outcome.err.isprintable() or outcome.err.rstrip("\n").isprintable()


@pytest.mark.parametrize("seed", ["-1", str(2**64), "7.5", "seven", ""])
def test_a_seed_out_of_range_is_refused(rpolab, quick, seed):
    quick()
    outcome = rpolab("run", "quick.yaml", "--seed", seed)
    assert outcome.code == 2
    assert "--seed" in outcome.err
    assert outcome.out == ""


def test_all_problems_of_all_scenarios_are_listed_in_order(rpolab, quick):
    quick(("seed: 7", "seed: -7"), ("20 ms", "20"), name="b.yaml")
    quick(("title: Ten minutes\n", ""), name="a.yaml")
    quick(name="c.yaml")
    outcome = rpolab("check", "b.yaml", "c.yaml", "a.yaml", "clean")
    lines = outcome.out.splitlines()
    assert outcome.code == 2
    assert [line.split(" ")[0] for line in lines[:3]] == [
        "a.yaml:1:1:",
        "b.yaml:2:7:",
        "b.yaml:13:67:",
    ]
    assert lines[-4:] == [
        "b.yaml: 2 errors",
        "c.yaml: no problems",
        "a.yaml: 1 error",
        "clean: no problems",
    ]


def test_a_doubt_is_a_warning_and_not_an_error(rpolab, quick):
    quick(('thresholds:\n  cdp.rpo: ["max < 60 s"]\n', ""))
    outcome = rpolab("check", "quick.yaml")
    assert outcome.code == 0
    assert "warning: nothing is judged" in outcome.out
    assert outcome.out.endswith("quick.yaml: 1 warning\n")


def test_nothing_runs_when_one_of_several_scenarios_is_invalid(rpolab, quick, tmp_path):
    quick()
    outcome = rpolab("run", "quick.yaml", "site-los", "--keep", "kept")
    assert_one_error(outcome, "site-los: error: ", "did you mean")
    assert outcome.out == ""
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("command", ["run", "check"])
def test_no_scenario_at_all_is_an_exit_code_of_its_own(rpolab, command):
    outcome = rpolab(command)
    assert outcome.code == 5
    assert "nothing was selected" in outcome.err
    assert "site-loss" in outcome.err


def test_a_misspelt_command_is_understood(rpolab):
    outcome = rpolab("chekc")
    assert outcome.code == 2
    assert "did you mean 'check'?" in outcome.err


def test_the_installed_command_says_the_same(child, quick):
    quick(MISTAKES["a unit that could be two"][0])
    outcome = child("run", "quick.yaml")
    assert_one_error(outcome, "quick.yaml:4:11: error: ", "write '15 min'")
    assert child("run", "site-los").code == 2
    assert child("check", "quick.yaml").code == 2


def test_a_terminal_without_unicode_shows_every_error(child, tmp_path):
    (tmp_path / "\u20ac.yaml").write_text("title: \u20ac\nsede: 7\n", encoding="utf-8")
    ascii_only = {"PATH": "/usr/bin", "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    outcome = child("check", "\u20ac.yaml", env=ascii_only)
    assert outcome.code == 2
    assert "\\u20ac.yaml:2:1: error: unknown key 'sede'" in outcome.out


FIELDS = "date-time,source,event-id,recipient-address,total-bytes,sender-address"
DELIVERY = "2007-06-04T10:00:00.000Z,STOREDRIVER,DELIVER,anna@x.com,2000,bert@x.com\n"
TRACKED = f"#Log-type: Message Tracking Log\n#Fields: {FIELDS}\n"
COUNTED = "Log Generation,Time Retrieved,ServerName,DatabaseName\n"
REPLAY_LOG = (REPLAY[0], "workload: {tracking_log: mail.log}\n")
LOG_STATS = (
    "duration: 10 min\n",
    "duration: 10 min\nworkload: {log_stats: LogStats.csv, database: SG1}\n",
)


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("content", "line", "column", "part"),
    [
        ("", 1, 1, "no '#Fields:' line"),
        ("#Log-type: SMTP Receive Protocol Log\n", 1, 11, "another log"),
        (TRACKED, 1, 1, "no delivery"),
        (TRACKED + DELIVERY.replace("2000", "much"), 3, 57, "'much' is no size"),
        ("\0\1\2", 1, 1, "binary file"),
    ],
    ids=["empty", "another log", "no delivery", "no usable delivery", "binary"],
)
def test_a_tracking_log_without_mail_is_one_error_with_line_and_column(
    rpolab, quick, tmp_path, command, content, line, column, part
):
    quick(REPLAY_LOG, NO_DRILL)
    (tmp_path / "mail.log").write_text(content)
    assert_one_error(rpolab(command, "quick.yaml"), f"mail.log:{line}:{column}: error: ", part)


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("content", "line", "column", "part"),
    [
        ("", 1, 1, "the file is empty"),
        ("a,b,c\n", 1, 1, "names no columns"),
        (COUNTED, 1, 1, "no sample of 'SG1'"),
        (COUNTED + "7,24/06/2007 10:00:00,MBX1,SG1\n", 2, 3, "is no time"),
        (COUNTED + "7,06/24/2007 10:00:00,MBX1,SG1\n", 1, 1, "no two samples"),
    ],
    ids=["empty", "another file", "no sample", "no usable sample", "one sample"],
)
def test_log_statistics_that_say_nothing_are_one_error_with_line_and_column(
    rpolab, quick, tmp_path, command, content, line, column, part
):
    quick(LOG_STATS)
    (tmp_path / "LogStats.csv").write_text(content)
    assert_one_error(rpolab(command, "quick.yaml"), f"LogStats.csv:{line}:{column}: error: ", part)


def test_each_row_left_out_is_a_warning_with_line_and_column(rpolab, quick, tmp_path):
    quick(REPLAY_LOG, NO_DRILL, (", profile: heavy", ""))
    bad = DELIVERY.replace("2000", "much")
    (tmp_path / "mail.log").write_text(TRACKED + DELIVERY + bad * 2)
    outcome = rpolab("check", "quick.yaml")
    assert outcome.code == 0
    first, second, summary = outcome.out.splitlines()
    assert first.startswith("mail.log:4:57: warning: row left out: total-bytes 'much'")
    assert second.startswith("mail.log:5:57: warning: row left out: total-bytes 'much'")
    assert summary == "quick.yaml: 2 warnings"


def test_a_tracking_log_that_becomes_unreadable_is_the_operators_matter(rpolab, quick, tmp_path):
    quick(REPLAY_LOG, NO_DRILL)
    (tmp_path / "mail.log").symlink_to("/proc/self/mem")  # a file that cannot be read from 0
    for command in ("check", "run"):
        assert_one_error(rpolab(command, "quick.yaml"), "mail.log: error: ", "cannot be read")


def test_a_run_tells_the_rows_that_it_left_out(rpolab, quick, tmp_path):
    quick(REPLAY_LOG, NO_DRILL, (", profile: heavy", ""))
    (tmp_path / "mail.log").write_text(TRACKED + "x\n" + DELIVERY)
    outcome = rpolab("run", "quick.yaml")
    assert outcome.code == 0
    words = " ".join(outcome.out.split())
    assert "tracking log 1 row is left out: mail.log:3:1: 1 fields, and 6 are named" in words
