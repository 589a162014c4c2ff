"""A retention policy as data: how finely the past is kept, at which age, in how much space."""

from dataclasses import dataclass, replace
from typing import Literal

from engine.basics.settings import SECOND_NS

HOUR_NS = 3600 * SECOND_NS
DAY_NS = 24 * HOUR_NS

SpacePolicy = Literal["purge_oldest", "coarsen_first", "pause"]
"""What gives when the journal needs more than its space (protection.md 1.5, 3.3):

* purge_oldest: the oldest point that may leave leaves, then the next;
* coarsen_first: the finer windows are halved again and again, how far back the points reach stays;
  only when nothing can be coarsened any more the oldest leave;
* pause: nothing leaves, the copy takes nothing more until somebody makes room.
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Up to an age, one point per interval is kept; with `every_ns` 0 every bookmark."""

    until_ns: int
    every_ns: int = 0


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Every write up to an age, then the stages, each coarser than the one before; then nothing.

    Each interval is a multiple of the finer one before it, so that a point which stays in a coarse
    stage was never given up in a finer one.
    """

    #: MaxRep: all data, usually for 48 hours at most (protection.md 1.5).
    every_write_ns: int = 2 * DAY_NS
    #: Bookmarks, hourly, daily. Assumption: the sheet names the forms, not the ages.
    stages: tuple[Stage, ...] = (
        Stage(7 * DAY_NS),
        Stage(14 * DAY_NS, HOUR_NS),
        Stage(60 * DAY_NS, DAY_NS),
    )
    #: Where no bookmark was made for so long, a write stands in for one. Assumption.
    write_point_every_ns: int = HOUR_NS
    #: What the journal's files may take together, None for any space.
    space_bytes_max: int | None = None
    when_full: SpacePolicy = "purge_oldest"
    #: MaxRep warns at 80 % (protection.md 1.5).
    warn_percent: int = 80
    #: How often it is looked what is due, beside whenever a segment was sealed. Assumption.
    look_every_ns: int = 60 * SECOND_NS

    def __post_init__(self) -> None:
        assert self.every_write_ns >= 0
        assert self.write_point_every_ns > 0
        assert self.look_every_ns > 0
        assert self.space_bytes_max is None or self.space_bytes_max > 0
        assert 0 < self.warn_percent <= 100
        age_ns, finer_ns = self.every_write_ns, self.write_point_every_ns
        for stage in self.stages:
            assert stage.until_ns >= age_ns, "a stage follows the one before"
            every_ns = stage.every_ns or self.write_point_every_ns
            assert every_ns % finer_ns == 0, "an interval is a multiple of the finer ones"
            age_ns, finer_ns = stage.until_ns, every_ns

    @property
    def reach_ns(self) -> int:
        """Return the age at which the last point leaves."""
        return self.stages[-1].until_ns if self.stages else self.every_write_ns

    def halved(self, times: int) -> "RetentionPolicy":
        """Return the policy with all windows halved so often, but reaching back as far."""
        if not self.stages:
            return self
        finer = [replace(stage, until_ns=stage.until_ns >> times) for stage in self.stages[:-1]]
        stages = (*finer, self.stages[-1])
        return replace(self, every_write_ns=self.every_write_ns >> times, stages=stages)
