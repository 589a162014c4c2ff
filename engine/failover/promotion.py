"""A copy becomes the primary: asked for, granted by the one authority, committed or rolled back.

    STANDBY -> READING     is the authority there, is this copy of the newest epoch?
            -> HOLDING     nothing of the old source is taken; all received becomes durable
            -> ASKING      the base is fixed and written down; the authority swaps its register
            -> PROMOTED    the old source is fenced, the branch begins with its first write
            -> COMMITTED | ROLLING_BACK -> ROLLED_BACK

Fault model. The process may die after any action: the record file says what was asked for, and
after a restart the register says whether it was granted. The authority may be silent, and its
answer lost. Promised: nobody writes in an epoch that the authority has not granted; a record of
the old source that is acknowledged is at or before the base, unless the operator chose an older
point; nothing beyond the base is deleted (it is the orphan tail of the parent branch). A rollback
never goes back to an old epoch: the authority gives a new one to the copy before. Not checked:
that the driver stops the writers when it is told to.
"""

from collections.abc import Callable

from engine.basics.cursor import Cursor
from engine.basics.errors import (
    AuthorityUnreachable,
    DrainTimedOut,
    EngineError,
    EpochTaken,
    LocalProtocolError,
    WitnessDisagrees,
)
from engine.basics.figures import duration_text
from engine.basics.register import Grant
from engine.basics.settings import FailoverSettings
from engine.contract.actions import DeleteFile, WakeAt
from engine.contract.events import TimerFired
from engine.contract.promotions import (
    BeginTest,
    Commit,
    Confirm,
    EndTest,
    FenceSource,
    HoldSource,
    JournalMoved,
    Promote,
    Promoted,
    PromotionAction,
    PromotionEvent,
    PromotionFailed,
    QuiesceSource,
    RegisterIs,
    RegisterUnreachable,
    ReleaseSource,
    ResumeSource,
    RollBack,
    SourceQuiesced,
    SwitchOver,
)
from engine.contract.storage import Storage
from engine.failover.branches import pin_base, unpin_base
from engine.failover.detector import Detector, Lease
from engine.failover.primacy import Primacy
from engine.failover.record import code_of, read_record
from engine.failover.refusals import base_for, refusal_of_automatic, refusal_of_register
from engine.failover.states import PromotionState, PromotionTrigger
from engine.formats.promotion_state import PROMOTION_FILE, PromotionRecord
from engine.journal.journal import Journal

_S, _T = PromotionState, PromotionTrigger


_PREPARING = (_S.READING, _S.HOLDING, _S.ASKING)


class Promotion(Primacy):
    """The state machine of one copy: give events to `handle`, carry out what it returns.

    Args:
        storage: Where the journal lies, and the record file beside it.
        journal: The copy's journal.
        holder: The number of this copy, which no other copy of the group has.
        request: A number that no other promotion object ever had, drawn by the driver.
        settings: Times.
        detector: What hears the source, for automatic failover.
        lease: The lease that the driver keeps renewed, for automatic failover.

    Raises:
        JournalDamaged: The record file is there, but unreadable: nothing may be promoted.
    """

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        *,
        holder: int,
        request: int,
        settings: FailoverSettings | None = None,
        detector: Detector | None = None,
        lease: Lease | None = None,
    ) -> None:
        super().__init__(
            journal,
            read_record(storage, journal.group),
            holder=holder,
            request=request,
            settings=settings or FailoverSettings(),
        )
        self.detector = detector
        self.lease = lease
        self._asked = Promote()
        self._quiesced: Cursor | None = None
        self._is_planned = False
        self._give_up_at_ns = 0
        self._handlers: dict[type, Callable[..., None]] = {
            Promote: self._on_promote,
            SwitchOver: self._on_switch,
            SourceQuiesced: self._on_quiesced,
            JournalMoved: self._on_journal_moved,
            BeginTest: self._on_begin_test,
            EndTest: self._on_end_test,
            Commit: self._on_commit,
            RollBack: self._on_roll_back,
            Confirm: self._on_confirm,
            RegisterIs: self._on_register,
            RegisterUnreachable: self._on_unreachable,
            TimerFired: self._on_timer,
        }

    @property
    def fenced_by(self) -> int | None:
        """Return the epoch that ended the journal's branch, for a TargetSession; None: none has."""
        return None if self.record is None or self.state is _S.ASKING else self.record.epoch

    @property
    def is_holding(self) -> bool:
        """Return whether no connection of the source may be accepted now."""
        return self.state in (_S.HOLDING, _S.ASKING)

    def begin(self, now_ns: int) -> list[PromotionAction]:
        """Return what is to be done after a start: a promotion that was under way goes on."""
        if self.state is _S.ASKING:
            self._actions.append(HoldSource())
            self._start_asking(now_ns)
        elif self.state is _S.ROLLING_BACK:
            self._stop_and_read(now_ns)
        elif self.state in (_S.PROMOTED, _S.COMMITTED):
            self._actions.append(FenceSource(self.epoch))
            self._actions.append(self._line.read(now_ns))
        return self._drain(now_ns)

    def handle(self, event: PromotionEvent, now_ns: int) -> list[PromotionAction]:
        """Take one event and return what is to be done, in order.

        Raises:
            LocalProtocolError: The event is impossible in this state.
        """
        assert not self._actions, "handle is not re-entrant"
        try:
            self._handlers[type(event)](event, now_ns)
        except LocalProtocolError:
            self._actions.clear()
            raise
        except EngineError as error:
            self._refuse(error)
        return self._drain(now_ns)

    # --- what the operator or the detector wants ----------------------------------------------

    def _on_promote(self, event: Promote, now_ns: int) -> None:
        if self.state is _S.TESTING:
            self._move(_T.TEST_ENDS)
        self._move(_T.PROMOTE)
        self._asked, self._is_planned, self._quiesced = event, False, None
        if event.cause == "automatic":
            refusal = refusal_of_automatic(self.detector, self.lease, now_ns)
            if refusal is not None:
                raise refusal
        base_for(self.journal, event.sequence)
        self._start_asking(now_ns)

    def _on_switch(self, _: SwitchOver, now_ns: int) -> None:
        if self.state is _S.TESTING:
            self._move(_T.TEST_ENDS)
        self._move(_T.SWITCH)
        self._asked, self._is_planned, self._quiesced = Promote(), True, None
        self._give_up_at_ns = now_ns + self.settings.drain_timeout_ns
        self._actions.append(QuiesceSource())

    def _on_quiesced(self, event: SourceQuiesced, now_ns: int) -> None:
        if self.state is _S.DRAINING:
            self._quiesced = event.cursor
            self._look_whether_drained(now_ns)

    def _on_begin_test(self, event: BeginTest, _: int) -> None:
        """Check the point, and that nothing else is under way; the overlay is the driver's."""
        if self.state is _S.STANDBY:
            base_for(self.journal, event.sequence)
        self._move(_T.TEST)

    def _on_end_test(self, _: EndTest, __: int) -> None:
        self._move(_T.TEST_ENDS)

    # --- the way to the grant -----------------------------------------------------------------

    def _on_journal_moved(self, _: JournalMoved, now_ns: int) -> None:
        if self.state is _S.DRAINING:
            self._look_whether_drained(now_ns)
        elif self.state is _S.HOLDING:
            self._ask_when_settled(now_ns)

    def _look_whether_drained(self, now_ns: int) -> None:
        if self._quiesced is None or self.journal.durable.sequence < self._quiesced.sequence:
            return
        assert self.journal.durable == self._quiesced, "nothing follows the last record"
        base_for(self.journal, None)
        self._move(_T.DRAINED)
        self._start_asking(now_ns)

    def _start_asking(self, now_ns: int) -> None:
        self._give_up_at_ns = now_ns + self.settings.ask_timeout_ns
        self._actions.append(self._line.read(now_ns))

    def _on_register(self, event: RegisterIs, now_ns: int) -> None:
        if not self._line.heard(event):
            return
        if self.state is _S.READING:
            self._hold(now_ns)
        elif self.state is _S.ASKING:
            self._on_register_while_asking(event.refusal, now_ns)
        elif self.state is _S.ROLLING_BACK:
            self._give_back(now_ns)
        else:
            self._confirm()

    def _hold(self, now_ns: int) -> None:
        refusal = refusal_of_register(
            self._line.register, self.journal, self.holder, is_forced=self._asked.is_forced
        )
        if refusal is not None:
            raise refusal
        self._move(_T.REGISTER_READ)
        self._actions.append(HoldSource())
        self._ask_when_settled(now_ns)

    def _ask_when_settled(self, now_ns: int) -> None:
        """Fix the base once nothing moves any more, write it down, and ask for the epoch."""
        if not self.journal.is_settled:
            return
        base = base_for(self.journal, self._asked.sequence)
        if self._quiesced is not None:
            assert base[1:] == self._quiesced[1:], "a planned switch loses nothing"
        group, register = self.journal.group, self._line.register
        before = 0 if register.newest is None else register.newest.holder
        epoch = max(register.epoch, base.epoch, self.journal.durable.epoch) + 1
        self._move(_T.SETTLED)
        self._actions += pin_base(self.journal, base, epoch)
        self._keep(
            PromotionRecord(group, code_of(self.state), epoch, base, self.request, before, None)
        )
        self._ask_for_epoch(now_ns)

    def _ask_for_epoch(self, now_ns: int) -> None:
        record = self.record
        assert record is not None, "what is asked for was written down"
        grant = Grant(record.epoch, self.holder, record.request)
        is_automatic = self._asked.cause == "automatic"
        self._actions.append(self._line.swap(grant, now_ns, is_automatic=is_automatic))

    def _on_register_while_asking(self, refusal: str, now_ns: int) -> None:
        record, register = self.record, self._line.register
        newest = register.newest
        assert record is not None, "what is asked for was written down"
        if newest == Grant(record.epoch, self.holder, record.request):
            self._granted(now_ns)
        elif refusal:
            raise WitnessDisagrees(f"No epoch was given: {refusal}")
        elif register.epoch < record.epoch and not self._line.is_swap:
            self._ask_for_epoch(now_ns)
        else:
            holder = "nobody" if newest is None else f"copy {newest.holder}"
            raise EpochTaken(
                f"Epoch {record.epoch} was asked for, epoch {register.epoch} is with {holder}"
            )

    def _granted(self, now_ns: int) -> None:
        record, limit = self.record, self.settings.commit_timeout_ns
        assert record is not None, "what was granted was asked for"
        self._move(_T.GRANTED)
        commit_by_ns = None if limit is None else now_ns + limit
        self._keep(record._replace(state=code_of(self.state), commit_by_ns=commit_by_ns))
        self._enter_branch()
        self._announce(Promoted(record.epoch, record.base, commit_by_ns))

    # --- silence ------------------------------------------------------------------------------

    def _on_unreachable(self, event: RegisterUnreachable, now_ns: int) -> None:
        if (notice := self._line.lost(event, now_ns)) is not None:
            self._announce(notice)

    def _on_timer(self, _: TimerFired, now_ns: int) -> None:
        if self.state is _S.DRAINING and now_ns >= self._give_up_at_ns:
            limit = duration_text(self.settings.drain_timeout_ns)
            raise DrainTimedOut(f"The last records did not become durable within {limit}")
        if self.state in _PREPARING and now_ns >= self._give_up_at_ns:
            limit = duration_text(self.settings.ask_timeout_ns)
            raise AuthorityUnreachable(f"The authority gave no answer within {limit}")
        if (limit_ns := self.commit_by_ns) is not None and now_ns >= limit_ns:
            self._end_by_time_limit(now_ns)
        elif self._line.due_ns is not None and now_ns >= self._line.due_ns:
            self._actions.append(self._line.read(now_ns))

    # --- endings ------------------------------------------------------------------------------

    def _refuse(self, error: EngineError) -> None:
        """Stay on standby, and say so; whatever was under way is taken back."""
        if self.state is _S.ROLLING_BACK:
            self._announce(PromotionFailed(error))  # the writers stay stopped, it is asked again
            return
        if self.is_holding:
            self._actions.append(ReleaseSource())
        if self.record is not None:
            self._actions += unpin_base(self.journal, self.record.epoch)
            self.record = None
            self._actions.append(DeleteFile(PROMOTION_FILE))
        if self._is_planned:
            self._actions.append(ResumeSource())
        if self.state is not _S.STANDBY:
            self._move(_T.REFUSED)
        self._line.forget()
        self._is_planned = False
        self._announce(PromotionFailed(error))

    def _drain(self, now_ns: int) -> list[PromotionAction]:
        if (due_ns := self._due_ns()) is not None:
            self._actions.append(WakeAt(max(due_ns, now_ns)))
        actions, self._actions = self._actions, []
        return actions

    def _due_ns(self) -> int | None:
        """Return when TimerFired is wanted; a driver keeps one time only."""
        due = [self._line.due_ns, self.commit_by_ns]
        if self.state is _S.DRAINING or self.state in _PREPARING:
            due.append(self._give_up_at_ns)
        return min((time_ns for time_ns in due if time_ns is not None), default=None)
