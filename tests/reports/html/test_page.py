"""The page as text: what is in it, that nothing from outside is obeyed, and that it stays small."""

import json
import re
from html.parser import HTMLParser

import pytest

from reports import Coverage, CoverageGap, Loss, Notice, Verdict
from reports.copies import CatchUp, PhaseFigures
from reports.html import html_report
from reports.html.panels import timeline_of
from reports.recoveries import Finding

VOID = {"meta", "link", "br", "hr", "img", "input", "rect", "line", "polyline", "polygon"}
SECTIONS = [
    "targets",
    "timeline",
    "rto",
    "comparison",
    "losses",
    "assumptions",
    "provenance",
    "replay",
]
SIZE_MAX = 1_000_000


class Page(HTMLParser):
    """A page's elements, attributes and text; refuses what is not nested."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.text = []
        self._open = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), (tag, names)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())

    def having(self, attribute):
        return [found[attribute] for _, found in self.elements if attribute in found]


def page_of(document):
    return Page(html_report(document))


def test_the_answers_come_in_the_order_in_which_they_are_asked(sample):
    page = page_of(sample.result())
    found = [found["id"] for tag, found in page.elements if tag == "section"]
    assert found == SECTIONS
    for words in (
        "missed 0 of 2 targets met, 1 missed, 1 not exercised",
        "lost 3 messages of 1,204",
        "Data loss (RPO) 2.4 s",
        "Without mail (RTO) 1 h 12 min",
        "rpolab run site-loss --seed 7",
        "nobody publishes a figure",
    ):
        assert words in page.words


def test_a_threshold_of_the_scenario_that_is_extended_names_its_file(sample):
    [first, second] = sample.result().thresholds
    first = first.model_copy(update={"file": "library/<b>clean.yaml"})
    text = html_report(sample.result(thresholds=(first, second)))
    assert "&lt;b&gt;clean.yaml:45" in text


def test_identifiers_are_given_once_and_every_reference_has_its_target(sample):
    for document in (sample.result(), sample.study()):
        page = page_of(document)
        identifiers = page.having("id")
        assert len(set(identifiers)) == len(identifiers)
        referred = [name for names in page.having("aria-labelledby") for name in names.split()]
        referred += [link[1:] for link in page.having("href") if link.startswith("#")]
        assert set(referred) <= set(identifiers)


def test_it_asks_for_nothing_outside_of_itself(sample):
    page = page_of(sample.result())
    assert not page.having("src")
    assert all(link.startswith(("#", "data:,")) for link in page.having("href"))
    text = html_report(sample.result())
    assert "@import" not in text
    assert not re.search(r"url\(", text)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|importScripts)\(", text)


def test_hostile_text_is_shown_and_not_obeyed(hostile_result, hostile, sample):
    clean, page = page_of(sample.result()), page_of(hostile_result)
    assert {tag for tag, _ in page.elements} == {tag for tag, _ in clean.elements}
    assert {attribute for _, found in page.elements for attribute in found} == {
        attribute for _, found in clean.elements for attribute in found
    }
    for text in (hostile[0], hostile[4], hostile[6], "\\x1b[31m"):
        assert " ".join(text.split()) in page.words
    raw = html_report(hostile_result)
    assert all(ord(letter) >= 32 or letter in "\n\t" for letter in raw)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028\u2029]", raw)


def test_the_timelines_data_cannot_end_its_element(hostile_result, hostile):
    text = html_report(hostile_result)
    [content] = re.findall(
        r'<script type="application/json" class="data">(.*?)</script>', text, re.DOTALL
    )
    assert "<" not in content
    data = json.loads(content)
    assert len(data["panels"][0]["t"]) == len(data["panels"][0]["v"])
    assert hostile[1].replace("_", " ") in [text for *_, text in data["bands"]]


def test_two_thousand_lost_messages_are_bounded_and_the_bound_is_told(sample):
    messages = tuple(sample.lost_message(number, f"subject {number}") for number in range(2_000))
    recovery = sample.disaster(lost=Loss(messages=2_000, bytes=1), lost_messages_list=messages)
    text = html_report(sample.result(recovery))
    assert text.count(">subject ") == 100
    assert "The first 100 of 2,000 lost messages; 1,900 more are in the JSON document." in text
    assert "who lost most" in text
    assert len(text.encode()) < SIZE_MAX


def test_a_long_run_stays_below_a_megabyte(sample, figure):
    points = tuple((float(second), float(second % 300)) for second in range(40_000))
    [protection] = sample.result().protections
    curves = {"curve": points, "app_curve": points, "backlog": points}
    many = tuple(
        protection.model_copy(update={"name": f"cdp{number}", **curves}) for number in range(6)
    )
    text = html_report(sample.result(simulated_s=40_000.0, protections=many))
    figure(f"{len(text.encode()):,} bytes with 18 curves of 40,000 points")
    assert len(text.encode()) < SIZE_MAX
    assert "10 more curves are in the JSON document." in text


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_is_a_word_and_not_only_a_colour(sample, verdict):
    word = verdict.value.replace("_", " ")
    text = html_report(sample.result(verdict=verdict))
    assert f"<title>{word}: Losing the primary site</title>" in text
    assert f"</span> {word}</span>" in text


def test_a_run_without_anything_is_a_page_too(sample):
    bare = {"thresholds": (), "faults": (), "protections": (), "assumptions": (), "replay": ""}
    page = page_of(sample.result(**bare))
    for words in (
        "No target was set",
        "nothing was judged",
        "nothing was broken",
        "Nothing was assumed",
        "Nothing was recovered in this run.",
    ):
        assert words in page.words


def test_a_refused_recovery_says_why_where_losses_would_stand(sample):
    refused = sample.disaster(
        outcome="refused", point=None, rpo_s=None, reported_rpo_s=None, lost=None,
        lost_messages_list=(), rto_s=None, rto_steps=(), refusal="E0000002A.log is missing",
    )  # fmt: skip
    page = page_of(sample.result(refused))
    assert "refused, so nothing was counted: E0000002A.log is missing." in page.words
    assert "0 of 1 1 refused" in page.words


def test_a_fault_that_was_not_drawn_is_no_fault_that_did_not_fire(sample):
    [fired, unfired] = sample.result().faults
    undrawn = unfired.model_copy(update={"chosen": False, "target": "primary-recovery"})
    page = page_of(sample.result(faults=(fired, undrawn)))
    assert "link outage primary-recovery 10:20 was not drawn" in page.words
    assert "did not fire" not in page.words


def test_a_fault_is_a_band_until_it_is_lifted_and_an_instant_where_it_does_not_last(sample):
    [fault, _] = sample.result().faults
    lifted = fault.model_copy(update={"kind": "disk_stall", "lifted_at_s": 1900.0})
    lasting = fault.model_copy(update={"kind": "volume_full"})
    bands = timeline_of(sample.result(faults=(fault, lifted, lasting))).bands
    assert [(band.from_s, band.to_s) for band in bands] == [
        (1800, 1800),
        (1800, 1900),
        (1800, 3600),
    ]


def test_phases_and_the_return_to_normal_are_told(sample):
    [protection] = sample.result().protections
    phase = PhaseFigures(name="chaos", from_s=0, to_s=1800, rpo=protection.rpo)
    caught_up = CatchUp(kind="link_outage", from_s=1200, level_s=2.0, length_s=45.0)
    never = CatchUp(kind="disk_stall", from_s=1500, level_s=2.0, length_s=None)
    kept = protection.model_copy(update={"phases": (phase,), "catch_ups": (caught_up, never)})
    page = page_of(sample.result(protections=(kept,)))
    assert "chaos 10:00 to 10:30 5 min 2 s / 4 min 47 s" in page.words
    assert "link outage 10:20 2 s 45 s" in page.words
    assert "disk stall 10:25 2 s not before the end" in page.words


def test_what_a_checker_found_stands_with_the_lost_mail(sample):
    finding = Finding(checker="archive", text="the archive's index is behind", refuses=False)
    found = sample.disaster(findings=(finding,), findings_count=4)
    page = page_of(sample.result(found))
    assert "archive the archive's index is behind noted" in page.words
    assert "3 more findings were counted." in page.words


def test_what_an_operator_is_told_again_and_again_takes_one_row(sample):
    notices = tuple(
        Notice(at_s=60.0 * minute, source="cdp target", text="Nothing heard from the source.")
        for minute in range(1, 31)
    )
    text = html_report(sample.result(notices=notices))
    assert text.count("Nothing heard from the source.") == 1
    assert "10:01 to 10:30, 30 times" in text


def test_the_coverage_map_says_what_cannot_be_recovered_and_why(sample):
    coverage = Coverage(
        consistency="app", window_s=1800, from_s=1800, to_s=3600, recoverable_s=1500, share=5 / 6,
        gaps=(CoverageGap(from_s=2000, to_s=2300, why="order was given up"),),
    )  # fmt: skip
    [protection] = sample.result().protections
    covered = protection.model_copy(update={"coverage": (coverage,)})
    page = page_of(sample.result(protections=(covered,)))
    assert "83.33% of 10:30 to 11:00" in page.words
    assert "10:33:20 to 10:38:20: order was given up" in page.words


def test_a_study_shows_what_meets_the_targets_and_its_worst_run(sample):
    [missed, other] = sample.result().thresholds
    met = missed.model_copy(update={"verdict": Verdict.MET, "observed": 20.0})
    slow = sample.cell("link.bandwidth=2 Mbit/s", 7, 8, 9, thresholds=(missed, other))
    quick = sample.cell(
        "link.bandwidth=5 Mbit/s",
        verdict=Verdict.MET,
        thresholds=(met,),
        runs=tuple(
            sample.result(seed=seed, verdict=Verdict.MET, thresholds=(met,)) for seed in (7, 8, 9)
        ),
    )
    page = page_of(sample.study(slow, quick))
    assert "3 of 6 runs met all of their thresholds." in page.words
    assert "Which link.bandwidth meets the target" in page.words
    assert "all targets 5 Mbit/s" in page.words
    assert (
        "3 runs a choice cannot tell 99 %, 95 %, 90 % from 100 %: that takes 100 runs."
        in page.words
    )
    assert "The worst run as a timeline: link.bandwidth=2 Mbit/s, seed" in page.words
    assert "one stroke a run" in page.words


def test_the_same_document_gives_the_same_bytes(hostile_result, sample):
    assert html_report(hostile_result) == html_report(hostile_result.model_copy(deep=True))
    assert html_report(sample.study()) == html_report(sample.study())
