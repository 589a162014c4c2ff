"""What must agree about thresholds: metrics there are, of protections, copies and phases.

A metric that is misspelt must never pass silently: it is an error with the nearest name.
"""

from collections.abc import Iterator

from scenarios.draft import Draft
from scenarios.expressions import parse_expression
from scenarios.fault_checks import unknown_protection
from scenarios.findings import Finding, Path
from scenarios.grammar import QuantityError
from scenarios.metrics import METRICS, Metric, MetricName, parse_metric_name
from scenarios.wording import quoted, suggestion


def check_thresholds(draft: Draft) -> Iterator[Finding]:
    """Everything about a threshold that contradicts something else."""
    thresholds = draft.plain.get("thresholds")
    if not isinstance(thresholds, dict):
        return
    for name, expressions in thresholds.items():
        path: Path = ("thresholds", name)
        unknown = list(_check_name(draft, path, name))
        yield from unknown
        if isinstance(expressions, tuple) and not expressions:
            yield Finding(path, "the metric has no threshold", "write for example ['max < 60 s']")
        if unknown or not isinstance(expressions, tuple):
            continue
        try:
            metric = parse_metric_name(name).metric
        except QuantityError:
            continue  # without any protection, nothing is known of its metrics
        for index, expression in enumerate(expressions):
            yield from _check_limit((*path, index), metric, expression)


def _check_name(draft: Draft, path: Path, text: str) -> Iterator[Finding]:
    if not draft.protections:
        return
    owner, _, written = text.partition(".")
    if owner.partition("@")[0] not in draft.protections and written not in METRICS:
        known = [f"{name}.{metric}" for name in draft.protections for metric in METRICS]
        hint = suggestion(text, known, what="metrics")
        yield Finding(path, f"{quoted(text)} is not a metric", _short(hint, draft), at_key=True)
        return
    try:
        name = parse_metric_name(text)
    except QuantityError as error:
        yield Finding(path, str(error), error.hint, at_key=True)
        return
    yield from _check_owner(draft, path, name)
    yield from _check_phase(draft, path, name)


def _short(hint: str, draft: Draft) -> str:
    """A list of all names of all protections is no help: those of the first will do."""
    if not hint.startswith("known"):
        return hint
    owner = next(iter(draft.protections))
    return f"write PROTECTION.METRIC, such as '{owner}.rpo'; metrics: {', '.join(METRICS)}"


def _check_owner(draft: Draft, path: Path, name: MetricName) -> Iterator[Finding]:
    if name.protection not in draft.protections:
        hint = suggestion(name.protection, draft.protections, what="protections")
        message = f"there is no protection {quoted(name.protection)} to measure"
        yield Finding(path, message, hint, at_key=True)
        return
    for finding in unknown_protection(draft, path, name.protection, name.copy):
        yield Finding(path, finding.message, finding.hint, at_key=True)


def _check_phase(draft: Draft, path: Path, name: MetricName) -> Iterator[Finding]:
    if name.phase and name.phase not in draft.phase_spans and draft.phases_are_complete:
        hint = suggestion(name.phase, draft.phase_spans, what="phases")
        yield Finding(path, f"there is no phase {quoted(name.phase)}", hint, at_key=True)


def _check_limit(path: Path, metric: Metric, read: object) -> Iterator[Finding]:
    try:
        expression = parse_expression(read)
    except QuantityError:
        return  # reported as a value
    try:
        expression.check_metric(metric)
    except QuantityError as error:
        yield Finding(path, str(error), error.hint)
