"""What a protection, or one copy of it, could give: curves, bookmarks, coverage, losses."""

from typing import Literal

from pydantic import ConfigDict, Field

from reports.health import CopyHealthFigures
from reports.records import Class, CurvePoint, OutsideText, Record, RpoStatistics, Seconds
from reports.recoveries import Recovery


class Bookmark(Record):
    """One attempt at an application-consistent point.

    `at_s` is its instant, or when it failed; `durable_s` when the copy had it, None if never.
    """

    at_s: Seconds
    durable_s: Seconds | None = None
    taken: bool
    problem: OutsideText = ""


class Exceedance(Record):
    """How often and for how long RPO(t) was above a limit, exact over the whole curve."""

    consistency: Class = Field(alias="class")
    limit_s: Seconds
    count: int = Field(ge=0)
    total_s: Seconds
    longest_s: Seconds
    peak_s: Seconds = Field(description="The highest RPO, above the limit or not.")
    share: Seconds = Field(description="The share of the run's time above the limit.")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CoverageGap(Record):
    """A stretch of the retention window without a recovery point, and why."""

    from_s: Seconds
    to_s: Seconds
    why: OutsideText = ""


class Coverage(Record):
    """How much of the retention window can be recovered to a class of points.

    The window goes from `from_s` to `to_s`; `share` is `recoverable_s` of its length.
    """

    consistency: Class = Field(alias="class")
    window_s: Seconds
    from_s: Seconds
    to_s: Seconds
    recoverable_s: Seconds
    share: Seconds
    gaps: tuple[CoverageGap, ...] = ()

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class StageLoss(Record):
    """Lost messages by the stage where they were; `came_back` of them by another way (`by`)."""

    stage: str
    messages: int = Field(ge=0)
    bytes: int = Field(ge=0)
    came_back: int = Field(0, ge=0)
    by: str = ""


class PhaseFigures(Record):
    """RPO(t) in one phase of the run, exact; `to_s` is earlier than its end after a disaster."""

    name: str
    from_s: Seconds
    to_s: Seconds
    rpo: RpoStatistics | None = None
    app_rpo: RpoStatistics | None = None
    exceedances: tuple[Exceedance, ...] = ()


class CatchUp(Record):
    """How long it took after a fault of that kind was lifted, until RPO(t) was as before it.

    `level_s` is the highest RPO of the minute before it struck; `length_s` is None where the run
    ended before it was reached.
    """

    kind: str
    from_s: Seconds
    level_s: Seconds
    length_s: Seconds | None


class KeptHistory(Record):
    """What a protection or a copy could give over the run; `rpo` and `curve` are to any write.

    A curve is a line through (time_s, rpo_s) points; a drop is two points at the same time.
    `backlog` is what waited at the source, as (time_s, bytes), looked at now and then.
    """

    recoveries: tuple[Recovery, ...] = ()
    rpo: RpoStatistics | None = None
    curve: tuple[CurvePoint, ...] = ()
    app_rpo: RpoStatistics | None = None
    app_curve: tuple[CurvePoint, ...] = ()
    health: CopyHealthFigures | None = None
    backlog: tuple[CurvePoint, ...] = ()
    bookmarks: tuple[Bookmark, ...] = ()
    exceedances: tuple[Exceedance, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    loss_by_stage: tuple[StageLoss, ...] = ()
    phases: tuple[PhaseFigures, ...] = ()
    catch_ups: tuple[CatchUp, ...] = ()


class CopyName(Record):
    """Which copy it is; `state` is that at the disaster, or at the end of the run."""

    name: str
    site: str
    role: Literal["local", "remote"]
    state: Literal["fed", "detached", "lost"]


class CopyResult(KeptHistory, CopyName):
    """What one of several copies of a protection could give."""
