"""Events and actions of a failover: what a promotion, the authority and their drivers exchange.

The register of epochs is opaque bytes here: whoever keeps it compares it as a whole.
"""

from dataclasses import dataclass
from typing import Literal

from engine.basics.cursor import Cursor
from engine.basics.errors import EngineError, LocalProtocolError
from engine.contract.actions import FileAction, WakeAt
from engine.contract.events import TimerFired

# --- what can happen to a promotion ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promote:
    """Make this copy the primary, at a sequence, or at the newest point where it is None.

    `cause` automatic: the detector gave the source up; the witness must agree. `is_forced`: the
    operator takes it upon himself that another branch may hold newer data.
    """

    sequence: int | None = None
    cause: Literal["operator", "automatic"] = "operator"
    is_forced: bool = False

    def __post_init__(self) -> None:
        if self.cause == "automatic" and (self.is_forced or self.sequence is not None):
            raise LocalProtocolError("An automatic failover takes the newest point, unforced")


@dataclass(frozen=True, slots=True)
class SwitchOver:
    """Make this copy the primary without losing anything: the source lives and takes part."""


@dataclass(frozen=True, slots=True)
class SourceQuiesced:
    """The source's writers have stopped; this is the cursor of its last record."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class JournalMoved:
    """Something of the copy's journal has become durable."""


@dataclass(frozen=True, slots=True)
class BeginTest:
    """Put a point to use on a private overlay; replication goes on."""

    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class EndTest:
    """Give the test's overlay up."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The new primary is to stay."""


@dataclass(frozen=True, slots=True)
class RollBack:
    """The new primary was a mistake: give the group back to the copy before it."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """There is reason to doubt that this copy is still the primary: the authority is asked."""


@dataclass(frozen=True, slots=True)
class RegisterIs:
    """The authority's answer: its register now, and whether it was swapped.

    `refusal` says why a vote went against it.
    """

    token: int
    is_swapped: bool
    current: bytes
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class RegisterUnreachable:
    """The authority could not be asked, or did not answer: whether it swapped is not known."""

    token: int
    reason: str


PromotionEvent = (
    Promote
    | SwitchOver
    | SourceQuiesced
    | JournalMoved
    | BeginTest
    | EndTest
    | Commit
    | RollBack
    | Confirm
    | RegisterIs
    | RegisterUnreachable
    | TimerFired
)

# --- what it asks for -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadRegister:
    """Ask the authority for its register; answer with RegisterIs or RegisterUnreachable."""

    token: int


@dataclass(frozen=True, slots=True)
class SwapRegister:
    """Ask the authority to put `new` in the place of `expected`, if that is what it has.

    `holder` asks; `is_automatic`: only if the authority, too, has given the source up.
    """

    token: int
    expected: bytes
    new: bytes
    holder: int
    is_automatic: bool


@dataclass(frozen=True, slots=True)
class FenceSource:
    """Give the target session Fenced(epoch): no record of an older epoch is taken any more."""

    epoch: int


@dataclass(frozen=True, slots=True)
class HoldSource:
    """End the source's connection to this copy and accept none, until FenceSource or ReleaseSource.

    The source takes this for a bad line, and nothing is lost if the promotion does not come about.
    """


@dataclass(frozen=True, slots=True)
class ReleaseSource:
    """Accept the source's connections again: the promotion did not come about."""


@dataclass(frozen=True, slots=True)
class QuiesceSource:
    """Have the source's writers stop, then tell SourceQuiesced."""


@dataclass(frozen=True, slots=True)
class ResumeSource:
    """Let the source's writers go on: the planned switch did not come about."""


@dataclass(frozen=True, slots=True)
class BeginBranch:
    """Begin the branch of this epoch at a point of the copy's journal, and let writers in.

    See `engine.failover.branches.open_branch` and `begin_capture`; it comes again after a restart
    and whenever the authority has confirmed it.
    """

    epoch: int
    base: Cursor


@dataclass(frozen=True, slots=True)
class StopWriters:
    """Have the writers of the promoted copy stop: its branch ends."""

    epoch: int


# --- notices --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promoted:
    """This copy is the primary; what its journal has beyond the base is an orphan tail."""

    epoch: int
    base: Cursor
    commit_by_ns: int | None


@dataclass(frozen=True, slots=True)
class PromotionFailed:
    """The copy stays on standby."""

    error: EngineError


@dataclass(frozen=True, slots=True)
class PromotionCommitted:
    """The promotion is final; `by` says whose word it was."""

    epoch: int
    by: Literal["operator", "time limit"]


@dataclass(frozen=True, slots=True)
class PromotionRolledBack:
    """The group was given back in a new epoch; the branch stays readable as an orphan branch.

    `holder` is None where another copy was promoted meanwhile.
    """

    epoch: int
    holder: int | None
    by: Literal["operator", "time limit"]


@dataclass(frozen=True, slots=True)
class Superseded:
    """Another copy got a higher epoch: this branch has ended, and stays readable."""

    epoch: int
    by_epoch: int
    by_holder: int


@dataclass(frozen=True, slots=True)
class AuthoritySilent:
    """The authority does not answer; what waits for it is asked again at `retry_at_ns`."""

    reason: str
    retry_at_ns: int


PromotionNotice = (
    Promoted
    | PromotionFailed
    | PromotionCommitted
    | PromotionRolledBack
    | Superseded
    | AuthoritySilent
)


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell whoever watches, loudly."""

    notice: PromotionNotice


PromotionAction = (
    ReadRegister
    | SwapRegister
    | FenceSource
    | HoldSource
    | ReleaseSource
    | QuiesceSource
    | ResumeSource
    | BeginBranch
    | StopWriters
    | Announce
    | WakeAt
    | FileAction
)
