"""Recoveries, after a disaster or as drills: what came back, what was lost, how long it took."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from reports.records import Class, Loss, Outcome, OutsideText, Record, Seconds


class LostMessage(Record):
    """One lost message; `stage` is where it was at the disaster (pool, wire, gap ...).

    `came_back` names the way by which it came back after all, empty if it did not.
    """

    mailbox: OutsideText
    subject: OutsideText
    acknowledged_s: Seconds
    stage: str
    bytes: int = Field(ge=0)
    came_back: str = ""


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


class Finding(Record):
    """Something that a checker of a package found in recovered mail."""

    checker: str = Field(description="The checker's name in the scenario.")
    text: OutsideText
    refuses: bool = Field(description="Whether the recovery has failed for it.")


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
    copy_name: str = Field("", alias="copy", description="Which of several copies it came from.")
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
    findings: tuple[Finding, ...] = Field(
        (), description="The first things that checkers of packages found."
    )
    findings_count: int = Field(0, ge=0, description="How many they found.")

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
