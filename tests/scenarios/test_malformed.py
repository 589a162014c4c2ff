"""Each mistake in a scenario gives its one clear error at the right line and column."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios import ScenarioError, check, check_text, load

BASE = """\
title: A base
seed: 7
start: 10:00
duration: 1 h
exchange:
  version: 2007
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 250, profile: heavy}
sites:
  primary: {}
  recovery: {}
links:
  - {between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}
protect:
  cdp:
    kind: cdp
    copies: [{site: recovery, retention: 48 h}]
    bookmarks: {every: 15 min}
faults:
  - {at: 10:30, kind: site_loss, site: primary}
drills: {every: 5 min}
thresholds:
  cdp.rpo: ["max < 60 s"]
"""

# what is replaced, by what, then the text at which the error must point (first occurrence in
# the changed line), a part of the message, a part of the hint
MISTAKES = [
    ("seed: 7", "sed: 7", "sed", "unknown key 'sed'", "did you mean 'seed'?"),
    ("seed: 7", "seed: 7\nzzz: 1", "zzz", "unknown key 'zzz'", "known keys"),
    ("seed: 7\n", "", "title", "the key 'seed' is missing", "seed: 7"),
    ("title: A base\n", "", "seed", "the key 'title' is missing", "title:"),
    ("title: A base", "title: 2007", "2007", "text is expected", "quotes"),
    ("title: A base", "title: ''", "''", "this is empty", "1"),
    ("title: A base", "title: [a]", "[a]", "text is expected, read a list", ""),
    ("seed: 7", "seed: '7'", "'7'", "a whole number is expected", ""),
    ("seed: 7", "seed: 7.5", "7.5", "a whole number is expected", ""),
    ("seed: 7", "seed: true", "true", "a whole number is expected", ""),
    ("seed: 7", "seed: -7", "-7", "-7 is negative", "at least 0"),
    ("seed: 7", "seed: 18446744073709551616", "1844", "out of range", "at most"),
    ("duration: 1 h", "duration: 15 m", "15 m", "could be a minute", "write '15 min'"),
    ("duration: 1 h", "duration: 60", "60", "60 has no unit", "min"),
    ("duration: 1 h", "duration: -1 h", "-1 h", "is negative", "such as"),
    ("duration: 1 h", "duration: 0 h", "0 h", "too small", "at least"),
    ("duration: 1 h", "duration: 40000 d", "40000 d", "more than 100 years", ""),
    ("duration: 1 h", "duration: [1 h]", "[1 h]", "read a list", "15 min"),
    ("duration: 1 h\n", "", "title", "the key 'duration' is missing", "mbox"),
    ("start: 10:00", "start: 25:00", "25:00", "not on the clock", "24-hour"),
    ("start: 10:00", "start: 9:00", "9:00", "not a time of day", "write '09:00'"),
    ("start: 10:00", "date: 2007-02-30\nstart: 10:00", "2007-02-30", "calendar", "2007-06-04"),
    ("start: 10:00", "date: 4 June\nstart: 10:00", "4 June", "not a date", "2007-06-04"),
    ("start: 10:00", "start: 10:00\nfidelity: sparse", "sparse", "later version", "full"),
    ("start: 10:00", "start: 10:00\nfidelity: ful", "ful", "unknown", "did you mean 'full'?"),
    ("version: 2007", "version: 2007\n  edition: pro", "pro", "'pro' is unknown", "enterprise"),
    ("version: 2007", "version: 2007\n  service_pack: 4", "4", "out of range", "at most 3"),
    ("version: 2007", "version: 2003\n  service_pack: 3", "3", "no service pack 3", "2"),
    ("profile: heavy", "profile: large", "large", "2007 has no user profile", "very_heavy"),
    ("[MDB1]", "[MDB1, mdb1]", "mdb1", "a second database is called 'MDB1'", "of its own"),
    ("[MDB1]", "[a, b, c, d, e, f]", "[a, b", "6 databases in one storage group", "fewer"),
    (
        "- {name: SG1",
        "- {name: SG1, mailboxes: 1, databases: [D]}\n    - {name: SG1",
        "SG1",
        "a second storage group",
        "of its own",
    ),
    ("version: 2007", "version: 2010", "2010", "2010 is unknown", "2007"),
    ("version: 2007", "version: '2007'", "'2007'", "unknown", "2007"),
    ("version: 2007", "version: 2007\n  site: prmary", "prmary", "no site 'prmary'", "primary"),
    ("mailboxes: 250", "mailboxes: -250", "-250", "-250 is negative", "at least 1"),
    ("mailboxes: 250", "mailboxes: 1000000", "1000000", "out of range", "at most 100,000"),
    ("mailboxes: 250", "mailbox: 250", "mailbox", "unknown key", "did you mean 'mailboxes'?"),
    ("profile: heavy", "profile: heavvy", "heavvy", "unknown", "did you mean 'heavy'?"),
    ("[MDB1]", "[]", "[]", "0 databases", "at least one database"),
    ("[MDB1]", "['a b']", "'a b'", "is not a name", "begins with a letter"),
    ("  recovery: {}", "  recovery: {}\n  2x: {}", "2x", "is not a name", "begins with"),
    ("  recovery: {}", "  recovery: {}\n  primary: {}", "primary", "here twice", "remove one"),
    ("  recovery: {}", "  recovery: x", "x", "a mapping of keys to values is expected", ""),
    ("recovery: {}", "recovery: {disk: {latency: -1 ms}}", "-1 ms", "is negative", ""),
    ("recovery: {}", "recovery: {disk: {throughput: 60 MiB}}", "60 MiB", "unit", "60 MiB/s"),
    ("recovery: {}", "recovery: {capacity: -1 GiB}", "-1 GiB", "is negative", "1 GiB"),
    ("recovery: {}", "recovery: {capacity: 2 EiB}", "2 EiB", "more than 1 EiB", ""),
    ("recovery: {}", "recovery: {capcity: 1 GiB}", "capcity", "unknown key", "'capacity'"),
    ("latency: 20 ms", "latency: 20 ms, loss: 101 %", "101 %", "more than 100 %", "100 %"),
    ("latency: 20 ms", "latency: 20 ms, loss: 0.1", "0.1", "no unit", "0.1 %"),
    ("10 Mbit/s", "10 MB/s", "10 MB/s", "not a unit of a rate", "80 Mbit/s"),
    ("10 Mbit/s", "0 Mbit/s", "0 Mbit/s", "too small", "1 bit/s"),
    ("[primary, recovery]", "[primary, primary]", "[primary, p", "to itself", "different"),
    ("[primary, recovery]", "[primary]", "[primary]", "between two sites", "recovery"),
    ("[primary, recovery]", "[primary, recvery]", "recvery", "no site 'recvery'", "'recovery'"),
    ("links:", "lnks:", "lnks", "unknown key 'lnks'", "did you mean 'links'?"),
    ("site: recovery", "site: recvery", "recvery", "no site 'recvery'", "'recovery'"),
    ("[{site: recovery, retention: 48 h}]", "[]", "[]", "0 copies", "site: recovery"),
    ("kind: cdp", "kind: ccr", "ccr", "ccr is not yet in this version", "cdp"),
    ("kind: cdp", "kind: cpd", "cpd", "'cpd' is not a kind of protection", "did you mean 'cdp'?"),
    ("    kind: cdp\n", "", "copies", "the key 'kind' is missing", "kind: cdp"),
    ("every: 15 min", "every: 1 ms", "1 ms", "too small", "at least '1 s'"),
    ("every: 15 min", "evry: 15 min", "evry", "unknown key", "did you mean 'every'?"),
    ("bookmarks: {", "recover: last\n    bookmarks: {", "last", "unknown", "'latest'"),
    ("bookmarks: {", "pool: 64\n    bookmarks: {", "64", "64 has no unit", "64 GiB"),
    ("kind: site_loss", "kind: siteloss", "siteloss", "not a kind of fault", "'site_loss'"),
    ("kind: site_loss, ", "", "{at", "the key 'kind' is missing", "site_loss"),
    ("site: primary}", "site: prim}", "prim}", "no site 'prim'", "'primary'"),
    ("at: 10:30", "at: 12:30", "12:30", "outside the run", "lasts 1 h from 10:00"),
    ("at: 10:30", "at: 09:59", "09:59", "outside the run", "lasts 1 h"),
    ("at: 10:30", "at: 60 min", "60 min", "outside the run", "lasts 1 h"),
    ("at: 10:30", "at: 10.5", "10.5", "neither a time of day nor a duration", "10:50"),
    ("at: 10:30, ", "", "{kind", "the key 'at' is missing", "at: 10:30"),
    ("site: primary}", "site: primary, probability: 2 %%}", "2 %%", "percentage", "0.1 %"),
    ("drills: {every: 5 min}", "drills: {}", "{}", "no time", "at_end"),
    ("drills: {every: 5 min}", "drills: {at: [11:30]}", "11:30", "outside the run", ""),
    ("drills: {every: 5 min}", "drills: {at: 10:30}", "10:30", "a list is expected", "["),
    ("drills: {every: 5 min}", "drills: {at_end: yes}", "yes", "true or false", ""),
    ("every: 5 min}", "every: 5 min, classes: [any, apps]}", "apps", "unknown", "'app'"),
    ("every: 5 min}", "every: 5 min, classes: []}", "[]", "no class", "[any]"),
    ("every: 5 min}", "every: 5 min, classes: [any, any]}", "[any", "twice", "once"),
    ("thresholds:", "rto: {detct: 5 min}\nthresholds:", "detct", "unknown key", "'detect'"),
    ("cdp.rpo:", "cdp.rop:", "cdp.rop", "'rop' is not a metric", "did you mean 'rpo'?"),
    ("cdp.rpo:", "cpd.rpo:", "cpd.rpo", "no protection 'cpd'", "did you mean 'cdp'?"),
    ("cdp.rpo:", "rpo:", "rpo", "'rpo' is not a metric", "cdp.rpo"),
    ('["max < 60 s"]', "max < 60 s", "max", "a list is expected", '["max < 60 s"]'),
    ('["max < 60 s"]', "[]", "[]", "no threshold", "max < 60 s"),
    ('"max < 60 s"', '"max < 60"', '"max < 60"', "is not a duration", "60 s"),
    ('"max < 60 s"', '"max < 60 m"', '"max < 60 m"', "could be a minute", "60 min"),
    ('"max < 60 s"', '"p95 < 60 s"', '"p95', "unknown", "write 'p(95)'"),
    ("seed: 7", "seed: 7\nseed: 8", "seed: 8", "here twice; the first is on line 2", "remove"),
    ("sites:", "workload: {mbox: nowhere.mbox}\nsites:", "nowhere", "does not exist", "relative"),
]


def one_problem(text, folder=None):
    checked = check_text(text, "plan.yaml", folder)
    assert checked.scenario is None
    assert len(checked.problems) == 1, [str(problem) for problem in checked.problems]
    return checked.problems[0]


def test_the_base_of_the_mistakes_is_right():
    checked = check_text(BASE)
    assert checked.problems == ()
    assert checked.warnings == ()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake[1]}")
def test_a_mistake_is_one_clear_error_where_it_stands(tmp_path, mistake):
    old, new, pointed, message, hint = mistake
    assert BASE.count(old) >= 1
    text = BASE.replace(old, new, 1)
    if "mbox" in new:  # the archive decides when the run starts
        text = text.replace("start: 10:00\n", "").replace("at: 10:30", "at: 30 min")
    problem = one_problem(text, tmp_path)
    assert message in problem.message
    assert hint in problem.hint
    pointed_at = text.splitlines()[problem.line - 1][problem.column - 1 :]
    assert pointed_at.startswith(pointed), (problem, pointed_at)
    assert str(problem).startswith(f"plan.yaml:{problem.line}:{problem.column}: ")


def test_sixty_mistakes_are_tried():
    assert len(MISTAKES) >= 60


LINK_FAULT = "{at: 10:30, kind: link_outage, between: [primary, recovery], duration: 5 min}"
SITE_FAULT = "{at: 10:30, kind: site_loss, site: primary}"


@pytest.mark.parametrize(
    ("fault", "message", "hint"),
    [
        ("{at: 10:30, kind: link_outage, between: [primary, spare], duration: 1 min}",
         "no link between primary and spare", "links are between primary and recovery"),
        ("{at: 10:30, kind: disk_full, site: primary, volume: journal}",
         "no journal at 'primary'", "recovery"),
        ("{at: 10:30, kind: disk_stall, site: recovery, volume: logs, duration: 1 s}",
         "logs volume is not at 'recovery'", "primary"),
        ("{at: 10:30, kind: disk_full, site: primary, volume: log}",
         "unknown", "did you mean 'logs'?"),
        ("{at: 10:30, kind: lost_log, protection: ccr, which: required}",
         "no protection 'ccr'", "cdp"),
        ("{at: 10:30, kind: lost_log, protection: cdp, which: any}", "unknown", "required"),
        ("{at: 10:30, kind: link_slow, between: [primary, recovery], duration: 1 min}",
         "the key 'bandwidth' is missing", "1 Mbit/s"),
        ("{at: 10:30, kind: power_cut, site: nowhere}", "no site 'nowhere'", "primary"),
    ],
)  # fmt: skip
def test_a_fault_that_hits_nothing_is_refused(fault, message, hint):
    text = BASE.replace(SITE_FAULT, fault).replace("recovery: {}", "recovery: {}\n  spare: {}", 1)
    problem = one_problem(text)
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    "fault",
    [
        LINK_FAULT,
        LINK_FAULT.replace("outage", "slow").replace("duration", "bandwidth: 1 bit/s, duration"),
        "{at: 10:59:59, kind: power_cut, site: recovery, probability: 50 %}",
        "{at: 10:00, kind: disk_stall, site: recovery, volume: journal, duration: 1 min}",
        "{at: 0 s, kind: disk_full, site: primary, volume: database}",
        "{at: 10:30, kind: lost_log, protection: cdp, which: required}",
    ],
)
def test_each_kind_of_fault_can_be_written(fault):
    checked = check_text(BASE.replace(SITE_FAULT, fault))
    assert checked.problems == ()


def test_a_copy_that_no_link_reaches_is_called_unreachable():
    text = BASE.replace("recovery: {}", "recovery: {}\n  spare: {}", 1)
    problem = one_problem(text.replace("[primary, recovery]", "[primary, spare]"))
    assert "unreachable" in problem.message
    assert problem.hint == "add a link 'between: [primary, recovery]'"
    assert problem.path == "protect.cdp.copies[0].site"


def test_a_second_link_between_two_sites_is_refused_in_either_order():
    link = "  - {between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}\n"
    second = link.replace("[primary, recovery]", "[recovery, primary]")
    assert "second link" in one_problem(BASE.replace(link, link + second)).message


def test_the_mbox_decides_date_and_start(tmp_path):
    (tmp_path / "mail.mbox").write_text("From a\n")
    text = BASE.replace("sites:", "workload: {mbox: mail.mbox}\nsites:")
    problem = one_problem(text, tmp_path)
    assert "the mbox decides it" in problem.message
    checked = check_text(text.replace("start: 10:00\n", ""), "plan.yaml", tmp_path)
    assert checked.scenario is not None
    assert checked.scenario.mbox_path == tmp_path / "mail.mbox"
    assert checked.scenario.starts_with_mail
    assert any("profile has no effect" in warning.message for warning in checked.warnings)
    without = text.replace("start: 10:00\n", "").replace("duration: 1 h\n", "")
    assert check_text(without, "plan.yaml", tmp_path).scenario.duration_ns is None


def test_a_folder_as_mbox_is_refused(tmp_path):
    text = BASE.replace("sites:", "workload: {mbox: .}\nsites:").replace("start: 10:00\n", "")
    assert "is not a file" in one_problem(text, tmp_path).message


def test_all_mistakes_of_a_file_are_reported_sorted_by_line():
    text = (
        BASE.replace("seed: 7", "seed: x")
        .replace("heavy", "heavvy")
        .replace("site: recovery", "site: recvery")
        .replace("at: 10:30", "at: 12:30")
        .replace("cdp.rpo", "cdp.rop")
    )
    problems = check_text(text).problems
    assert [problem.line for problem in problems] == [2, 8, 17, 20, 23]


def test_a_broken_link_does_not_make_the_copy_unreachable():
    problem = one_problem(BASE.replace("latency: 20 ms", "latency: 20"))
    assert "has no unit" in problem.message


@pytest.mark.parametrize(
    ("content", "line", "column", "message"),
    [
        (b"", 1, 1, "empty"),
        (b"# only a comment\n", 1, 1, "empty"),
        (b"\x89PNG\r\n\x1a\n\x00", 1, 1, "not text: byte 0x89"),
        (b"title: a\nseed: \xff", 2, 7, "not text: byte 0xff"),
        (b"title: a\x00b", 1, 9, "control character 0x00"),
        ("title: a".encode("utf-16"), 1, 1, "UTF-16"),
        (b"- 1\n- 2\n", 1, 1, "a mapping of keys to values is expected, read a list"),
        (b"hello", 1, 1, "a mapping of keys to values is expected, read 'hello'"),
        (b"42", 1, 1, "a mapping of keys to values is expected, read 42"),
        (b"null", 1, 1, "a mapping of keys to values is expected, read nothing"),
        (b"title: a: b", 1, 9, "not YAML"),
        (b"title: [a, b", 1, 8, "never closed"),
        (b"title: 'a", 1, 8, "never closed"),
        (b"title: a\n\tseed: 1", 2, 1, "not YAML"),
        (b"title: @a", 1, 8, "not YAML"),
        (b"a: &x [1]\nb: *x\n", 2, 4, "alias"),
        (b"a: &x [1]\nb: {<<: *x}\n", 2, 5, "merge key"),
        (b"title: !!python/object:os.system x", 1, 8, "tag"),
        (b"--- {a: 1}\n--- {b: 1}\n", 2, 1, "second document"),
        (b"%YAML 1.1\n---\ntitle: a", 2, 1, "%YAML"),
        (b"? [a, b]\n: 1", 1, 3, "collection as a key"),
        (b"[" * 100_000, 1, 33, "nesting deeper"),
        (b"- x\n" * 10_001, 10_000, 3, "more than 10,000"),
        (b"x" * (2**20 + 1), 1, 1, "1,048,577 bytes"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_scenario_is_one_clear_error(tmp_path, content, line, column, message):
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    checked = check(path)
    assert len(checked.problems) == 1
    problem = checked.problems[0]
    assert message in problem.message
    assert problem.hint
    assert (problem.line, problem.column) == (line, column)


def test_a_billion_laughs_file_is_refused_at_its_first_alias(tmp_path):
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines))
    problem = check(path).problems[0]
    assert "alias" in problem.message
    assert problem.line == 2


def test_a_missing_file_a_folder_and_an_unknown_name_say_so(tmp_path):
    for name, message in [
        (tmp_path / "no.yaml", "no such file"),
        (tmp_path, "folder"),
        ("site-los", "neither such a file nor a scenario in the library"),
        ("x\0y", "not a file name"),
        ("x" * 5_000, "cannot be a file"),
    ]:
        with pytest.raises(ScenarioError) as caught:
            load(name)
        assert message in str(caught.value)
        assert caught.value.problems[0].line == 0
    with pytest.raises(ScenarioError, match="did you mean 'site-loss'"):
        load("site-los")


def test_an_error_never_carries_raw_control_characters():
    problem = one_problem(BASE.replace("seed: 7", 'seed: 7\n"\\e[31m": 1'))
    assert str(problem).isprintable()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_a_file_gives_anything_but_problems_or_a_scenario(data):
    content = bytearray(BASE.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(len(content), start + 20)))
        content[start:stop] = data.draw(st.binary(max_size=6))
    checked = check_text(content.decode("utf-8", "replace"))
    assert (checked.scenario is None) == bool(checked.problems)
    for problem in checked.problems:
        assert problem.line >= 1
        assert str(problem).isprintable()


def test_a_misspelt_protect_does_not_hide_behind_its_thresholds():
    problem = one_problem(BASE.replace("protect:", "protct:").replace("cdp.rpo:", "cdp:"))
    assert "unknown key 'protct'" in problem.message
