"""A promoted copy: its branch begins, and it is committed, rolled back or superseded.

The base of `engine.failover.promotion.Promotion`, where the fault model is told. After a restart
no writer is let in before the authority has confirmed that no higher epoch was issued meanwhile.
"""

from typing import Literal

from engine.basics.register import Grant
from engine.basics.settings import FailoverSettings
from engine.contract.machines import next_state
from engine.contract.promotions import (
    Announce,
    BeginBranch,
    Commit,
    Confirm,
    FenceSource,
    PromotionAction,
    PromotionCommitted,
    PromotionNotice,
    PromotionRolledBack,
    RollBack,
    StopWriters,
    Superseded,
)
from engine.failover.line import AuthorityLine
from engine.failover.record import code_of, keep, state_of
from engine.failover.states import PROMOTION_TRANSITIONS, PromotionState, PromotionTrigger
from engine.formats.promotion_state import PromotionRecord
from engine.journal.journal import Journal

_S, _T = PromotionState, PromotionTrigger
_By = Literal["operator", "time limit"]


class Primacy:
    """What a copy does from its grant on.

    Args:
        journal: The copy's journal.
        record: What was written down of a promotion; None on standby.
        holder: The number of this copy.
        request: The number that this promotion's requests bear.
        settings: Times.
    """

    def __init__(
        self,
        journal: Journal,
        record: PromotionRecord | None,
        *,
        holder: int,
        request: int,
        settings: FailoverSettings,
    ) -> None:
        self.journal = journal
        self.holder = holder
        self.request = request
        self.settings = settings
        #: What was asked for or granted; None on standby.
        self.record = record
        self.state = state_of(record)
        self._by: _By = "operator"
        self._line = AuthorityLine(journal.group, holder, settings)
        self._actions: list[PromotionAction] = []

    @property
    def epoch(self) -> int:
        """Return the epoch that was asked for or granted, or that has ended this copy's."""
        assert self.record is not None, "there is none on standby"
        return self.record.epoch

    @property
    def commit_by_ns(self) -> int | None:
        """Return when the time limit decides, None where nothing is to be decided."""
        return self.record.commit_by_ns if self.record and self.state is _S.PROMOTED else None

    def _enter_branch(self) -> None:
        record = self.record
        assert record is not None, "a branch was granted"
        self._actions.append(FenceSource(record.epoch))
        self._actions.append(BeginBranch(record.epoch, record.base))

    def _on_confirm(self, _: Confirm, now_ns: int) -> None:
        if self.state in (_S.PROMOTED, _S.COMMITTED):
            self._actions.append(self._line.read(now_ns))

    def _confirm(self) -> None:
        """Go on only if no higher epoch was issued since."""
        record, newest = self.record, self._line.register.newest
        assert record is not None, "it was promoted"
        if newest == Grant(record.epoch, self.holder, record.request):
            self._enter_branch()
            return
        assert newest is not None, "a register never loses a grant"
        self._actions.append(StopWriters(record.epoch))
        self._move(_T.HIGHER_EPOCH)
        self._keep(record._replace(state=code_of(self.state), epoch=newest.epoch))
        self._actions.append(FenceSource(newest.epoch))
        self._announce(Superseded(record.epoch, newest.epoch, newest.holder))

    # --- commit and rollback ------------------------------------------------------------------

    def _on_commit(self, _: Commit, __: int) -> None:
        self._commit("operator")

    def _on_roll_back(self, _: RollBack, now_ns: int) -> None:
        self._roll_back("operator", now_ns)

    def _end_by_time_limit(self, now_ns: int) -> None:
        if self.settings.at_commit_timeout == "commit":
            self._commit("time limit")
        else:
            self._roll_back("time limit", now_ns)

    def _commit(self, by: _By) -> None:
        self._move(_T.COMMIT)
        assert self.record is not None, "it was promoted"
        self._keep(self.record._replace(state=code_of(self.state), commit_by_ns=None))
        self._announce(PromotionCommitted(self.record.epoch, by))

    def _roll_back(self, by: _By, now_ns: int) -> None:
        self._move(_T.ROLL_BACK)
        assert self.record is not None, "it was promoted"
        self._by = by
        self._keep(self.record._replace(state=code_of(self.state), commit_by_ns=None))
        self._stop_and_read(now_ns)

    def _stop_and_read(self, now_ns: int) -> None:
        assert self.record is not None, "it was promoted"
        self._actions.append(FenceSource(self.record.epoch))
        self._actions.append(StopWriters(self.record.epoch))
        self._actions.append(self._line.read(now_ns))

    def _give_back(self, now_ns: int) -> None:
        """Have the authority give a new epoch to the copy before, or see that it has."""
        record, register = self.record, self._line.register
        assert record is not None, "it was promoted"
        given_back = Grant(record.epoch + 1, record.holder_before, record.request)
        if register.newest == Grant(record.epoch, self.holder, record.request):
            self._actions.append(self._line.swap(given_back, now_ns, is_automatic=False))
            return
        self._move(_T.GIVEN_BACK)
        self._keep(record._replace(state=code_of(self.state), epoch=register.epoch))
        holder = record.holder_before if register.newest == given_back else None
        self._actions.append(FenceSource(register.epoch))
        self._announce(PromotionRolledBack(register.epoch, holder, self._by))

    # --- the small steps ----------------------------------------------------------------------

    def _keep(self, record: PromotionRecord) -> None:
        self.record = record
        self._actions.append(keep(record))

    def _announce(self, notice: PromotionNotice) -> None:
        self._actions.append(Announce(notice))

    def _move(self, trigger: PromotionTrigger) -> None:
        self.state = next_state("The copy", PROMOTION_TRANSITIONS, self.state, trigger)
