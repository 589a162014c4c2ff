"""A scenario that writes only what differs from another one."""

import pytest

from scenarios import check, library_path, load
from scenarios.document import read_document
from scenarios.named_lists import with_lists

BASE = library_path("clean").read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path):
    """Writes files, given as name and text, and returns the first one's path."""

    def files(**texts):
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / f"{next(iter(texts)).replace('__', '/')}.yaml"

    return files


def one_problem(path):
    [problem] = check(path).problems
    return problem


def test_mappings_merge_key_by_key_and_all_else_replaces(write):
    path = write(
        plan="""\
extends: base.yaml
title: With another pool
protect: {cdp: {pool: 32 MiB}}
drills: {every: 10 min}
thresholds:
  cdp.rpo: ["max < 1 min"]
""",
        base=BASE,
    )
    scenario, base = load(path), load(path.with_name("base.yaml"))
    cdp = scenario.protect["cdp"]
    assert cdp == base.protect["cdp"].model_copy(update={"pool_bytes": 32 * 2**20})
    assert scenario.drills.at_end is base.drills.at_end is True
    assert scenario.title == "With another pool"
    assert scenario.exchange == base.exchange
    assert next(iter(scenario.threshold_list())).expression.text == "max < 1 min"
    assert len(scenario.threshold_list()) == len(base.threshold_list())


def test_a_list_replaces_and_a_mapping_of_names_merges_into_it(write):
    listed = "extends: clean\nexchange:\n  storage_groups: "
    replaced = load(write(plan=f"{listed}[{{name: SG9, databases: [DB], mailboxes: 2}}]\n"))
    assert [group.name for group in replaced.exchange.storage_groups] == ["SG9"]
    merged = load(
        write(plan=f"{listed}{{SG1: {{mailboxes: 2}}, SG9: {{databases: [DB], mailboxes: 3}}}}\n")
    )
    first, second = merged.exchange.storage_groups
    assert (first.name, first.mailboxes, first.profile) == ("SG1", 2, "heavy")
    assert (second.name, second.mailboxes) == ("SG9", 3)


def test_a_list_of_named_things_may_be_a_mapping_without_any_parent(write):
    listed = "- {name: SG1, databases: [MDB1], mailboxes: 60, profile: heavy}"
    text = BASE.replace(listed, "SG1: {databases: [MDB1], mailboxes: 60, profile: heavy}")
    text = text.replace("[{site: recovery, retention: 48 h}]", "{recovery: {retention: 48 h}}")
    assert text != BASE
    assert load(write(plan=text)).model_dump() == load("clean").model_dump()


def test_what_a_named_thing_is_called_is_said_once(write):
    path = write(plan="extends: clean\nexchange: {storage_groups: {SG2: {name: SG3}}}\n")
    problem = one_problem(path)
    assert "called 'SG2' and 'SG3'" in problem.message
    assert (problem.line, problem.column) == (2, 41)


@pytest.mark.parametrize(
    ("written", "item"),
    [
        ("{recovery: {retention: 1 h}}", {"site": "recovery", "retention": "1 h"}),
        ("{recovery: }", {"site": "recovery"}),
        ("{recovery: {site: recovery}}", {"site": "recovery"}),
        ("{far: {site: recovery}}", {"name": "far", "site": "recovery"}),
        ("{far: {site: recovery, name: far}}", {"site": "recovery", "name": "far"}),
    ],
)
def test_a_copy_is_called_by_its_site_or_has_a_name_of_its_own(written, item):
    root = read_document(f"protect: {{cdp: {{copies: {written}}}}}".encode())
    assert with_lists(root).plain()["protect"]["cdp"]["copies"] == (item,)


def test_a_grandparent_in_another_folder_is_found_from_its_child(write):
    path = write(
        plans__plan="extends: ../parents/parent.yaml\nseed: 11\n",
        parents__parent="extends: base.yaml\nseed: 10\nduration: 20 min\n",
        parents__base=BASE,
    )
    scenario = load(path)
    assert (scenario.seed, scenario.duration_ns) == (11, 20 * 60 * 10**9)


def test_a_mail_file_is_found_from_the_folder_of_the_file_that_names_it(write, tmp_path):
    text = BASE.replace("date: 2007-06-04\nstart: 10:00\n", "workload: {mbox: mail.mbox}\n")
    path = write(plans__plan="extends: ../parents/base.yaml\n", parents__base=text)
    (tmp_path / "parents" / "mail.mbox").write_text("From a\n")
    assert load(path).mbox_path.resolve() == tmp_path / "parents" / "mail.mbox"


def test_another_kind_of_thing_takes_the_whole_place(write):
    text = "extends: clean\nfaults: [{at: 10:10, kind: site_loss, site: primary}]\n"
    path = write(plan=f"{text}protect: {{cdp: {{kind: ccr}}}}\n")
    [problem] = check(path).problems
    assert problem.path == "protect.cdp.kind"
    assert "unknown key" not in problem.message


def test_every_error_names_the_file_in_which_the_value_stands(write):
    base = BASE.replace("latency: 20 ms", "latency: 20").replace("max < 10 s", "max < 10 m")
    path = write(plan="extends: base.yaml\nseed: x\nthresholds: {cdp.rop: []}\n", base=base)
    found = {(problem.file.rpartition("/")[2], problem.line) for problem in check(path).problems}
    lines = base.splitlines()
    latency = next(n for n, line in enumerate(lines, 1) if "latency: 20," in line)
    threshold = next(n for n, line in enumerate(lines, 1) if "max < 10 m" in line)
    assert found == {("plan.yaml", 2), ("plan.yaml", 3), ("base.yaml", latency),
                     ("base.yaml", threshold)}  # fmt: skip


def test_a_threshold_keeps_its_line_and_names_its_file_where_that_is_another(write):
    path = write(plan='extends: base.yaml\nthresholds:\n  cdp.rpo: ["max < 1 h"]\n', base=BASE)
    own, *inherited = load(path).threshold_list()
    assert (own.line, own.file) == (3, "")
    lines = BASE.splitlines()
    for threshold in inherited:
        assert threshold.file == str(path.with_name("base.yaml"))
        assert threshold.name in lines[threshold.line - 1]


@pytest.mark.parametrize(
    ("extends", "message", "hint"),
    [
        ("claen", "no scenario 'claen' in the library", "did you mean 'clean'?"),
        ("base", "no scenario 'base' in the library", "with its '.yaml'"),
        ("nowhere.yaml", "nowhere.yaml' is not there", "path from this one's folder"),
        ("../", "is a folder", "name a scenario"),
        ("", "is expected, read nothing", "name a scenario"),
        ("[clean]", "is expected, read a list", "name a scenario"),
        ("7", "is expected, read 7", "name a scenario"),
        ("list.yaml", "'list.yaml' is no scenario", "a mapping"),
        ('"a\\0.yaml"', "is not there", "name a scenario"),
        (f"{'x' * 5000}.yaml", "is not there", "name a scenario"),
        ("plan.yaml", "a circle: 'plan.yaml' extends this file", "end it"),
    ],
)
def test_a_parent_that_is_none_is_refused_at_the_word(write, extends, message, hint):
    path = write(plan=f"title: A\nextends: {extends}\n", list="- 1\n")
    problem = one_problem(path)
    assert message in problem.message
    assert hint in problem.hint
    column = 1 if extends == "" else 10
    assert (problem.file, problem.line, problem.column) == (str(path), 2, column)
    assert str(problem).isprintable()


def test_a_circle_is_refused_in_the_file_that_closes_it(write):
    path = write(a="extends: b.yaml\n", b="seed: 1\nextends: c.yaml\n", c="extends: a.yaml\n")
    problem = one_problem(path)
    assert problem.file.endswith("c.yaml")
    assert problem.line == 1
    assert "a circle" in problem.message


def test_eight_parents_are_read_and_a_ninth_is_refused(write):
    chain = {f"f{n}": f"extends: f{n + 1}.yaml\n" for n in range(8)}
    assert load(write(**chain, f8=BASE)).seed == 7
    problem = one_problem(write(**chain, f8="seed: 1\nextends: f9.yaml\n", f9=BASE))
    assert problem.file.endswith("f8.yaml")
    assert problem.line == 2
    assert "more than 8 files" in problem.message


def test_a_parent_that_is_no_yaml_is_an_error_in_the_parent(write):
    problem = one_problem(write(plan="extends: base.yaml\n", base="title: a\nseed: [1\n"))
    assert problem.file.endswith("base.yaml")
    assert (problem.line, problem.column) == (2, 7)
