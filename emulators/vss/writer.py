"""A VSS writer: an application that can hold still while a snapshot is taken.

Fault model.
May happen: any event fails, takes long, or never ends; the freeze window passes while the
application is being frozen or is frozen; the host loses its power (the writer and all it knew
are then gone: make a new one).
Promised: whatever happens, an application that was frozen is thawed: by the Thaw event, by an
abort, or by the writer's own watchdog at the end of its window. A freeze that ends after its
window is thawed at once. The state is always one of exchange.md 4.3 and moves by the table of
`transitions` only. An event that was given up counts for nothing when it ends after all.
Taken for granted: a freeze that raises has left nothing frozen, and so has a thaw that raises
(the application is then down, which is not the writer's to repair).
Not checked: that the application really holds still.
"""

from typing import TYPE_CHECKING

from emulators.vss.codes import VssCode, VssError, WriterLevel, WriterState
from emulators.vss.session import PhaseFault, Session, WriterStatus
from emulators.vss.transitions import WriterEvent, states_after

if TYPE_CHECKING:
    from sim.kernel import Call, Host, Kernel, Process, Signal

__all__ = ["FREEZE_WINDOW_DEFAULT_NS", "Writer"]

FREEZE_WINDOW_DEFAULT_NS = 60 * 10**9
"""From Freeze to Thaw, for a writer that does not say otherwise (exchange.md 4.2, V1)."""

# What a writer that has failed still takes part in; it answers the rest with its error.
_HEARD_WHEN_FAILED = (
    WriterEvent.IDENTIFY,
    WriterEvent.PREPARE_BACKUP,
    WriterEvent.ABORT,
    WriterEvent.BACKUP_SHUTDOWN,
)
_NO_FAULT = PhaseFault()


class Writer:
    """A writer with the mechanics common to all; applications override the hooks at the end.

    One backup at a time: another session's PrepareBackup is answered with a retryable error
    (exchange.md 4.8). `state`, `last_error` and `session` may be read by anyone.
    """

    def __init__(
        self,
        kernel: "Kernel",
        *,
        name: str,
        writer_id: str,
        instance_id: str,
        level: WriterLevel = WriterLevel.BACK_END,
        freeze_window_ns: int = FREEZE_WINDOW_DEFAULT_NS,
        host: "Host | None" = None,
    ) -> None:
        assert freeze_window_ns > 0
        self.kernel = kernel
        self.name = name
        self.writer_id = writer_id
        self.instance_id = instance_id
        self.level = level
        self.freeze_window_ns = freeze_window_ns
        self.host = host
        self.state = WriterState.STABLE
        self.last_error = VssCode.S_OK
        self.last_problem = ""  # what the application said when a hook of it last failed
        self.session: Session | None = None
        self._faults: dict[WriterEvent, list[PhaseFault]] = {}
        self._watchdog: Call | None = None
        self._answer: Signal | None = None
        self._frozen = False
        self._moving = 0  # freezes and thaws under way
        self._epoch = 0  # counts failures, aborts and sessions: what began in an earlier is void

    @property
    def status(self) -> WriterStatus:
        """The writer's status now."""
        return WriterStatus(
            self.name, self.writer_id, self.instance_id, self.state, self.last_error
        )

    @property
    def holds(self) -> bool:
        """Whether the application is frozen, or is just being frozen or thawed."""
        return self._frozen or self._moving > 0

    def inject(self, event: WriterEvent, fault: PhaseFault) -> None:
        """Let `fault` happen at the next such event; of several, each at one event."""
        self._faults.setdefault(event, []).append(fault)

    def handle(self, event: WriterEvent, session: Session | None = None) -> "Process":
        """Carry out an event; returns S_OK or the code of the failure.

        `session` says for whom; only Identify is for nobody.

        Raises:
            VssError: VSS_E_BAD_STATE, the event has no place in the writer's state.
        """
        refusal = self._refusal(event, session)
        if refusal is not None:
            return refusal
        states_after(self.state, event, self.name)
        match event:
            case WriterEvent.FREEZE:
                return (yield from self._handle_freeze())
            case WriterEvent.THAW:
                return (yield from self._handle_thaw())
            case WriterEvent.ABORT:
                return (yield from self._handle_abort())
            case _:
                return (yield from self._handle_plain(event, session))

    def give_up(self, event: WriterEvent, code: VssCode) -> None:
        """Count an event that has not ended as failed: what it still does counts for nothing."""
        # An Identify belongs to no backup, so giving it up must not disturb the one under way.
        disturbs = event is WriterEvent.IDENTIFY and self.session is not None
        if not self.state.failed and not disturbs:
            self._fail(event, code)
        if event in (WriterEvent.ABORT, WriterEvent.BACKUP_SHUTDOWN):
            self.session = None

    def freeze(self) -> "Process":
        """Hook: bring the application to a stand; a raise leaves nothing frozen."""
        yield from ()

    def thaw(self) -> "Process":
        """Hook: let the application go on; called once for each freeze that returned."""
        yield from ()

    def work(self, event: WriterEvent, session: Session | None) -> "Process":
        """Hook: what the application does in any other event; raises VssError to fail it."""
        del event, session  # an application without needs of its own
        yield from ()

    def window_passed(self) -> None:
        """Hook: the freeze window passed; the application is about to be thawed."""

    def _refusal(self, event: WriterEvent, session: Session | None) -> VssCode | None:
        """Return the answer to an event that does not concern this writer now, else None."""
        if event is WriterEvent.IDENTIFY:
            return None
        if event is WriterEvent.PREPARE_BACKUP and not self.holds and self.session is None:
            return None
        if not self._is_mine(session):
            return self._refusal_of_other(event)
        failed = self.state.failed and event not in _HEARD_WHEN_FAILED
        return self.last_error if failed else None

    def _refusal_of_other(self, event: WriterEvent) -> VssCode:
        """Return the answer to an event of a backup that this writer is not in."""
        if event is WriterEvent.PREPARE_BACKUP:
            return VssCode.VSS_E_WRITERERROR_RETRYABLE  # busy with another, or not yet thawed
        if event is WriterEvent.ABORT:
            return VssCode.S_OK  # it was never begun here
        raise VssError(
            VssCode.VSS_E_BAD_STATE,
            self.name,
            f"the event {event} is for a backup that this writer is not in",
            "call PrepareForBackup first",
        )

    def _is_mine(self, session: Session | None) -> bool:
        mine = self.session
        return mine is not None and session is not None and mine.set_id == session.set_id

    def _handle_plain(self, event: WriterEvent, session: Session | None) -> "Process":
        if event is WriterEvent.PREPARE_BACKUP:
            self._epoch += 1
            self.state = WriterState.STABLE
            self.last_error = VssCode.S_OK
            self.last_problem = ""
        if event is not WriterEvent.IDENTIFY:
            self.session = session
        epoch = self._epoch
        fault = self._next_fault(event)
        if fault.delay_ns:
            yield self.kernel.sleep(fault.delay_ns)
        code = fault.code or (yield from self._attempt(self.work(event, session)))
        if event is WriterEvent.BACKUP_SHUTDOWN and epoch == self._epoch:
            self.session = None
        if event is WriterEvent.IDENTIFY and (self.session is not None or epoch != self._epoch):
            return code  # somebody's backup is or was under way: its state is not ours to move
        return self._move(event, code, epoch)

    def _handle_freeze(self) -> "Process":
        self._watchdog = self.kernel.call_after(
            self.freeze_window_ns, self._on_window_passed, host=self.host
        )
        self._moving += 1
        return (yield self._answer_of(WriterEvent.FREEZE, self._freeze_work(self._epoch)))

    def _freeze_work(self, epoch: int) -> "Process":
        fault = self._next_fault(WriterEvent.FREEZE)
        if fault.delay_ns:
            yield self.kernel.sleep(fault.delay_ns)
        code = fault.code or (yield from self._attempt(self.freeze()))
        self._moving -= 1
        if epoch == self._epoch:
            self._frozen = code is VssCode.S_OK
            self._give_answer(self._move(WriterEvent.FREEZE, code, epoch))
        elif code is VssCode.S_OK:
            yield from self._thaw_application()

    def _handle_thaw(self) -> "Process":
        return (yield self._answer_of(WriterEvent.THAW, self._thaw_work(self._epoch)))

    def _thaw_work(self, epoch: int) -> "Process":
        fault = self._next_fault(WriterEvent.THAW)
        if fault.delay_ns:
            yield self.kernel.sleep(fault.delay_ns)
        if epoch != self._epoch:
            return  # the watchdog was faster, and has thawed and answered
        self._stop_watchdog()
        code = yield from self._thaw_application()
        if epoch == self._epoch:
            self._give_answer(self._move(WriterEvent.THAW, fault.code or code, epoch))

    def _answer_of(self, event: WriterEvent, work: "Process") -> "Signal":
        """Start work that races the watchdog; returns what fires with the answer of the faster."""
        self._answer = answer = self.kernel.signal()
        self.kernel.spawn(work, name=f"{self.name}: {event}", host=self.host)
        return answer

    def _give_answer(self, code: VssCode) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.fire(code)

    def _handle_abort(self) -> "Process":
        self._epoch += 1
        epoch = self._epoch
        self._stop_watchdog()
        self._give_answer(VssCode.VSS_E_BAD_STATE)
        fault = self._next_fault(WriterEvent.ABORT)
        code = fault.code
        if self._frozen:
            code = (yield from self._thaw_application()) or code
        code = code or (yield from self._attempt(self.work(WriterEvent.ABORT, self.session)))
        if fault.delay_ns:
            yield self.kernel.sleep(fault.delay_ns)
        if epoch == self._epoch:
            self.session = None
        return self._move(WriterEvent.ABORT, code, epoch)

    def _thaw_application(self) -> "Process":
        """Return the work of a thaw, which counts as begun from this call on.

        From its first step on would be too late: an abort that comes between would thaw again.
        """
        self._frozen = False
        self._moving += 1
        return self._thawing()

    def _thawing(self) -> "Process":
        code = yield from self._attempt(self.thaw())
        self._moving -= 1
        return code

    def _on_window_passed(self) -> None:
        """Fail where we stand; what is frozen is thawed, what is being frozen soon will be."""
        self._watchdog = None
        self.window_passed()
        if self._frozen:
            self._fail(WriterEvent.THAW, VssCode.VSS_E_WRITERERROR_TIMEOUT)
            self.kernel.spawn(
                self._thaw_application(), name=f"{self.name}: watchdog", host=self.host
            )
        else:
            self._fail(WriterEvent.FREEZE, VssCode.VSS_E_WRITERERROR_TIMEOUT)
        self._give_answer(VssCode.VSS_E_WRITERERROR_TIMEOUT)

    def _move(self, event: WriterEvent, code: VssCode, epoch: int) -> VssCode:
        """Enter the state after an event; an event that was given up moves nothing."""
        if epoch != self._epoch:
            return self.last_error or VssCode.VSS_E_BAD_STATE
        if code is VssCode.S_OK:
            self.state = states_after(self.state, event, self.name)[0]
        elif self.state.failed and event is WriterEvent.ABORT:
            pass  # the first failure is the one to show
        else:
            self._fail(event, code)
        return code

    def _fail(self, event: WriterEvent, code: VssCode) -> None:
        self.state = states_after(self.state, event, self.name)[1]
        self.last_error = code
        self._epoch += 1
        self._stop_watchdog()

    def _stop_watchdog(self) -> None:
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.cancel()

    def _next_fault(self, event: WriterEvent) -> PhaseFault:
        faults = self._faults.get(event)
        return faults.pop(0) if faults else _NO_FAULT

    def _attempt(self, work: "Process") -> "Process":
        """Run a hook; returns S_OK, or the code of what it raised.

        An application's own error does not say whether another try would help; a requestor may
        find out (a limited number of times), so it counts as retryable.
        """
        try:
            yield from work
        except AssertionError:
            raise  # a programmer's error is nobody's to handle
        except VssError as error:
            self.last_problem = str(error)
            return error.code
        except Exception as error:  # noqa: BLE001 - whatever it raises, the writer has failed
            self.last_problem = f"{type(error).__name__}: {error}"
            return VssCode.VSS_E_WRITERERROR_RETRYABLE
        return VssCode.S_OK
