"""What a fault may wait for: `cdp.backlog > 1 GiB`, a comparison with a live figure of the run."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from scenarios.expressions import holds_between, operator_of
from scenarios.fields import spoken
from scenarios.grammar import QuantityError
from scenarios.metrics import Measure
from scenarios.quantities import DURATION, SIZE, parse_share
from scenarios.wording import listed, quoted, suggestion

MODES = ("data", "spool", "metadata", "bitmap", "untracked")


@dataclass(frozen=True, slots=True)
class LiveQuantity:
    """A figure of a protection that can be asked for at any instant of a run.

    `measure` is None for a word; then `words` are those there are.
    """

    name: str
    measure: Measure | None
    description: str
    words: tuple[str, ...] = ()

    @property
    def example(self) -> str:
        """A comparison with it, without its protection."""
        return f"{self.name} {_EXAMPLES[self.measure]}" if self.measure else f"{self.name} == data"


_EXAMPLES = {
    Measure.DURATION_NS: "> 5 min",
    Measure.SIZE_BYTES: "> 1 GiB",
    Measure.COUNT: ">= 2",
    Measure.SHARE: "> 80 %",
}

LIVE_QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        LiveQuantity("backlog", Measure.SIZE_BYTES, "captured, and not yet safe at the copy"),
        LiveQuantity("backlog_age", Measure.DURATION_NS, "age of the oldest write that waits"),
        LiveQuantity("pool", Measure.SHARE, "how full the pool is"),
        LiveQuantity("rpo", Measure.DURATION_NS, "the engine's own RPO to any write"),
        LiveQuantity("app_rpo", Measure.DURATION_NS, "the engine's own RPO to a bookmark"),
        LiveQuantity("bookmarks", Measure.COUNT, "application-consistent points made so far"),
        LiveQuantity("mode", None, "what becomes of a write that is captured now", MODES),
    )
}

_SHAPE = re.compile(
    r"\s*(?P<owner>[A-Za-z][\w-]*)(?:@(?P<copy>[\w-]+))?\.(?P<quantity>\w+)"
    r"\s*(?P<operator>[<>=!~\u2264\u2265]+)\s*(?P<limit>\S.*?)\s*"
)
CONDITION_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]*(@[A-Za-z0-9_-]+)?\.[a-z_]+ *(<|<=|==|>=|>) *\S.*$"
_EXAMPLE = "write for example 'cdp.backlog > 1 GiB' or 'cdp.mode == metadata'"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: `protection[@copy].quantity operator limit`.

    `limit` is in base units of the quantity's measure: nanoseconds, bytes, a share, a number of
    things; or a word.
    """

    text: str
    protection: str
    copy: str
    quantity: LiveQuantity
    operator: str
    limit: int | Fraction | str

    def holds(self, value: Fraction | int | str | None) -> bool:
        """Whether it is true of a value; never of what cannot be told yet."""
        if value is None:
            return False
        if isinstance(value, str) or isinstance(self.limit, str):
            return value == self.limit
        return holds_between(value, self.operator, self.limit)


def parse_condition(read: object) -> Condition:
    """Reads `cdp.backlog > 1 GiB`, `cdp@recovery.rpo >= 5 min`, `cdp.mode == metadata`.

    Raises:
        QuantityError: not a condition, an unknown quantity, or a limit in another unit.
    """
    if isinstance(read, Condition):
        return read
    match = _SHAPE.fullmatch(read) if isinstance(read, str) and len(read) <= 200 else None
    if match is None or not isinstance(read, str):
        raise QuantityError(f"{quoted(read)} is not a condition", _EXAMPLE)
    quantity = LIVE_QUANTITIES.get(match["quantity"])
    if quantity is None:
        hint = suggestion(match["quantity"], LIVE_QUANTITIES, what="quantities")
        raise QuantityError(f"'{match['quantity']}' in {quoted(read)} cannot be watched", hint)
    operator = operator_of(read, match["operator"])
    limit = _limit(read, quantity, operator, match["limit"])
    text = " ".join(read.split())
    return Condition(text, match["owner"], match["copy"] or "", quantity, operator, limit)


def _limit(text: str, quantity: LiveQuantity, operator: str, limit: str) -> int | Fraction | str:
    if quantity.measure is None:
        return _word(text, quantity, operator, limit)
    try:
        if quantity.measure is Measure.SIZE_BYTES:
            return SIZE.parse(limit)
        if quantity.measure is Measure.DURATION_NS:
            return DURATION.parse(limit)
        if quantity.measure is Measure.SHARE:
            return parse_share(limit)
    except QuantityError as error:
        raise QuantityError(f"the limit of {quoted(text)}: {error}", error.hint) from None
    if re.fullmatch(r"[0-9]{1,18}", limit) is None:
        message = f"the limit of {quoted(text)} is not a whole number"
        raise QuantityError(message, f"write for example '{quantity.example}'")
    return int(limit)


def _word(text: str, quantity: LiveQuantity, operator: str, limit: str) -> str:
    if operator != "==":
        message = f"'{quantity.name}' is a word, and {quoted(text)} asks for more or less of it"
        raise QuantityError(message, f"write '{quantity.name} == {limit}'")
    if limit not in quantity.words:
        message = f"{quoted(limit)} is no {quantity.name}"
        raise QuantityError(message, f"write {listed(quantity.words)}")
    return limit


When = Annotated[
    Condition,
    PlainValidator(spoken(parse_condition)),
    PlainSerializer(lambda condition: condition.text),
    WithJsonSchema(
        {"type": "string", "pattern": CONDITION_PATTERN, "examples": ["cdp.backlog > 1 GiB"]}
    ),
]
