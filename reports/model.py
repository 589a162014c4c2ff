"""The result of a run: the published JSON document and its Python form.

Units are in the names; seconds are rounded to the nanosecond. Everything but `wall_s` and
`events_per_s` is the same for the same seed.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

RESULT_VERSION: Literal[1] = 1
SECOND_NS = 1_000_000_000

Seconds = Annotated[float, Field(allow_inf_nan=False)]


def _without_surrogates(text: Any) -> Any:
    """Half of a broken character, as a subject may have, has no place in a JSON document."""
    if not isinstance(text, str) or text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


OutsideText = Annotated[str, BeforeValidator(_without_surrogates)]
Class = Literal["any", "app"]
CurvePoint = tuple[Seconds, Seconds]


class ResultError(ValueError):
    """A file is not a result that this version can read."""

    def __init__(self, file: str, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(f"{file}: {message} ({hint})")


class Verdict(StrEnum):
    """What a threshold, or the whole run, came to."""

    MET = "met"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"
    NOT_EXERCISED = "not_exercised"


class Record(BaseModel):
    """A part of a result: unknown keys are refused, values are final."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScenarioReference(Record):
    """Which scenario was run; `starts_at` is the simulated date and time of its start."""

    title: str
    file: str = ""
    starts_at: str = Field("", description="ISO 8601 date and time without a zone, or empty.")


class Digests(Record):
    """Two fingerprints of the run: order and content, and the same with all times."""

    effects: str
    full: str


class ThresholdResult(Record):
    """One threshold: limit, observed value, number of samples, verdict.

    `observed` is in `unit`; None without a sample. `line` is the scenario's line, 0 if unknown.
    """

    metric: str
    expr: str
    observed: Seconds | None
    unit: Literal["s", "bytes", "count"]
    n: int = Field(ge=0)
    verdict: Verdict
    line: int = Field(0, ge=0)
    note: str = ""

    @property
    def is_strict(self) -> bool:
        """Whether the limit itself misses the threshold."""
        return any(sign in self.expr for sign in "<>") and "=" not in self.expr


class FaultResult(Record):
    """One fault of the scenario: whether it fired, and how that is known."""

    kind: str
    at_s: Seconds
    fired: bool
    evidence: OutsideText = ""


class Notice(Record):
    """Something that an operator would have been told during the run."""

    at_s: Seconds
    source: str
    text: OutsideText


class Amount(Record):
    """Some messages and their bytes."""

    messages: int = Field(ge=0)
    bytes: int = Field(ge=0)


class Loss(Amount):
    """What a recovery did not bring back."""

    logs: int = Field(0, ge=0)


class LostMessage(Record):
    """One lost message; `stage` is where it was at the disaster (pool, wire, gap ...)."""

    mailbox: OutsideText
    subject: OutsideText
    acknowledged_s: Seconds
    stage: str
    bytes: int = Field(ge=0)


class Point(Record):
    """A recovery point: its class, source time after the run's start, and sequence number."""

    consistency: Class = Field(alias="class")
    time_s: Seconds
    sequence: int = Field(ge=0)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class RtoStep(Record):
    """One step of a recovery; `basis` says how its length is known."""

    step: str
    seconds: Seconds = Field(ge=0)
    basis: Literal["measured", "sourced", "assumption"]
    source: str = ""


Outcome = Literal["recovered", "refused", "failed"]


class GroupRecovery(Record):
    """What became of one of several storage groups in a recovery.

    `lost` is what of its mail would not come back; None where the group was refused.
    """

    name: str
    outcome: Outcome
    lost: Loss | None = None
    refusal: OutsideText = Field("", description="Why it was refused or failed, in words.")


class Recovery(Record):
    """One recovery: after a disaster, or as a drill."""

    at_s: Seconds
    cause: Literal["disaster", "drill"]
    outcome: Outcome
    consistency: Class = Field("any", alias="class")
    point: Point | None = None
    rpo_s: Seconds | None = None
    reported_rpo_s: Seconds | None = None
    lost: Loss | None = None
    lost_messages_list: tuple[LostMessage, ...] = ()
    phantom: int = Field(0, ge=0)
    damaged: int = Field(0, ge=0)
    rto_s: Seconds | None = None
    rto_steps: tuple[RtoStep, ...] = ()
    refusal: OutsideText = Field("", description="Why it was refused or failed, in words.")
    nearest: tuple[Point, ...] = Field((), description="Points offered in its place.")
    groups: tuple[GroupRecovery, ...] = Field(
        (), description="Each storage group, where the server has several and they were opened."
    )

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def reported_better_than_true_s(self) -> float:
        """By how much the engine's figure flatters the truth; 0 when it does not."""
        if self.rpo_s is None or self.reported_rpo_s is None:
            return 0.0
        return max(0.0, round(self.rpo_s - self.reported_rpo_s, 9))

    @model_validator(mode="after")
    def _check_outcome(self) -> Self:
        if self.outcome == "recovered" and (self.point is None or self.rpo_s is None):
            raise ValueError("a recovery that succeeded has a point and an rpo_s")
        if self.outcome != "recovered" and not self.refusal:
            raise ValueError("a recovery that was refused or failed says why in 'refusal'")
        if self.lost is not None and len(self.lost_messages_list) > self.lost.messages:
            raise ValueError("more lost messages are listed than were lost")
        self._check_groups()
        steps_s = sum(step.seconds for step in self.rto_steps)
        if self.rto_s is not None and self.rto_steps and abs(steps_s - self.rto_s) > 1e-6:
            raise ValueError(f"rto_s is {self.rto_s} and its steps sum to {steps_s}")
        return self

    def _check_groups(self) -> None:
        if self.outcome != "recovered" or self.lost is None or not self.groups:
            return
        losses = [group.lost for group in self.groups if group.lost is not None]
        if any(group.outcome != "recovered" for group in self.groups):
            raise ValueError("a recovery that succeeded has no group that did not")
        if sum(loss.messages for loss in losses) != self.lost.messages:
            raise ValueError(f"the groups' lost messages do not sum up to {self.lost.messages}")


class RpoStatistics(Record):
    """Time-weighted figures of RPO(t) over the run."""

    max_s: Seconds
    p99_s: Seconds
    p95_s: Seconds
    mean_s: Seconds


Severity = Literal["healthy", "warning", "critical"]


class RaisedAlarm(Record):
    """An alarm that stands."""

    name: str
    severity: Severity
    message: str
    hint: str = ""


class HealthNote(Record):
    """Something that an operator was told."""

    at_s: Seconds
    name: str
    change: Literal["raised", "eased", "cleared", "noted"]
    severity: Severity
    message: str


class CopyHealthFigures(Record):
    """What the engine at the copy says of itself: at the disaster, or at the end of the run.

    `reported_rpo` is its own RPO(t), whose percentiles are up to 1 % too high. `bookmarks` counts
    those that were due: found, uploading, delayed, lost.
    """

    at_s: Seconds
    severity: Severity
    reported_rpo: RpoStatistics
    reported_app_rpo: RpoStatistics
    clock_error_s: Seconds | None
    app_points: int = Field(ge=0)
    bookmarks: dict[str, int] = {}
    gaps: int = Field(ge=0)
    window_s: Seconds
    backlog_bytes_max: int = Field(ge=0)
    backlog_s_max: Seconds
    throttled_s: Seconds
    mode_s: dict[str, Seconds]
    sent_raw_bytes: int = Field(ge=0)
    sent_wire_bytes: int = Field(ge=0)
    alarms: tuple[RaisedAlarm, ...] = ()
    events: tuple[HealthNote, ...] = ()


class ProtectionResult(Record):
    """What one protection did; `rpo` and `curve` are to any write, the others to bookmarks.

    A curve is a line through (time_s, rpo_s) points; a drop is two points at the same time.
    """

    name: str
    kind: str
    acknowledged: Amount
    recoveries: tuple[Recovery, ...] = ()
    rpo: RpoStatistics | None = None
    curve: tuple[CurvePoint, ...] = ()
    app_rpo: RpoStatistics | None = None
    app_curve: tuple[CurvePoint, ...] = ()
    health: CopyHealthFigures | None = None


class Assumption(Record):
    """A figure that the run did not measure, and where it comes from."""

    name: str
    value: str
    basis: Literal["measured", "sourced", "assumption"]
    source: str = ""


class Result(Record):
    """Everything that one run found."""

    version: Literal[1] = RESULT_VERSION
    program: str = Field("", description="The program and its version, such as 'rpolab 0.1.0'.")
    scenario: ScenarioReference
    seed: int = Field(ge=0)
    digests: Digests
    simulated_s: Seconds = Field(ge=0)
    wall_s: Seconds = Field(ge=0)
    events: int = Field(ge=0)
    events_per_s: Seconds = Field(ge=0)
    verdict: Verdict
    thresholds: tuple[ThresholdResult, ...] = ()
    faults: tuple[FaultResult, ...] = ()
    notices: tuple[Notice, ...] = ()
    protections: tuple[ProtectionResult, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    replay: str = Field("", description="The command that repeats the run.")

    @property
    def speed(self) -> float:
        """Simulated seconds in one real second; 0 when no real time was noted."""
        return self.simulated_s / self.wall_s if self.wall_s else 0.0

    def without_wall_clock(self) -> "Result":
        """The same result with real times set to 0: equal bytes for equal seeds."""
        return self.model_copy(update={"wall_s": 0.0, "events_per_s": 0.0})

    def to_json(self) -> str:
        """The published document as text, indented, with a final newline."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def seconds(time_ns: int) -> float:
    """Nanoseconds as seconds."""
    return time_ns / SECOND_NS


def result_from_json(text: str | bytes, file: str = "result") -> Result:
    """Reads a published document.

    Raises:
        ResultError: not JSON, another version, or a field that is missing, unknown or wrong.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultError(file, f"this is not JSON: {error}", "write it with --json") from None
    version = document.get("version") if isinstance(document, dict) else None
    if version != RESULT_VERSION:
        message = f"this is no result of version {RESULT_VERSION}"
        raise ResultError(file, message, "it is written by `rpolab run --json`")
    try:
        return Result.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        message = f"{error.error_count()} field(s) are wrong, first {place}: {first['msg']}"
        raise ResultError(file, message, "the file was changed, or is of another version") from None


def load_result(path: Path) -> Result:
    """Reads a result file.

    Raises:
        ResultError: as `result_from_json`, and when the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise ResultError(str(path), message, "name a file written by --json") from None
    return result_from_json(content, str(path))


def result_schema() -> dict[str, Any]:
    """The JSON Schema of the published document."""
    schema = Result.model_json_schema(by_alias=True, mode="serialization")
    schema["title"] = "rpolab result"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
