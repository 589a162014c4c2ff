"""What all parts of a result are made of: units, amounts, and text that came from outside."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SECOND_NS = 1_000_000_000

Seconds = Annotated[float, Field(allow_inf_nan=False)]


def _without_surrogates(text: Any) -> Any:
    """Half of a broken character, as a subject may have, has no place in a JSON document."""
    if not isinstance(text, str) or text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


OutsideText = Annotated[str, BeforeValidator(_without_surrogates)]
Class = Literal["any", "app"]
Outcome = Literal["recovered", "refused", "failed"]
CurvePoint = tuple[Seconds, Seconds]


def seconds(time_ns: int) -> float:
    """Nanoseconds as seconds."""
    return time_ns / SECOND_NS


class Record(BaseModel):
    """A part of a result: unknown keys are refused, values are final."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Amount(Record):
    """Some messages and their bytes."""

    messages: int = Field(ge=0)
    bytes: int = Field(ge=0)


class Loss(Amount):
    """What a recovery did not bring back."""

    logs: int = Field(0, ge=0)


class RpoStatistics(Record):
    """Time-weighted figures of RPO(t) over the run."""

    max_s: Seconds
    p99_s: Seconds
    p95_s: Seconds
    mean_s: Seconds
