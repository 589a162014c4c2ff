"""The names that thresholds can have, and what is said of those they cannot have."""

import re

import pytest

from scenarios import METRICS, Sampling, Threshold, check_text, library_path, parse_expression
from scenarios.grammar import QuantityError
from scenarios.metrics import METRIC_PATTERN, metric_rows, parse_metric_name
from scenarios.phases import Span
from scenarios.quantities import MINUTE_NS

BASE = library_path("clean").read_text(encoding="utf-8").split("thresholds:")[0]
PHASES = "phases: [{name: chaos, duration: 40 min}, {name: quiet, duration: 20 min}]\n"


def check_metric(name, expression="max < 1 h"):
    return check_text(f'{BASE}{PHASES}thresholds:\n  {name}: ["{expression}"]\n')


def test_every_metric_can_be_written_and_is_told_in_one_line():
    assert len(METRICS) == len(metric_rows()) > 40
    for metric in METRICS.values():
        name = parse_metric_name(f"cdp.{metric.spelling}")
        assert name.metric is metric
        assert re.fullmatch(METRIC_PATTERN, f"cdp.{metric.spelling}")
        assert 10 < len(metric.description) < 100
        assert metric.sampling is not Sampling.RUN or not metric.sampling.is_of_recoveries


@pytest.mark.parametrize(
    "text",
    [
        "cdp.rpo",
        "cdp@recovery.rpo",
        "cdp.rto.replay",
        "cdp.rpo@quiet",
        "cdp@recovery.app_rpo_not_met(15 min)@chaos",
        "cdp.catch_up@quiet",
    ],
)
def test_a_threshold_s_name_is_told_as_it_was_written(text):
    assert re.fullmatch(METRIC_PATTERN, text)
    name = parse_metric_name(text)
    threshold = Threshold(
        name.protection,
        name.metric.name,
        parse_expression("max < 1 h"),
        copy=name.copy,
        limit_ns=name.limit_ns,
        phase=name.phase,
    )
    assert threshold.name == text
    assert threshold.target == name


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("cdp.rop", "'rop' is not a metric", "did you mean 'rpo'?"),
        ("cdp.app.rpo", "'app.rpo' is not a metric", "did you mean 'app_rpo'?"),
        ("cdp.rto.mounting", "is not a metric", "did you mean 'rto.mount'?"),
        ("cpd.rpo", "no protection 'cpd' to measure", "did you mean 'cdp'?"),
        ("cdp@recvery.rpo", "cdp has no copy 'recvery'", "did you mean 'recovery'?"),
        ("cdp.rpo@quite", "there is no phase 'quite'", "did you mean 'quiet'?"),
        ("cdp.throttled@quiet", "of the whole run, not of a phase", "write 'cdp.throttled'"),
        ("cdp.rpo_not_met", "needs the RPO that is promised", "rpo_not_met(60 s)"),
        ("cdp.rpo(60 s)", "takes no limit", "write 'rpo'"),
        ("cdp.rpo_not_met(60)", "has no unit", "60 min"),
        ("lost_messages", "'lost_messages' is not a metric", "cdp.lost_messages"),
        ("wholly_else", "'wholly_else' is not a metric", "such as 'cdp.rpo'"),
    ],
)
def test_an_unknown_metric_is_one_error_with_the_nearest_name(name, message, hint):
    [problem] = check_metric(name).problems
    assert message in problem.message
    assert hint in problem.hint
    assert problem.line > 30
    assert problem.column == 3


def test_a_threshold_of_a_phase_knows_where_it_lies():
    scenario = check_metric("cdp.rpo@quiet").scenario
    [threshold] = scenario.threshold_list()
    assert threshold.span == Span(40 * MINUTE_NS, 60 * MINUTE_NS)


def test_a_metric_without_its_protection_is_not_a_name():
    with pytest.raises(QuantityError, match="is not a metric"):
        parse_metric_name("rpo")


def test_a_share_is_compared_with_a_share():
    assert check_metric("cdp.coverage", "min > 99 %").problems == ()
    [problem] = check_metric("cdp.coverage", "min > 99").problems
    assert "is not a share" in problem.message


def test_one_of_several_copies_is_named_by_its_own_name_or_its_site():
    for name in ("near", "far", "recovery"):
        expression = '"max < 1 h"'
        text = library_path("near-and-far").read_text(encoding="utf-8").split("thresholds:")[0]
        written = f"{text}thresholds:\n  cdp@{name}.rpo: [{expression}]\n"
        assert check_text(written).problems == ()
        [problem] = check_text(written.replace(f"@{name}", "@nera")).problems
        assert "cdp has no copy 'nera'" in problem.message
        assert problem.hint == "did you mean 'near'?"
