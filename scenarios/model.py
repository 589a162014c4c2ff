"""The scenario: everything that one run needs to know."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from scenarios.building import Building
from scenarios.checkers import Checker
from scenarios.doubts import DESCRIPTIONS, DoubtedWord
from scenarios.drills import Drills, RtoAssumptions
from scenarios.errors import Problem
from scenarios.expressions import EXPRESSION_PATTERN, Expression, parse_expression
from scenarios.faults import Fault
from scenarios.fields import (
    Date,
    Marker,
    Name,
    PositiveDuration,
    Strict,
    TimeOfDay,
    one_of,
    refusal,
    setting,
)
from scenarios.grammar import QuantityError
from scenarios.mail import AnyWorkload, OwnWorkload, Workload
from scenarios.matrix import Replications, VariedValues
from scenarios.metrics import METRIC_PATTERN, METRICS, parse_metric_name
from scenarios.moments import Moment
from scenarios.nodes import Mark, Node
from scenarios.phases import PHASES_MAX, Phase, phase_spans
from scenarios.protections import Protection
from scenarios.thresholds import Threshold
from scenarios.wording import quoted
from scenarios.world import Exchange, Link, SiteOrNothing

SEED_MAX = 2**64 - 1


def _check_fidelity(read: object) -> object:
    if read == "sparse":
        raise refusal("sparse mail bodies come in a later version", "write 'fidelity: full'")
    if read != "full":
        raise one_of(read, ("full", "sparse"), "fidelities")
    return read


def _check_not_empty(read: object) -> object:
    if read == {}:
        raise refusal("this is empty", "at least one entry is needed")
    return read


def _check_varied(read: object) -> object:
    for path, values in read.items() if isinstance(read, dict) else ():
        if values == ():
            raise refusal("no value is written", "write at least one", at=path)
        if not isinstance(values, tuple):
            message = f"a list of values is expected, read {quoted(values)}"
            raise refusal(message, "write [...], or '[2, 5, 10] Mbit/s' in quotes", at=path)
    return _check_not_empty(read)


def _parse_expression(read: object) -> Expression:
    try:
        return parse_expression(read)
    except QuantityError as error:
        raise refusal(str(error), error.hint) from None


ThresholdText = Annotated[
    Expression,
    BeforeValidator(_parse_expression),
    WithJsonSchema({"type": "string", "pattern": EXPRESSION_PATTERN, "examples": ["max < 60 s"]}),
]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a scenario was read: its file, places of thresholds, doubts, options, document."""

    file: str = ""
    folder: Path | None = None
    threshold_marks: dict[tuple[str, int], Mark] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    options: tuple[str, ...] = ()
    root: Node | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Variant:
    """One choice of the values that a scenario varies: its name, the values as written."""

    name: str
    settings: dict[str, str]
    scenario: "Scenario"


class Scenario(Strict, Building):
    """One experiment: a world, its protections, what breaks, and what must hold."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="What the scenario asks, in one line.",
        examples=["Losing the primary site in the morning peak"],
    )
    description: Annotated[str, StringConstraints(max_length=10_000)] = Field(
        "", description="More about it, for the reader."
    )
    teaches: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", description="What one learns from it, in one line."
    )
    extends: str | None = Field(
        None,
        description="A scenario of the library, or a file by its path from this one's folder, "
        "whose values hold where this file has none.",
        examples=["clean"],
    )
    seed: int = Field(
        description="The number that decides every random draw: same seed, same run.",
        examples=[7],
        ge=0,
        le=SEED_MAX,
    )
    date: Date = setting("2007-06-04", key="date", description="The day on which the run starts.")
    start_ns: TimeOfDay = setting(
        "00:00", key="start", description="The time of day at which the run starts."
    )
    duration_ns: PositiveDuration | None = Field(
        None,
        alias="duration",
        description="How long the run lasts; may be left out when mail is replayed.",
        examples=["1 h"],
    )
    fidelity: Annotated[Literal["full"], BeforeValidator(_check_fidelity)] = Field(
        "full", description="Every mail body is real text."
    )
    exchange: Exchange = Field(
        description="The mail server that is protected.",
        examples=["{version: 2007, storage_groups: [...]}"],
    )
    workload: AnyWorkload | None = Field(
        None, description="Your own mail, or its log volume, in place of the profile's."
    )
    sites: Annotated[dict[Name, SiteOrNothing], BeforeValidator(_check_not_empty)] = Field(
        description="The sites by name.",
        examples=["{primary: {}, recovery: {}}"],
        json_schema_extra={"minProperties": 1},
    )
    links: tuple[Link, ...] = Field((), description="The links between the sites.")
    protect: Annotated[dict[Name, Protection], BeforeValidator(_check_not_empty)] = Field(
        description="The protections by name; at least one.",
        examples=["{cdp: {kind: cdp, copies: [{site: recovery, retention: 48 h}]}}"],
        json_schema_extra={"minProperties": 1},
    )
    phases: Annotated[tuple[Phase, ...], Field(max_length=PHASES_MAX)] = Field(
        (),
        description="Named stretches of the run, one after the other from its start: faults may "
        "belong to one, and thresholds be restricted to one.",
        examples=["[{name: chaos, duration: 40 min}, {name: quiet, duration: 20 min}]"],
    )
    faults: tuple[Fault, ...] = Field((), description="What breaks, and when.")
    drills: Drills | None = Field(None, description="Recoveries that disturb nothing.")
    rto: RtoAssumptions = Field(
        default_factory=lambda: RtoAssumptions.model_validate({}),
        description="The operator's own figures for steps that no run can measure.",
    )
    thresholds: dict[str, tuple[ThresholdText, ...]] = Field(
        default_factory=dict,
        description="What must hold, by metric, such as 'cdp.rpo: [\"max < 60 s\"]'; of one copy "
        "as 'cdp@recovery.rpo', in one phase as 'cdp.rpo@quiet'. Metrics: "
        + "; ".join(f"{metric.spelling} ({metric.description})" for metric in METRICS.values())
        + ".",
        json_schema_extra={"propertyNames": {"pattern": METRIC_PATTERN}},
    )
    vary: Annotated[dict[str, VariedValues], BeforeValidator(_check_varied)] = Field(
        default_factory=dict,
        description="Values to try, by path, all combinations: "
        "'link.bandwidth: [2 Mbit/s, 5 Mbit/s]'.",
    )
    replications: Replications | None = Field(
        None, description="How often it is run, each time with another seed."
    )
    checkers: dict[Name, Checker] = Field(
        default_factory=dict,
        description="What packages look for in recovered mail, by a name of yours.",
    )
    markers: tuple[Marker, ...] = Field(
        (), description="Marks of pytest that its tests carry.", examples=["[slow]"]
    )

    accepts: tuple[DoubtedWord, ...] = Field(
        (),
        description="Doubts of 'check' that are meant to be: "
        + "; ".join(f"{kind} ({told})" for kind, told in DESCRIPTIONS.items())
        + ".",
        examples=["[spool_overrun]"],
    )

    _source: Source = PrivateAttr(default_factory=Source)
    _variants: tuple[Variant, ...] = PrivateAttr(default=())

    @property
    def source(self) -> Source:
        """Where it was read."""
        return self._source

    @model_validator(mode="after")
    def _check_seeds(self) -> "Scenario":
        if self.seeds.stop - 1 > SEED_MAX:
            hint = f"the largest is {SEED_MAX}: begin with a smaller one"
            raise refusal(f"the last seed, {self.seeds.stop - 1}, is out of range", hint, at="seed")
        return self

    @property
    def is_study(self) -> bool:
        """Whether it is more than one run."""
        return bool(self.vary) or self.seeds.stop - self.seeds.start > 1

    @property
    def seeds(self) -> range:
        """The seeds of its runs."""
        plan = self.replications
        if plan is None:
            return range(self.seed, self.seed + 1)
        first = self.seed if plan.first_seed is None else plan.first_seed
        return range(first, first + plan.count)

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Each choice of the values that vary, with its scenario; itself where none does."""
        return self._variants or (Variant("", {}, self),)

    @property
    def _files(self) -> Workload | None:
        """The workload that names files, if that is what it is."""
        return None if isinstance(self.workload, OwnWorkload) else self.workload

    @property
    def starts_with_mail(self) -> bool:
        """Whether date and start are those of replayed mail, not `date` and `start_ns`."""
        return self._files is not None and self._files.log_stats is None

    @property
    def mbox_path(self) -> Path | None:
        """The replayed archive, resolved against the scenario file's folder."""
        return None if self._files is None else self._resolved(self._files.mbox)

    @property
    def tracking_log_path(self) -> Path | None:
        """The replayed message tracking log, or the folder of them, resolved likewise."""
        return None if self._files is None else self._resolved(self._files.tracking_log)

    @property
    def log_stats_path(self) -> Path | None:
        """The log statistics, resolved likewise."""
        return None if self._files is None else self._resolved(self._files.log_stats)

    @property
    def log_database(self) -> str | None:
        """Which database of the log statistics it is."""
        return None if self._files is None else self._files.database

    @property
    def workload_path(self) -> Path | None:
        """The file, or the folder of files, that the workload names."""
        return self.mbox_path or self.tracking_log_path or self.log_stats_path

    def _resolved(self, name: str | None) -> Path | None:
        return None if name is None else (self._source.folder or Path()) / name

    @property
    def starts_at(self) -> dt.datetime:
        """Date and time of the run's start, without a zone; meaningless with replayed mail."""
        midnight = dt.datetime.combine(self.date, dt.time())
        return midnight + dt.timedelta(microseconds=self.start_ns // 1_000)

    def offset_ns(self, moment: Moment, start_ns: int | None = None) -> int:
        """Nanoseconds from the run's start to an instant of it.

        Args:
            moment: as written in a fault or a drill.
            start_ns: the start's time of day where the mail decides it; else the scenario's.
        """
        return moment.after_start_ns(self.start_ns if start_ns is None else start_ns)

    def threshold_list(self) -> list[Threshold]:
        """All thresholds in the file's order, each with its line."""
        found = []
        spans = phase_spans(self.phases)
        for name, expressions in self.thresholds.items():
            target = parse_metric_name(name)
            span = spans[target.phase] if target.phase else None
            for index, expression in enumerate(expressions):
                mark = self._source.threshold_marks.get((name, index), Mark())
                file = mark.file if mark.line and mark.file != self._source.file else ""
                found.append(
                    Threshold(
                        target.protection,
                        target.metric.name,
                        expression,
                        mark.line,
                        file,
                        copy=target.copy,
                        limit_ns=target.limit_ns,
                        phase=target.phase,
                        span=span,
                    )
                )
        return found

    def attach(self, source: Source, variants: tuple[Variant, ...] = ()) -> None:
        """Notes where the scenario was read, and what becomes of it; the loader's, once."""
        self._source = source
        self._variants = variants
