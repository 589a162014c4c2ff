"""Threshold expressions: `max < 60 s`, over which metrics, in which units."""

import re
from dataclasses import dataclass
from fractions import Fraction

from scenarios.grammar import NUMBER, QuantityError
from scenarios.metrics import SHARE_PARTS, Measure, Metric
from scenarios.quantities import DURATION, SIZE, parse_share
from scenarios.wording import quoted, suggestion

_EXAMPLE = "write for example 'max < 60 s', 'p(95) <= 5 min' or 'sum == 0'"
_FUNCTIONS = ("max", "min", "mean", "sum", "count", "p")
_FUNCTION_CORRECTIONS = {
    "avg": "mean",
    "average": "mean",
    "maximum": "max",
    "minimum": "min",
    "median": "p(50)",
    "total": "sum",
}
_OPERATORS = ("<", "<=", "==", ">=", ">")
_OPERATOR_CORRECTIONS = {"=": "==", "=<": "<=", "=>": ">=", "\u2264": "<=", "\u2265": ">="}
_SHAPE = re.compile(
    r"\s*(?P<function>[A-Za-z_]+[0-9.]*)\s*(?:\(\s*(?P<argument>[^()]*?)\s*\))?"
    r"\s*(?P<operator>[<>=!~\u2264\u2265]+)\s*(?P<limit>\S.*?)\s*"
)
EXPRESSION_PATTERN = rf"^(max|min|mean|sum|count|p\({NUMBER}\)) *(<|<=|==|>=|>) *[0-9].*$"


class ExpressionError(QuantityError):
    """A threshold expression cannot be read."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One parsed threshold: `function operator limit`.

    `percentile` is the share of `p(95)` (19/20), None for other functions. `limit` is in base
    units of `measure`: nanoseconds, bytes, parts of a billion or a number of things.
    """

    text: str
    function: str
    percentile: Fraction | None
    operator: str
    limit: int
    measure: Measure

    @property
    def is_strict(self) -> bool:
        """Whether a value equal to the limit misses it."""
        return self.operator in ("<", ">")

    def holds(self, observed: Fraction | int) -> bool:
        """Whether an observed value is on the right side of the limit."""
        return holds_between(observed, self.operator, self.limit)

    def check_metric(self, metric: Metric) -> None:
        """Refuses a limit in another unit than the metric's.

        Raises:
            ExpressionError: for example a number of messages compared with seconds.
        """
        wanted = metric.measure
        if self.function == "count":
            wanted = Measure.COUNT
        if wanted is self.measure or (
            wanted is Measure.SIZE_BYTES and self.measure is Measure.COUNT
        ):
            return
        message = f"the limit of {quoted(self.text)} is not {_LIMIT_NAMES[wanted]}"
        raise ExpressionError(message, f"{_metric_hint(metric.name, self.function, wanted)}")


_LIMIT_NAMES = {
    Measure.DURATION_NS: "a duration",
    Measure.SIZE_BYTES: "a size",
    Measure.COUNT: "a whole number",
    Measure.SHARE: "a share",
}
_LIMIT_EXAMPLES = {
    Measure.DURATION_NS: "60 s",
    Measure.SIZE_BYTES: "5 MiB",
    Measure.COUNT: "5",
    Measure.SHARE: "99 %",
}


def _metric_hint(metric: str, function: str, wanted: Measure) -> str:
    what = f"'count' of {metric}" if function == "count" else f"'{metric}'"
    return f"{what} is {_LIMIT_NAMES[wanted]}, such as {_LIMIT_EXAMPLES[wanted]}"


def parse_expression(read: object) -> Expression:
    """Reads `max < 60 s`, `p(95) <= 5 min`, `mean < 2 s`, `count == 0`.

    Raises:
        ExpressionError: not an expression; the hint shows one.
    """
    if isinstance(read, Expression):
        return read
    if not isinstance(read, str):
        raise ExpressionError(f"a threshold is expected, read {quoted(read)}", _EXAMPLE)
    match = _SHAPE.fullmatch(read) if len(read) <= 200 else None
    if match is None:
        raise ExpressionError(f"{quoted(read)} is not a threshold", _EXAMPLE)
    function, percentile = _function(read, match["function"], match["argument"])
    operator = operator_of(read, match["operator"])
    limit, measure = _limit(read, match["limit"])
    return Expression(" ".join(read.split()), function, percentile, operator, limit, measure)


def _function(text: str, name: str, argument: str | None) -> tuple[str, Fraction | None]:
    bare = re.fullmatch(r"[pP]([0-9]+(?:\.[0-9]+)?)", name)
    if bare is not None:
        raise ExpressionError(f"'{name}' in {quoted(text)} is unknown", f"write 'p({bare[1]})'")
    if name not in _FUNCTIONS:
        meant = _FUNCTION_CORRECTIONS.get(name)
        known = ("max", "min", "mean", "sum", "count", "p(95)")
        hint = f"write '{meant}'" if meant else suggestion(name, known, what="functions")
        raise ExpressionError(f"'{name}' in {quoted(text)} is unknown", hint)
    if name != "p":
        if argument is not None:
            raise ExpressionError(f"'{name}' takes no argument", f"write '{name} < ...'")
        return name, None
    if argument is None or re.fullmatch(NUMBER, argument) is None:
        message = f"'p' in {quoted(text)} needs a percentile"
        raise ExpressionError(message, "write for example 'p(95)'")
    percentile = Fraction(argument) / 100
    if not 0 < percentile < 1:
        message = f"p({argument}) is no percentile"
        raise ExpressionError(message, "write more than 0 and less than 100; 'max' is the 100th")
    return name, percentile


def operator_of(text: str, operator: str) -> str:
    """Reads one of the five signs of comparison.

    Raises:
        ExpressionError: another sign; the hint says which was meant.
    """
    if operator in _OPERATORS:
        return operator
    meant = _OPERATOR_CORRECTIONS.get(operator)
    hint = f"write '{meant}'" if meant else f"operators: {' '.join(_OPERATORS)}"
    raise ExpressionError(f"'{operator}' in {quoted(text)} is not an operator", hint)


def holds_between(value: Fraction | int, operator: str, limit: Fraction | int) -> bool:
    """Whether a value is on the right side of a limit."""
    outcomes = {
        "<": value < limit,
        "<=": value <= limit,
        "==": value == limit,
        ">=": value >= limit,
        ">": value > limit,
    }
    return outcomes[operator]


def _limit(text: str, limit: str) -> tuple[int, Measure]:
    if re.fullmatch(r"[0-9]{1,18}", limit):
        return int(limit), Measure.COUNT
    try:
        if limit.endswith("%"):
            return _share(text, limit), Measure.SHARE
        if limit.endswith("B"):
            return SIZE.parse(limit), Measure.SIZE_BYTES
        return DURATION.parse(limit), Measure.DURATION_NS
    except QuantityError as error:
        message = f"the limit of {quoted(text)}: {error}"
        raise ExpressionError(message, error.hint) from None


def _share(text: str, limit: str) -> int:
    parts = parse_share(limit) * SHARE_PARTS
    if parts.denominator != 1:
        message = f"the limit of {quoted(text)} is finer than {SHARE_PARTS:,} parts of the whole"
        raise ExpressionError(message, "write fewer digits, such as '99.99 %'")
    return int(parts)
