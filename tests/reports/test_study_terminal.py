"""The report of a study: what is enough, what each choice comes to, and what makes it safe."""

import io

import pytest

from reports import ThresholdResult, Verdict
from reports.headline import interval_text
from reports.study_terminal import CELLS_SHOWN, print_study

VALUES = {"metric": "cdp.rpo", "expr": "p(95) < 60 s", "observed": 30.0, "unit": "s", "n": 20}


def printed(study, width=100):
    file = io.StringIO()
    print_study(study, file=file, width=width)
    return file.getvalue()


def of(sample, name, met, missed):
    runs = [sample.result(seed=seed, verdict=Verdict.MET) for seed in range(met)]
    runs += [sample.result(seed=met + number) for number in range(missed)]
    verdict = Verdict.MISSED if missed else Verdict.MET
    return sample.cell(name, runs=tuple(runs), verdict=verdict)


def test_the_choices_that_are_enough_are_listed_by_share(sample):
    cells = [of(sample, "link.bandwidth=2 Mbit/s", 9, 11), of(sample, "link.bandwidth=5 Mbit/s",
             19, 1), of(sample, "link.bandwidth=10 Mbit/s", 20, 0)]  # fmt: skip
    lines = [" ".join(line.split()) for line in printed(sample.study(*cells)).splitlines()]
    assert lines[0] == "MISSED Losing the primary site"
    assert "100 % of runs link.bandwidth=10 Mbit/s" in lines
    assert "95 % of runs link.bandwidth=5 Mbit/s, link.bandwidth=10 Mbit/s" in lines
    assert "With 20 runs each, one miss is already 5 %: 99 % takes 100 runs." in lines
    assert "9 of 20 runs met all thresholds" in lines


def test_a_study_without_a_matrix_has_no_such_table(sample):
    text = printed(sample.study(of(sample, "", 2, 1)))
    assert "What is enough" not in text
    assert "2 of 3 runs met all thresholds" in text
    assert "first run that missed: seed 2" in text
    assert "site_loss fired in 3 of 3 runs" in text
    assert "link_outage fired in 0 of 3 runs" in text


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ({}, ""),
        ({"low": 20.0, "high": 40.0}, "20 s to 40 s"),
        ({"low": 20.0}, "20 s or more"),
        ({"high": 40.0}, "up to 40 s"),
    ],
)
def test_an_interval_is_shown_by_its_ends(sample, ends, shown):
    threshold = ThresholdResult(**VALUES, verdict="inconclusive", note="52 more", **ends)
    assert interval_text(threshold) == shown
    cell = sample.cell(verdict=Verdict.INCONCLUSIVE, thresholds=(threshold,))
    text = printed(sample.study(cell))
    assert ("95 % interval" in text) == bool(shown)
    assert shown in text
    assert "cdp.rpo: 52 more" in text


def test_the_line_of_another_file_is_told_with_its_name(sample):
    threshold = ThresholdResult(**VALUES, verdict="met", line=38, file="/some/where/clean.yaml")
    assert threshold.place == "clean.yaml:38"
    cell = sample.cell(verdict=Verdict.MET, thresholds=(threshold,))
    assert "clean.yaml:38" in printed(sample.study(cell))


def test_many_cells_are_cut_and_escapes_in_their_names_are_not_printed(sample):
    cells = [sample.cell(f"title=\x1b[31m{number}", 7) for number in range(CELLS_SHOWN + 2)]
    text = printed(sample.study(*cells))
    assert "and 2 choices more" in text
    assert "\x1b" not in text
    assert all(len(line) <= 100 for line in text.splitlines() if "rpolab run" not in line)
