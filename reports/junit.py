"""JUnit XML: a suite for each threshold, with its value, limit, seed and samples as properties.

Jenkins' schema (junit-10.xsd of its xunit plugin) has properties on suites only, so that each
threshold is a suite of one case. A missed threshold is a failure. One that is inconclusive, or was
not exercised, is an error: a skipped case would pass for a good one.
"""

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reports.cases import Case, cases_of
from reports.model import Result
from reports.study import Study
from reports.text import printable
from reports.verdicts import Verdict

_OUTCOMES = {
    Verdict.MISSED: "failure",
    Verdict.INCONCLUSIVE: "error",
    Verdict.NOT_EXERCISED: "error",
}


def junit_xml(
    documents: Sequence[Result | Study], without_verdict: Mapping[str, str] | None = None
) -> str:
    """The file as text, with a final newline; the same documents give the same bytes.

    Args:
        documents: what was found.
        without_verdict: scenarios that ended without a result, and why: an error each.
    """
    root = Element("testsuites")
    failures = errors = tests = 0
    for document in documents:
        for case in cases_of(document):
            suite = _suite(case)
            tests += 1
            failures += int(suite.get("failures", "0"))
            errors += int(suite.get("errors", "0"))
            root.append(suite)
    for name, why in (without_verdict or {}).items():
        tests, errors = tests + 1, errors + 1
        root.append(_broken_suite(name, why))
    root.attrib.update(
        {"name": "rpolab", "tests": str(tests), "failures": str(failures), "errors": str(errors)}
    )
    indent(root)
    text = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(case: Case) -> Element:
    outcome = _OUTCOMES.get(case.threshold.verdict)
    scenario = case.document.scenario
    suite = Element(
        "testsuite",
        {
            "name": _text(f"{scenario.title}: {case.name}{f' ({case.cell})' if case.cell else ''}"),
            "tests": "1",
            "failures": str(int(outcome == "failure")),
            "errors": str(int(outcome == "error")),
            "skipped": "0",
            "file": _text(case.file),
        },
    )
    properties = SubElement(suite, "properties")
    for name, value in _properties(case):
        SubElement(properties, "property", {"name": name, "value": _text(value)})
    name = f"{case.name} ({case.cell})" if case.cell else case.name
    test = SubElement(suite, "testcase", {"name": _text(name), "classname": _text(scenario.title)})
    if outcome is not None:
        kind = case.threshold.verdict.value.replace("_", " ")
        told = SubElement(test, outcome, {"type": kind, "message": _text(case.sentence)})
        told.text = _text(f"{case.place}: {case.sentence}") + _replay_text(case)
    return suite


def _broken_suite(name: str, why: str) -> Element:
    counts = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0"}
    suite = Element("testsuite", {"name": _text(name), **counts})
    test = SubElement(suite, "testcase", {"name": "a verdict", "classname": _text(name)})
    SubElement(test, "error", {"type": "no verdict", "message": _text(why)})
    return suite


def _replay_text(case: Case) -> str:
    return f"\nrepeat it with: {_text(case.document.replay)}\n" if case.document.replay else "\n"


def _properties(case: Case) -> Iterator[tuple[str, str]]:
    found = case.threshold
    yield "metric", found.metric
    yield "limit", found.expr
    yield "value", case.observed_text
    yield "n", str(found.n)
    yield "seed", case.seed_text
    yield "verdict", found.verdict.value
    if found.low is not None:
        yield "low", str(found.low)
    if found.high is not None:
        yield "high", str(found.high)
    yield "line", str(found.line)
    yield "program", case.document.program
    yield "effects_digest", case.document.digests.effects


def _text(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return printable(text)
