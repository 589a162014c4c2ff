"""The pydantic face of the language's quantities: what is written as text is held as a number.

A field's Python name ends in its unit (`latency_ns`), its alias is the key in the file (`latency`).
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from scenarios.grammar import Grammar, QuantityError
from scenarios.moments import (
    DATE_PATTERN,
    MOMENT_PATTERN,
    TIME_OF_DAY_PATTERN,
    Moment,
    parse_date,
    parse_moment,
    parse_time_of_day,
)
from scenarios.quantities import (
    DURATION,
    RATE,
    SHARE_PATTERN,
    SIZE,
    THROUGHPUT,
    parse_share,
)
from scenarios.wording import quoted, suggestion

NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"


# The length is checked in words before pydantic counts: it would count the valid items only.
EXACTLY_ONE: dict[str, Any] = {"minItems": 1, "maxItems": 1}
AT_LEAST_ONE: dict[str, Any] = {"minItems": 1}


class Strict(BaseModel):
    """A part of a scenario: unknown keys are errors, types are not guessed, values are final."""

    # A part's validator is built when it is first used by itself: the scenario has its own of each.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


def refusal(message: str, hint: str, *, at: str = "") -> PydanticCustomError:
    """An error in the product's own words; `at` names the key below this place that is wrong."""
    context = {"message": message, "hint": hint, "at": at}
    return PydanticCustomError("scenario", "{message}", context)


def setting(default: str, *, key: str, description: str) -> Any:
    """An optional quantity whose default is written in the language itself."""
    return Field(default, alias=key, description=description, validate_default=True)


def spoken(parse: Callable[[object], Any]) -> Callable[[object], Any]:
    """A reader of quantities as pydantic calls it: its errors are ours."""

    def validate(read: object) -> Any:
        try:
            return parse(read)
        except QuantityError as error:
            raise refusal(str(error), error.hint) from None

    return validate


def _at_least(parse: Callable[[object], int], least: int, least_text: str) -> Callable[..., int]:
    def validate(read: object) -> int:
        value = parse(read)
        if value < least:
            raise QuantityError(f"{quoted(read)} is too small", f"write at least '{least_text}'")
        return value

    return validate


def _schema(grammar: Grammar) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": "string", "pattern": grammar.pattern, "examples": [grammar.example]}
    )


Duration = Annotated[int, BeforeValidator(spoken(DURATION.parse)), _schema(DURATION)]
PositiveDuration = Annotated[
    int, BeforeValidator(spoken(_at_least(DURATION.parse, 1, "1 ns"))), _schema(DURATION)
]
Interval = Annotated[
    int,
    BeforeValidator(spoken(_at_least(DURATION.parse, DURATION.parse("1 s"), "1 s"))),
    _schema(DURATION),
]
Pulse = Annotated[
    int,
    BeforeValidator(spoken(_at_least(DURATION.parse, DURATION.parse("10 ms"), "10 ms"))),
    _schema(DURATION),
]
Size = Annotated[int, BeforeValidator(spoken(_at_least(SIZE.parse, 1, "1 B"))), _schema(SIZE)]
Capacity = Annotated[
    int,
    BeforeValidator(spoken(_at_least(SIZE.parse, SIZE.parse("16 MiB"), "16 MiB"))),
    _schema(SIZE),
]
Rate = Annotated[int, BeforeValidator(spoken(_at_least(RATE.parse, 1, "1 bit/s"))), _schema(RATE)]
Throughput = Annotated[
    int, BeforeValidator(spoken(_at_least(THROUGHPUT.parse, 1, "1 B/s"))), _schema(THROUGHPUT)
]
Share = Annotated[
    float,
    BeforeValidator(spoken(lambda read: float(parse_share(read)))),
    WithJsonSchema({"type": "string", "pattern": SHARE_PATTERN, "examples": ["0.1 %"]}),
]
TimeOfDay = Annotated[
    int,
    BeforeValidator(spoken(parse_time_of_day)),
    WithJsonSchema({"type": "string", "pattern": TIME_OF_DAY_PATTERN, "examples": ["10:30"]}),
]
At = Annotated[
    Moment,
    PlainValidator(spoken(parse_moment)),
    PlainSerializer(
        lambda moment: {"value_ns": moment.value_ns, "on_the_clock": moment.on_the_clock}
    ),
    WithJsonSchema({"type": "string", "pattern": MOMENT_PATTERN, "examples": ["10:30", "20 min"]}),
]
Date = Annotated[
    dt.date,
    BeforeValidator(spoken(parse_date)),
    WithJsonSchema({"type": "string", "pattern": DATE_PATTERN, "examples": ["2007-06-04"]}),
]


def _check_name(read: object) -> object:
    if isinstance(read, str) and re.fullmatch(NAME_PATTERN, read) is None:
        hint = "a name begins with a letter and has letters, digits, '_' and '-', at most 63"
        raise refusal(f"{quoted(read)} is not a name", hint)
    return read


Name = Annotated[
    str, BeforeValidator(_check_name), WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})
]


def one_of(value: object, known: tuple[str, ...], what: str) -> PydanticCustomError:
    """The error for a word that is none of the known ones."""
    hint = suggestion(value, known, what=what) if isinstance(value, str) else ""
    return refusal(f"{quoted(value)} is unknown", hint or f"known {what}: {', '.join(known)}")


def _check_marker(read: object) -> object:
    if isinstance(read, str) and not (read.isidentifier() and read.isascii()):
        hint = "a marker has letters, digits and '_', and begins with a letter"
        raise refusal(f"{quoted(read)} is not a marker", hint)
    return read


Marker = Annotated[
    str,
    BeforeValidator(_check_marker),
    WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_]*$"}),
]
