import io
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from reports import Loss, Point, Verdict
from reports.progress import RunProgress
from reports.terminal import print_result, render_text
from reports.text import fitted, printable


def flat(text):
    return " ".join(text.split())


def test_the_headline_says_it_in_plain_words(sample):
    text = flat(render_text(sample.result()))
    assert (
        "Disaster at 10:30: lost 3 messages of 1,204 (6.87 KiB); newest recovered point 2.4 s "
        "before the disaster (the engine had reported 2.4 s); mail was back after 1 h 12 min."
    ) in text


def test_nothing_lost_is_said_as_such(sample):
    recovery = sample.disaster(
        lost=Loss(messages=0, bytes=0), lost_messages_list=(), rpo_s=0.0, reported_rpo_s=0.0
    )
    text = flat(render_text(sample.result(recovery)))
    assert "lost no message of 1,204; newest recovered point that of the disaster" in text
    assert "Lost messages" not in text


def test_the_verdict_the_seed_the_digests_and_the_replay_are_there(sample):
    text = render_text(sample.result())
    assert text.startswith("MISSED  Losing the primary site\n")
    for expected in (
        "seed 7, 1 h simulated",
        "ab" * 16,
        "cd" * 16,
        "1,234,567 events in 3.2 s",
        "1,125 simulated seconds a second",
        "rpolab run site-loss --seed 7",
    ):
        assert expected in text


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_is_a_word_and_not_only_a_colour(sample, verdict):
    text = render_text(sample.result(verdict=verdict))
    assert text.startswith(verdict.value.replace("_", " ").upper())


def test_a_threshold_line_has_limit_value_samples_verdict_and_line(sample):
    lines = render_text(sample.result()).splitlines()
    (line,) = [line for line in lines if "cdp.rpo" in line]
    assert line.split() == ["missed", "cdp.rpo", "max", "<", "60", "s", "1", "min", "13", "45"]
    (line,) = [line for line in lines if "max <= 5" in line]
    assert line.split()[:2] == ["not", "exercised"]
    assert "cdp.lost_messages: no sample was taken" in flat("\n".join(lines))
    assert "strict" in "\n".join(lines)


def test_a_scenario_without_thresholds_says_that_nothing_was_judged(sample):
    assert "nothing was judged" in render_text(sample.result(thresholds=()))


def test_a_fault_that_did_not_fire_is_said(sample):
    text = flat(render_text(sample.result()))
    assert "fired site_loss at 10:30 2 hosts were cut" in text
    assert "did not fire link_outage at 10:20" in text


def test_a_refusal_gives_its_reason_and_the_nearest_points(sample):
    recovery = sample.disaster(
        outcome="refused",
        point=None,
        rpo_s=None,
        reported_rpo_s=None,
        lost=None,
        lost_messages_list=(),
        rto_s=None,
        rto_steps=(),
        refusal="E0000002A.log is required and missing",
        nearest=(Point(consistency="app", time_s=900.0, sequence=77),),
    )
    text = flat(render_text(sample.result(recovery)))
    assert "the recovery was refused: E0000002A.log is required and missing." in text
    assert "application-consistent at 10:15 (15 min before, sequence 77)" in text


def test_a_report_better_than_the_truth_is_said_to_be_so(sample):
    text = flat(render_text(sample.result(sample.disaster(reported_rpo_s=1.0))))
    assert "reported an RPO of 1 s, better than the truth by 1.4 s: the copy held" in text
    assert "better than" not in render_text(sample.result())


def test_phantoms_and_damage_are_said(sample):
    text = flat(render_text(sample.result(sample.disaster(phantom=1, damaged=2))))
    assert "1 message came back but never sent" in text
    assert "2 messages came back damaged" in text


def test_drills_are_summed_up(sample):
    text = flat(render_text(sample.result()))
    assert "2 any-point drills, all recovered; worst RPO 2 s; no message lost." in text
    refused = sample.drill(900, outcome="refused", refusal="no", point=None, rpo_s=None, lost=None)
    text = flat(render_text(sample.result(sample.drill(300), refused)))
    assert "2 any-point drills: 1 recovered, 1 refused, 0 failed" in text


def test_the_steps_of_a_recovery_are_bars_that_follow_each_other(sample):
    lines = render_text(sample.result()).splitlines()
    first = next(line for line in lines if line.strip().startswith("detect "))
    second = next(line for line in lines if line.strip().startswith("decide "))
    assert first.rindex("\u2588") + 1 == second.index("\u2588")
    assert "assumption" in first
    assert any(line.split()[:1] == ["total"] and "1 h 12 min" in line for line in lines)


def test_ten_lost_messages_are_listed_and_the_rest_counted(sample):
    messages = tuple(sample.lost_message(number, f"subject {number}") for number in range(25))
    recovery = sample.disaster(lost=Loss(messages=40, bytes=1), lost_messages_list=messages)
    text = render_text(sample.result(recovery))
    assert sum(f"subject {number} " in text for number in range(25)) == 10
    assert "and 30 messages more" in text


def test_the_curve_is_drawn_with_its_highest_value_and_its_times(sample):
    lines = render_text(sample.result()).splitlines()
    (top,) = [line for line in lines if "5 min 2 s \u2502" in line]
    bottom = lines[lines.index(top) + 5]
    assert bottom.split() == ["10:00", "11:00"]


NASTY = "\x1b]0;owned\x07 \x9b31m \u202etxt\u2066 [bold red]x[/] \r\n\t \u2028 caf\u00e9 \U0001f600"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("width", [40, 80, 132])
def test_odd_text_never_reaches_the_terminal_raw_nor_breaks_the_width(sample, encoding, width):
    messages = tuple(sample.lost_message(number, NASTY * (number + 1)) for number in range(3))
    recovery = sample.disaster(lost_messages_list=messages)
    result = sample.result(recovery, replay="")
    result = result.model_copy(
        update={"scenario": result.scenario.model_copy(update={"title": NASTY})}
    )
    text = render_text(result, width=width, encoding=encoding)
    text.encode(encoding)
    assert all(character == "\n" or printable(character) == character for character in text)
    assert "\\x1b]0;owned\\x07" in text
    assert "[bold red]" in text
    for line in text.split("\n"):
        assert cell_len(line) <= width


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.integers(4, 30), st.sampled_from(["utf-8", "ascii"]))
def test_any_text_is_safe_and_fits_its_cells(text, width, encoding):
    shown = fitted(printable(text, encoding), width)
    assert cell_len(shown) <= width
    shown.encode(encoding)
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)


def test_a_pipe_gets_no_escape_sequence_and_no_trailing_space(sample):
    file = io.StringIO()
    print_result(sample.result(), file=file)
    assert "\x1b" not in file.getvalue()
    assert all(line == line.rstrip() for line in file.getvalue().split("\n"))
    assert max(len(line) for line in file.getvalue().split("\n")) <= 80


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_colour_unless_it_is_refused(sample, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = Terminal()
    print_result(sample.result(), file=file, width=80)
    assert "\x1b[1;31mMISSED" in file.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    file = Terminal()
    print_result(sample.result(), file=file, width=80)
    assert "[1;31m" not in file.getvalue()
    assert "MISSED" in file.getvalue()


def test_a_run_without_protections_or_clock_is_printed_too(sample):
    scenario = sample.result().scenario.model_copy(update={"starts_at": ""})
    text = flat(render_text(sample.result(scenario=scenario, assumptions=(), wall_s=0.0)))
    assert "Disaster after 30 min: lost 3 messages" in text
    assert "simulated seconds a second" not in text
    empty = render_text(sample.result(protections=(), thresholds=(), faults=()))
    assert "cdp" not in empty


def test_progress_is_silent_in_a_pipe_and_seen_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    piped, shown = io.StringIO(), Terminal()
    for file in (piped, shown):
        with RunProgress("A \x1b[31mtitle", 3_600 * 10**9, file=file) as progress:
            progress.update(1_800 * 10**9)
    assert piped.getvalue() == ""
    assert "30 min of 1 h" in shown.getvalue()
    assert "\\x1b[31mtitle" in shown.getvalue()


def test_progress_of_an_unknown_length_is_shown_too(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    file = Terminal()
    with RunProgress("mail", None, file=file) as progress:
        progress.update(90 * 10**9)
    assert "1 min 30 s" in file.getvalue()


def test_the_result_model_is_imported_without_rich():
    code = "import sys, reports; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
