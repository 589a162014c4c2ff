"""When recoveries are rehearsed, and the assumed steps of a real one."""

from typing import Literal

from pydantic import Field, model_validator

from scenarios.fields import At, Duration, Interval, Strict, refusal


class Drills(Strict):
    """Recoveries that disturb nothing: at an interval, at chosen instants, and at the end."""

    every_ns: Interval | None = Field(
        None, alias="every", description="Time from one drill to the next.", examples=["5 min"]
    )
    at: tuple[At, ...] = Field(
        (), description="Chosen instants: times of day or durations after the start."
    )
    at_end: bool = Field(default=False, description="Whether one is made at the end of the run.")
    classes: tuple[Literal["any", "app"], ...] = Field(
        ("any",),
        description="What is recovered: any write, or the newest application-consistent point.",
        json_schema_extra={"minItems": 1, "maxItems": 2},
    )

    @model_validator(mode="after")
    def _check_some(self) -> "Drills":
        if not self.classes:
            raise refusal("no class is named", "write 'classes: [any]'", at="classes")
        if self.every_ns is None and not self.at and not self.at_end:
            hint = "write 'every: 5 min', 'at: [10:30]' or 'at_end: true'"
            raise refusal("the drills have no time", hint)
        if len(set(self.classes)) != len(self.classes):
            raise refusal("a class is named twice", "write each class once", at="classes")
        return self


class RtoAssumptions(Strict):
    """Steps of a recovery that no run can measure; what is left out is assumed and reported."""

    detect_ns: Duration | None = Field(
        None, alias="detect", description="From the disaster to knowing of it."
    )
    decide_ns: Duration | None = Field(
        None, alias="decide", description="From knowing to the decision to fail over."
    )
    fence_ns: Duration | None = Field(
        None, alias="fence", description="Making sure that the old server stays down."
    )
    directory_ns: Duration | None = Field(
        None, alias="directory", description="Pointing the mailboxes at the new database."
    )
    dns_ns: Duration | None = Field(
        None, alias="dns", description="Until names resolve to the new server."
    )
    clients_ns: Duration | None = Field(
        None, alias="clients", description="Until mail programs have reconnected."
    )
