"""The mail server of a scenario: what each edition allows, and faults of one storage group."""

import pytest

from scenarios import EDITION_LIMITS, check_text, library_path

GROUP = "    - {name: SG1, databases: [MDB1], mailboxes: 60, profile: heavy}\n"


def checked(server, groups, extra=""):
    text = library_path("clean").read_text()
    assert GROUP in text
    text = text.replace("  version: 2007\n", server).replace(GROUP, "".join(groups))
    return check_text(text.replace("drills:", f"{extra}\ndrills:"), "plan.yaml")


def group(number, databases):
    names = ", ".join(f"DB{number}x{database}" for database in range(databases))
    return f"    - {{name: SG{number}, databases: [{names}], mailboxes: 5}}\n"


def server(version, edition):
    return f"  version: {version}\n  edition: {edition}\n"


@pytest.mark.parametrize(("version", "edition"), EDITION_LIMITS)
def test_as_many_groups_as_the_edition_allows_are_taken_and_one_more_is_refused(version, edition):
    limit = EDITION_LIMITS[version, edition].storage_groups_max
    groups = [group(number, 1) for number in range(limit + 1)]
    assert checked(server(version, edition), groups[:limit]).problems == ()
    (problem,) = checked(server(version, edition), groups).problems
    label = f"Exchange {version} {edition.capitalize()}"
    assert f"{limit + 1} storage groups, and {label} allows {limit}" in problem.message
    assert problem.path == f"exchange.storage_groups[{limit}]"
    assert ("edition: enterprise" in problem.hint) == (edition == "standard")


@pytest.mark.parametrize(("version", "edition"), EDITION_LIMITS)
def test_databases_are_counted_in_each_group_and_on_the_whole_server(version, edition):
    limits = EDITION_LIMITS[version, edition]
    per_group, most = limits.databases_per_group_max, limits.databases_max
    (problem,) = checked(server(version, edition), [group(0, per_group + 1)]).problems
    assert f"allows {per_group}" in problem.message
    full = [group(number, per_group) for number in range(most // per_group)]
    assert checked(server(version, edition), full).problems == ()
    if len(full) < limits.storage_groups_max:
        (problem,) = checked(server(version, edition), [*full, group(99, 1)]).problems
        assert f"{most + 1} databases up to here" in problem.message


def test_a_fault_names_a_storage_group_that_exists():
    fault = "faults:\n  - {at: 10:30, kind: disk_full, site: primary, volume: logs, group: SG11}\n"
    groups = [group(1, 1), group(2, 1)]
    (problem,) = checked("  version: 2003\n", groups, fault).problems
    assert "there is no storage group 'SG11'" in problem.message
    assert checked("  version: 2003\n", groups, fault.replace("SG11", "SG2")).problems == ()


def test_a_journal_belongs_to_no_storage_group():
    fault = (
        "faults:\n  - {at: 10:30, kind: disk_full, site: recovery, volume: journal, group: SG1}\n"
    )
    (problem,) = checked("  version: 2003\n", [group(1, 1)], fault).problems
    assert "belongs to no storage group" in problem.message


def test_counted_logs_are_of_one_storage_group():
    workload = "workload: {log_stats: LogStats.csv, database: First}\n"
    problems = checked("  version: 2007\n", [group(1, 1), group(2, 1)], workload).problems
    assert any("log statistics are of one storage group" in item.message for item in problems)
