from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
import xmlschema

from reports import Verdict
from reports.junit import junit_xml

# That of Jenkins' xunit plugin (MIT), as the source package of pytest 7.4.4 has it.
SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit-10.xsd"))


def parsed(text):
    return fromstring(text)  # noqa: S314 - it was written two lines above


def properties(suite):
    return {item.get("name"): item.get("value") for item in suite.iter("property")}


def test_jenkins_takes_it(sample, hostile_result):
    for documents in ([], [sample.result()], [sample.study(), sample.result()], [hostile_result]):
        SCHEMA.validate(junit_xml(documents, {"broken": "EngineError: no"}))


def test_the_schema_refuses_what_jenkins_refuses():
    case = '<testcase name="x"><properties/></testcase>'
    suite = f'<testsuite name="x" tests="1" failures="0" errors="0">{case}</testsuite>'
    assert not SCHEMA.is_valid(f"<testsuites>{suite}</testsuites>")


def test_there_is_a_case_for_each_threshold_with_its_figures(sample):
    root = parsed(junit_xml([sample.result()]))
    assert [case.get("name") for case in root.iter("testcase")] == [
        "cdp.rpo: max < 60 s",
        "cdp.lost_messages: max <= 5",
    ]
    first = properties(root[0])
    assert first["limit"] == "max < 60 s"
    assert first["value"] == "1 min"
    assert first["n"] == "13"
    assert first["seed"] == "7"
    assert first["line"] == "45"


@pytest.mark.parametrize(
    ("verdict", "element"),
    [
        (Verdict.MET, None),
        (Verdict.MISSED, "failure"),
        (Verdict.INCONCLUSIVE, "error"),
        (Verdict.NOT_EXERCISED, "error"),
    ],
)
def test_only_a_met_threshold_passes(sample, verdict, element):
    [threshold, _] = sample.result().thresholds
    judged = threshold.model_copy(update={"verdict": verdict})
    root = parsed(junit_xml([sample.result(thresholds=(judged,))]))
    [case] = root.iter("testcase")
    assert [child.tag for child in case] == ([] if element is None else [element])
    assert root.get("failures") == str(int(element == "failure"))
    assert root.get("errors") == str(int(element == "error"))
    if element is not None:
        assert case[0].get("message").startswith(f"cdp.rpo: {verdict.value.replace('_', ' ')}: max")
        assert "site-loss:45" in case[0].text
        assert "rpolab run site-loss --seed 7" in case[0].text


def test_a_scenario_without_a_verdict_is_an_error_and_not_silence(sample):
    root = parsed(junit_xml([sample.result()], {"other.yaml": "EngineError: a journal"}))
    assert root.get("tests") == "3"
    assert root[-1].get("name") == "other.yaml"
    assert root[-1].find("testcase/error").get("message") == "EngineError: a journal"


def test_a_study_has_cases_for_each_cell_with_all_its_seeds(sample):
    study = sample.study(
        sample.cell("link.bandwidth=2 Mbit/s", 1, 2, 9, thresholds=sample.result().thresholds),
        sample.cell("link.bandwidth=5 Mbit/s", 1, thresholds=sample.result().thresholds[:1]),
    )
    root = parsed(junit_xml([study]))
    assert [properties(suite)["seed"] for suite in root] == ["1-9", "1-9", "1"]
    names = [case.get("name") for case in root.iter("testcase")]
    assert names[0] == "cdp.rpo: max < 60 s (link.bandwidth=2 Mbit/s)"


def test_the_same_result_gives_the_same_bytes(hostile_result):
    assert junit_xml([hostile_result]) == junit_xml([hostile_result.model_copy(deep=True)])
