"""Values that vary, and replications: the cells of a study, and what is refused."""

import pytest

from scenarios import check, check_text, load
from scenarios.quantities import MINUTE_NS

TEXT = """\
extends: clean
title: Which line is enough
duration: 20 min
vary:
  link.bandwidth: [2 Mbit/s, 5 Mbit/s, 10 Mbit/s]
  protect.cdp.bookmarks.every: [5 min, 10 min]
replications: {count: 3, first_seed: 40}
"""


def one_problem(text):
    [problem] = check_text(text, "plan.yaml").problems
    assert problem.file == "plan.yaml"
    assert problem.hint
    return problem


def test_all_combinations_are_cells_in_the_order_of_the_file():
    scenario = check_text(TEXT).scenario
    cells = scenario.variants
    assert len(cells) == 6
    assert cells[1].name == "link.bandwidth=2 Mbit/s, protect.cdp.bookmarks.every=10 min"
    assert cells[1].settings == {
        "link.bandwidth": "2 Mbit/s",
        "protect.cdp.bookmarks.every": "10 min",
    }
    found = [
        (cell.scenario.links[0].bandwidth_bit_s, cell.scenario.protect["cdp"].bookmarks.every_ns)
        for cell in cells
    ]
    assert found == [
        (rate * 10**6, minutes * MINUTE_NS) for rate in (2, 5, 10) for minutes in (5, 10)
    ]
    assert all(cell.scenario.vary == {} for cell in cells)
    assert list(scenario.seeds) == [40, 41, 42]
    assert scenario.is_study


def test_one_unit_behind_a_list_of_numbers_holds_for_all_of_them():
    text = TEXT.replace("[2 Mbit/s, 5 Mbit/s, 10 Mbit/s]", "'[2, 5, 10] Mbit/s'")
    assert check_text(text).scenario.variants == check_text(TEXT).scenario.variants


def test_that_list_without_quotes_is_told_to_be_quoted():
    text = TEXT.replace("[2 Mbit/s, 5 Mbit/s, 10 Mbit/s]", "[2, 5, 10] Mbit/s")
    problem = one_problem(text)
    assert problem.line == 5
    assert "'[2, 5, 10] Mbit/s'" in problem.hint


def test_a_scenario_without_either_is_one_cell_with_one_seed():
    scenario = load("clean")
    [cell] = scenario.variants
    assert (cell.name, cell.settings) == ("", {})
    assert cell.scenario is scenario
    assert list(scenario.seeds) == [7]
    assert not scenario.is_study
    assert load("clean", ["replications=1"]).is_study is False
    assert load("clean", ["replications=2"]).is_study is True


def test_what_the_command_line_sets_no_longer_varies():
    checked = check_text(TEXT, settings=["links.0.bandwidth=3 Mbit/s"])
    cells = checked.scenario.variants
    assert [cell.name for cell in cells] == [
        "protect.cdp.bookmarks.every=5 min",
        "protect.cdp.bookmarks.every=10 min",
    ]
    assert {cell.scenario.links[0].bandwidth_bit_s for cell in cells} == {3 * 10**6}
    both = ["link.bandwidth=3 Mbit/s", "protect.cdp.bookmarks.every=5 min", "replications=1"]
    assert not check_text(TEXT, settings=both).scenario.is_study


def test_an_error_of_a_cell_names_it_and_stands_at_the_value():
    problem = one_problem(TEXT.replace("5 Mbit/s", "5 MB/s"))
    assert (problem.line, problem.column) == (5, 30)
    assert problem.message.startswith(
        "with link.bandwidth=5 MB/s, protect.cdp.bookmarks.every=5 min: 'MB/s'"
    )


def test_a_doubt_about_one_cell_names_it_and_one_about_all_does_not():
    text = TEXT.replace("10 min]", "2 h]")
    [warning] = check_text(text, "plan.yaml").warnings
    assert "with link.bandwidth=2 Mbit/s, protect.cdp.bookmarks.every=2 h: no" in warning.message
    [warning] = check_text(TEXT + "drills: {every: 2 h}\n").warnings
    assert warning.message.startswith("no drill will happen")


@pytest.mark.parametrize(
    ("vary", "message", "line"),
    [
        ("vary: []", "a mapping of keys to values is expected", 4),
        ("vary: {}", "this is empty", 4),
        ("vary: {seed: []}", "no value is written", 4),
        ("vary: {seed: 3}", "a list of values is expected, read 3", 4),
        ("vary: {link.latency: '[] ms'}", "no value is written", 4),
        ("vary: {seed: [1, 2]}", "'seed' cannot vary", 4),
        ("vary: {vary: [1]}", "'vary' cannot vary", 4),
        ("vary: {replications: [1]}", "'replications' cannot vary", 4),
        ("vary: {link.latency: [1 ms, 1 ms]}", "'1 ms' is there twice", 4),
        ("vary: {link.latency: [1 ms], links.0.latency: [2 ms]}", "the same as", 4),
        ("vary: {lnk.latency: [1 ms]}", "there is no 'lnk' in the scenario", 4),
        ("vary: {links.7.latency: [1 ms]}", "there is no '7' in links", 4),
        ("vary: {title: [[a], b]}", "text is expected, read a list", 4),
        (f"vary: {{link.latency: {[f'{n} ms' for n in range(101)]}}}", "101 combinations", 4),
        ("replications: 0", "is out of range", 4),
        ("replications: -1", "-1 is negative", 4),
        ("replications: many", "a mapping", 4),
        ("replications: {first_seed: 3}", "the key 'count' is missing", 4),
        ("replications: 1001", "out of range", 4),
        ("replications: {count: 2, first_seed: -1}", "is negative", 4),
        (
            f"replications: 1000\nvary: {{link.latency: {[f'{n} ms' for n in range(11)]}}}",
            "11,000 runs",
            5,
        ),
    ],
)
def test_a_matrix_that_cannot_be_run_is_refused_where_it_stands(vary, message, line):
    problem = one_problem(f"extends: clean\ntitle: A\nseed: 1\n{vary}\n")
    assert message in problem.message, problem
    assert problem.line == line


def test_the_last_seed_is_one_that_a_run_can_have():
    text = "extends: clean\nseed: 18446744073709551615\nreplications: 2\n"
    assert "out of range" in one_problem(text).message


def test_a_library_scenario_can_be_varied_from_the_command_line():
    scenario = load("clean", ["vary={link.latency: [1 ms, 2 ms]}", "replications=2"])
    assert [cell.name for cell in scenario.variants] == ["link.latency=1 ms", "link.latency=2 ms"]
    [problem] = check("clean", ["vary={link.latency: [1 ms, 2 m]}"]).problems
    assert problem.file == "--set vary={link.latency: [1 ms, 2 m]}"
