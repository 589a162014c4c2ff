"""More than two hundred malformed scenarios: each one error, at its line and column, at once."""

import re
import time

import pytest

from scenarios import check, check_text
from scenarios.document import read_document

BASE = """\
title: A base
teaches: Nothing yet
seed: 7
date: 2007-06-04
start: 10:00
duration: 1 h
exchange:
  version: 2007
  edition: enterprise
  service_pack: 1
  site: primary
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 250, profile: heavy, circular_logging: false}
sites:
  primary: {capacity: 1 TiB, disk: {throughput: 60 MiB/s, latency: 8 ms}}
  recovery: {}
links:
  - {between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms, jitter: 1 ms, loss: 0.1 %}
protect:
  cdp:
    kind: cdp
    copies: [{site: recovery, retention: 48 h}]
    bookmarks: {every: 15 min}
    heartbeat: 1 s
    pool: 64 MiB
    overflow: spill
    spool: 1 GiB
    batch_linger: 200 ms
    recover: latest
faults:
  - {at: 10:30, kind: site_loss, site: primary, probability: 50 %}
drills: {every: 5 min, at_end: true, classes: [any]}
rto: {detect: 5 min, decide: 1 h}
thresholds:
  cdp.rpo: ["max < 60 s"]
replications: 3
"""

DURATION = ["5 m", "5", "-5 s", "5 parsecs", "1e400 s", "[1 s]", "{a: 1 s}", "true", ".nan", "s",
            "99999999999999999999 d", "'\u0663 s'", "'1,5 s'", "''", "5 s 5 s 5"]  # fmt: skip
SIZE = ["64", "-1 MiB", "1 MB/s", "99 EiB", "[1 GiB]", "on", ".inf", "1 GiB 1", "0x10 MiB", "~"]
RATE = ["10 MB/s", "10", "-1 Mbit/s", "0 Mbit/s", "9999999 Tbit/s", "fast", "[10 Mbit/s]", ".inf"]
SHARE = ["0.1", "101 %", "-1 %", "%", "1 %%", "[1 %]", ".nan", "1 percent"]
NUMBER = ["x", "1.5", "-1", "true", "'7'", "99999999999999999999999999", ".nan", "[1]", "1e3", "~"]
WORD = ["seven", "7", "true", "[a]", "{a: b}", "'\\x1b[31m'", ".nan"]
NAME = ["9x", "'a b'", "7", "[a]", f"'{'x' * 64}'", "\u00e9t\u00e9", "''"]
FLAG = ["yes", "on", "0", "'true'", "[true]", "{}"]

WRONG = {
    ("title",): ["7", "1.5", "true", "[a]", "{a: b}", "''", f"'{'x' * 201}'"],
    ("teaches",): ["7", "[a]", f"'{'x' * 201}'"],
    ("seed",): NUMBER,
    ("date",): ["2007-02-30", "4 June", "7", "[2007-06-04]", "2007-6-4", "'0000-01-01'"],
    ("start",): ["25:00", "9:00", "10", "10:60", "[10:00]", "noon", "-1:00"],
    ("duration",): [*DURATION, "0 s", "40000 d"],
    ("exchange", "version"): ["2010", "'2007'", "true", "[2007]", "2007.0"],
    ("exchange", "edition"): WORD,
    ("exchange", "service_pack"): ["9", "x", "-1", "true", "1.5"],
    ("exchange", "storage_groups", 0, "mailboxes"): [*NUMBER, "0", "100001"],
    ("exchange", "storage_groups", 0, "profile"): [word for word in WORD if word[0] != "{"],
    ("exchange", "storage_groups", 0, "circular_logging"): FLAG,
    ("exchange", "storage_groups", 0, "name"): [item for item in NAME if item != "7"],
    ("sites", "primary", "capacity"): [*SIZE, "1 MiB"],
    ("sites", "primary", "disk", "throughput"): ["60 MiB", "60", "0 B/s", "60 Mbit/s", "[1 B/s]"],
    ("sites", "primary", "disk", "latency"): DURATION[:6],
    ("links", 0, "bandwidth"): RATE,
    ("links", 0, "latency"): DURATION[:8],
    ("links", 0, "jitter"): DURATION[:4],
    ("links", 0, "loss"): SHARE,
    ("protect", "cdp", "kind"): ["cpd", "ccr", "7", "[cdp]"],
    ("protect", "cdp", "copies", 0, "retention"): [*DURATION[:6], "0 s"],
    ("protect", "cdp", "bookmarks", "every"): [*DURATION[:6], "1 ms"],
    ("protect", "cdp", "heartbeat"): [*DURATION[:4], "1 ms"],
    ("protect", "cdp", "pool"): SIZE,
    ("protect", "cdp", "spool"): SIZE[:5],
    ("protect", "cdp", "overflow"): WORD[:5],
    ("protect", "cdp", "recover"): WORD[:5],
    ("faults", 0, "at"): ["12:30", "09:59", "10.5", "[10:30]", "60 min", "never", "-1 s"],
    ("faults", 0, "kind"): ["siteloss", "7", "[site_loss]", "true"],
    ("faults", 0, "probability"): SHARE,
    ("drills", "every"): DURATION[:6],
    ("drills", "at_end"): FLAG,
    ("drills", "classes", 0): ["apps", "7", "true", "[any]"],
    ("rto", "detect"): DURATION[:6],
    ("thresholds", "cdp.rpo", 0): ["max < 60", "maxx < 60 s", "max 60 s", "7", "[max < 60 s]",
        "max << 60 s", "p(101) < 60 s", "max < 60 m", "''", "count == 1.5", "~"],
    ("replications",): ["0", "-1", "many", "1.5", "100000", "[3]", "{count: x}", "{}"],
}  # fmt: skip


RAW = re.compile(r'"[^"]*"|[^,\[\]{}\n]+')


def wrong_values():
    """Each scenario with one value replaced by a wrong one, and where that stands."""
    root, lines = read_document(BASE.encode()), BASE.splitlines(keepends=True)
    for path, values in WRONG.items():
        node = root
        for step in path:
            node = node.child(step)
        line, column = node.mark.line, node.mark.column
        before, rest = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
        after = rest[len(RAW.match(rest)[0].rstrip()) :]
        for value in values:
            text = "".join([*lines[: line - 1], before + value + after, *lines[line:]])
            yield f"{'.'.join(map(str, path))}: {value[:30]}", text, line


def keys_of(node, path=()):
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield (*path, key), node.keys[key]
            yield from keys_of(child, (*path, key))
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from keys_of(child, (*path, index))


def wrong_keys():
    """Each key of its own line misspelt, and each of them there twice."""
    root, lines = read_document(BASE.encode()), BASE.splitlines(keepends=True)
    for path, mark in keys_of(root):
        line = lines[mark.line - 1]
        if line[: mark.column - 1].strip() or isinstance(path[-2:-1], int) or path[0] == "sites":
            continue
        name = ".".join(map(str, path))
        block = [*lines[: mark.line], *lines[mark.line - 1 :]]
        if not line.rstrip().endswith(":"):
            yield f"{name} twice", "".join(block), mark.line + 1
        if path[0] in ("start", "duration"):
            continue  # without them, the times of other parts are wrong too
        if len(path) == 1 or (path[:2] == ("protect", "cdp") and len(path) == 3):
            wrong = line.replace(path[-1], f"{path[-1]}zq", 1)
            yield f"{name} misspelt", "".join([*lines[: mark.line - 1], wrong, *lines[mark.line :]]
                                             ), mark.line  # fmt: skip


def seeded(text):
    return BASE.replace("seed: 7", f"seed: {text}").encode()


BOMB = "\n".join(
    ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
)
FILES = [
    ("an empty file", b"", 1),
    ("only a comment", b"# nothing\n", 1),
    ("only white space", b"\n  \n\n", 1),
    ("a picture", b"\x89PNG\r\n\x1a\n\x00\x00", 1),
    ("an archive", b"PK\x03\x04\x14\x00", 1),
    ("a program", b"\x7fELF\x02\x01\x01\x00", 1),
    ("UTF-16", "title: a".encode("utf-16"), 1),
    ("Latin-1", "title: \u00e9".encode("latin-1"), 1),
    ("an overlong slash", b"title: \xc0\xaf", 1),
    ("a lone surrogate", b"title: \xed\xa0\x80", 1),
    ("a surrogate as an escape", BASE.replace("A base", '"\\ud800"').encode(), 1),
    ("a surrogate in a key", b'seed: 1\n"\\udfff": 1', 2),
    ("a zero byte", b"title: a\x00b", 1),
    ("an escape sequence", b"title: a\nseed: \x1b[31m7", 2),
    ("half a character", b"title: a\nseed: \xe2\x82", 2),
    ("a billion laughs", BOMB.encode(), 2),
    ("an alias to itself", b"a: &a [*a]", 1),
    ("a merge of itself", b"a: &a {<<: *a}", 1),
    ("quadratic anchors", b"a: &a " + b"x" * 9_000 + b"\nb: [" + b"*a, " * 9_000 + b"]", 2),
    ("a mapping as a key", b"{a: 1}: 2", 1),
    ("a list as a key", b"? [a]\n: 1", 1),
    ("an object", b"!!python/object/apply:os.system [ls]", 1),
    ("a tag of our own", b"title: !secret x", 1),
    ("a binary tag", b"title: !!binary aGVsbG8=", 1),
    ("a set", b"seed: !!set {a, b}", 1),
    ("two documents", b"--- {a: 1}\n--- {b: 1}\n", 2),
    ("YAML 1.1", b"%YAML 1.1\n---\ntitle: a", 2),
    ("a directive of our own", b"%WHAT 1\n--- {title: a", 2),
    ("lists a hundred thousand deep", b"[" * 100_000, 1),
    ("mappings a hundred thousand deep", b"{a: " * 100_000, 1),
    ("mappings in blocks, 500 deep", b"\n".join(b" " * n + b"a:" for n in range(500)), 33),
    ("more values than a scenario has", b"- x\n" * 10_001, 10_000),
    ("more keys than a scenario has", b"".join(b"k%d: 1\n" % n for n in range(6_000)), 5_000),
    ("a file of a megabyte", b"title: " + b"x" * 2**20, 1),
    ("a title of half a megabyte", BASE.replace("A base", "x" * 2**19).encode(), 1),
    ("a line of half a million brackets", b"title: " + b"]" * 2**19, 1),
    ("half a million quotes", b"title: " + b"'" * (2**19 + 1), 1),
    ("half a million colons", b"title" + b":" * 2**19, 1),
    ("half a million spaces and a tab", b"title:\n" + b" " * 2**18 + b"\tx", 2),
    ("a number of a hundred thousand digits", seeded("9" * 100_000), 3),
    ("an exponent of a hundred thousand digits", seeded("1e" + "9" * 100_000), 3),
    ("a tab as indent", b"title: a\n\tseed: 1", 2),
    ("a colon in a title", b"title: a: b", 1),
    ("a bracket never closed", b"title: [a, b", 1),
    ("a quote never closed", b"title: 'a", 1),
    ("a bracket closed twice", b"title: [a]]", 1),
    ("an at sign", b"title: @a", 1),
    ("a back quote", b"title: `a`", 1),
    ("an indent that goes nowhere", b"title: a\n   seed: 1", 2),
    ("a list for a scenario", b"- title: a\n", 1),
    ("a word for a scenario", b"hello", 1),
    ("a number for a scenario", b"42", 1),
    ("nothing for a scenario", b"null", 1),
    ("not a number for a scenario", b".nan", 1),
    ("extends itself", b"title: a\nextends: plan.yaml", 2),
    ("extends nothing", b"title: a\nextends:", 2),
    ("extends a word", b"title: a\nextends: claen", 2),
    ("extends a folder", b"title: a\nextends: ./", 2),
    ("extends a device", b"title: a\nextends: /dev/zero.yaml", 2),
    ("extends a list", b"title: a\nextends: [clean]", 2),
    ("extends a very long name", b"title: a\nextends: " + b"x" * 9_000 + b".yaml", 2),
    ("varies too much", b"extends: clean\nvary: {link.latency: %s}"
     % str([f"{n} ms" for n in range(1_000)]).encode(), 2),
    ("varies by itself", b"extends: clean\nvary: {vary: [1]}", 2),
    ("varies a link that is not there", b"extends: clean\nvary: {links.9.loss: [1 %]}", 2),
    ("replicates a billion times", b"extends: clean\nreplications: 1000000000", 2),
]  # fmt: skip

TABLE = [(name, text.encode(), line) for name, text, line in (*wrong_values(), *wrong_keys())]
TABLE += FILES
SECONDS_MAX = 1.0


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return tmp_path_factory.mktemp("malformed") / "plan.yaml"


def test_the_base_of_the_table_is_right():
    assert check_text(BASE).problems == ()


def test_the_table_has_more_than_two_hundred_of_them(figure):
    figure(f"{len(TABLE)} malformed scenarios")
    assert len(TABLE) > 200
    assert len({name for name, _, _ in TABLE}) == len(TABLE)


@pytest.mark.parametrize("case", TABLE, ids=[name for name, _, _ in TABLE])
def test_a_malformed_scenario_is_one_error_where_it_stands_at_once(plan, case):
    _, content, line = case
    plan.write_bytes(content)
    started_s = time.process_time()
    checked = check(plan)
    spent_s = time.process_time() - started_s
    assert checked.scenario is None
    [problem] = checked.problems
    assert (problem.file, problem.line) == (str(plan), line), problem
    assert problem.column >= 1
    assert problem.hint
    assert str(problem).isprintable()
    assert len(str(problem)) < 1_000
    assert spent_s < SECONDS_MAX
