"""Carries the engine's target side in simulation: connections, journal files, restarts."""

from functools import partial

from engine import (
    JournalSettings,
    LayerKeeper,
    LayerSettings,
    RetentionKeeper,
    RetentionPolicy,
    SessionSettings,
    TailCut,
    TargetSession,
    open_journal,
)
from engine.basics.errors import EngineError
from engine.contract.actions import (
    Action,
    AppendFile,
    CreateFile,
    DeleteFile,
    Notify,
    ReplaceFile,
    SessionFailed,
    SyncFile,
    TruncateFile,
)
from engine.contract.events import ActionFailed, Connected, Fenced, SyncDone, TargetEvent
from engine.layers.keeper import SYNC_TOKEN_FIRST
from engine.retention.candidates import used_bytes
from rpolab.protections.observers import EngineObserver
from rpolab.protections.session_driver import SessionDriver, SessionEvent
from rpolab.protections.verification import Verification
from rpolab.protections.volume_storage import VolumeStorage
from sim.host import Host
from sim.kernel import Kernel, Signal
from sim.link import Endpoint
from sim.volume import FileMissing, Volume

_NEW_SUFFIX = ".new"
#: Layers are made where retention calls for them only: a run reads few images.
_NO_LAYERS = LayerSettings(
    segments_per_delta=1 << 40, deltas_per_merge=1 << 40, deltas_per_image=1 << 40
)
#: One step of retention, some 4 MB, takes the copy's processor this long. Assumption.
_KEEP_STEP_NS = 10_000_000


class TargetDriver(SessionDriver):
    """The target side of one protected group.

    Args:
        kernel: simulated time.
        host: the copy's server; when its power comes back the journal is opened anew.
        volume: the journal's volume.
        group: number of the consistency group.
        session_settings: times and bounds of the session.
        journal_settings: bounds of the journal.
        observer: told of every action, and of notices.
        retention: which points are kept, all that ever was where it is None.
    """

    def __init__(
        self,
        kernel: Kernel,
        host: Host,
        volume: Volume,
        *,
        group: int,
        session_settings: SessionSettings,
        journal_settings: JournalSettings,
        observer: EngineObserver,
        retention: RetentionPolicy | None = None,
    ) -> None:
        super().__init__(kernel, host)
        self._volume = volume
        self._group = group
        self._session_settings = session_settings
        self._journal_settings = journal_settings
        self._observer = observer
        self._policy = retention
        self._keep_due_ns = self._next_step_ns = 0
        self.session: TargetSession | None = None
        #: Verifies what the journal holds; None where nothing does.
        self.verification: Verification | None = None
        self.retention: RetentionKeeper | None = None
        self.tail_cuts: list[tuple[int, TailCut]] = []
        #: Why the journal could not be opened again, if it could not.
        self.failure: EngineError | None = None
        self._connections = 0
        self._is_holding = False
        host.on_power_cut(self.crash)
        host.on_power_on(self._restart)

    def start(self) -> None:
        """Open the journal and listen.

        Raises:
            EngineError: The journal cannot be trusted (JournalDamaged and its kin).
        """
        self._delete_unfinished()
        opened = open_journal(
            VolumeStorage(self._volume), group=self._group, settings=self._journal_settings
        )
        if opened.tail_cut is not None:
            self.tail_cuts.append((self.kernel.now_ns, opened.tail_cut))
        self.session = TargetSession(opened.journal, self._session_settings)
        self.carry_out_all(opened.actions)
        if self._policy is not None:
            layers = LayerKeeper(opened.journal, _NO_LAYERS)
            if self.verification is not None:
                self.verification.begin(opened.journal, layers)
            self.retention = RetentionKeeper(opened.journal, layers, self._policy)
            self.carry_out_all(layers.leftovers())
            self._keep_due_ns = 0

    @property
    def space(self) -> tuple[int, int] | None:
        """What the journal takes and may take; None without a limit, or while the copy is down."""
        if self.session is None or self._policy is None or self._policy.space_bytes_max is None:
            return None
        return used_bytes(self.session.journal), self._policy.space_bytes_max

    def _restart(self) -> None:
        """Start again after a power cut; a journal that cannot be trusted keeps the copy down."""
        try:
            self.start()
        except EngineError as error:
            self.failure = error
            self._observer.target_notice(SessionFailed(error, is_fatal=True))

    def crash(self) -> None:
        """End the session's process at once."""
        self.session = self.retention = None
        if self.verification is not None:
            self.verification.end()
        self.drop_all()

    def hold(self) -> None:
        """End the source's connections and accept none: a promotion is under way."""
        self._is_holding = True
        self.hang_up("the copy is being promoted")

    def release(self) -> None:
        """Accept connections again: the promotion did not come about."""
        self._is_holding = False

    def fence(self, epoch: int) -> None:
        """Take no record of an older epoch any more."""
        self._is_holding = False
        self._handle(Fenced(epoch))

    def accept(self, endpoint: Endpoint) -> None:
        """Take a connection that a source has made."""
        if self.session is None or self._is_holding:
            endpoint.close()
            return
        self._connections += 1
        self.attach(self._connections, endpoint)
        self._handle(Connected(self._connections))

    def handle_common(self, event: SessionEvent) -> None:
        """Give the session an event that both ends know."""
        self._handle(event)

    def carry_out_own(self, action: Action) -> None:
        """Carry out an action that only the target has."""
        volume = self._volume
        if isinstance(action, AppendFile):
            self._watch(volume.write(action.name, action.offset, (action.data,)), action.name)
        elif isinstance(action, SyncFile):
            self._sync(action)
        elif isinstance(action, CreateFile):
            self._watch(volume.create(action.name), action.name)
        elif isinstance(action, TruncateFile):
            self._watch(volume.truncate(action.name, action.size), action.name)
        elif isinstance(action, ReplaceFile):
            self._replace(action)
        elif isinstance(action, DeleteFile):
            volume.delete(action.name).then(partial(self._deleted, self.session, action.name))
        elif isinstance(action, Notify):
            self._observer.target_notice(action.notice)

    def acted(self, action: Action) -> None:
        """Tell the observer."""
        self._observer.target_acted(action)

    def _handle(self, event: TargetEvent) -> None:
        if self.session is not None:
            self.carry_out_all(self.session.handle(event, self.kernel.now_ns))
        self._keep_when_due()

    def _keep_when_due(self) -> None:
        """Ask retention now and then whether there is something to do, and begin."""
        now_ns = self.kernel.now_ns
        if self.retention is not None and self._policy is not None and now_ns >= self._keep_due_ns:
            self._keep_due_ns = now_ns + self._policy.look_every_ns
            self._keep(self.retention)

    def _keep(self, keeper: RetentionKeeper) -> None:
        """Do a step of retention; the next follows in an event of its own, or after a sync."""
        now_ns = self.kernel.now_ns
        is_over = self.retention is not keeper or keeper.is_idle(now_ns)
        if is_over or keeper.is_waiting or now_ns < self._next_step_ns:
            return
        self._next_step_ns = now_ns + _KEEP_STEP_NS
        self.carry_out_all(keeper.step(now_ns))
        if not keeper.is_idle(now_ns):
            self.host.call_after(_KEEP_STEP_NS, partial(self._keep, keeper))

    def _replace(self, action: ReplaceFile) -> None:
        """Write a new file, flush it, and let it take the old one's place, all in order."""
        volume, new = self._volume, action.name + _NEW_SUFFIX
        for done in (
            volume.create(new),
            volume.write(new, 0, (action.data,)),
            volume.flush(new),
            volume.replace(new, action.name),
        ):
            self._watch(done, action.name)

    def _deleted(self, session: TargetSession | None, file: str, signal: Signal) -> None:
        if isinstance(signal.error, FileMissing):  # it was to be gone
            return
        self._check(session, file, signal)

    def _delete_unfinished(self) -> None:
        """Delete what a crash kept from taking another file's place."""
        for name in self._volume.names():
            if name.endswith(_NEW_SUFFIX):
                self._watch(self._volume.delete(name), name)

    def _watch(self, done: Signal, file: str) -> None:
        done.then(partial(self._check, self.session, file))

    def _check(self, session: TargetSession | None, file: str, signal: Signal) -> None:
        if signal.error is not None and self.session is session:
            if self.retention is not None:
                self.retention.action_failed(file, str(signal.error))
            self._handle(ActionFailed(file, str(signal.error)))

    def _sync(self, action: SyncFile) -> None:
        session = self.session

        def synced(signal: Signal) -> None:
            if self.session is not session:
                return
            if signal.error is not None:
                self._handle(ActionFailed(action.name, str(signal.error)))
            elif action.token >= SYNC_TOKEN_FIRST and self.retention is not None:
                self.carry_out_all(self.retention.sync_done(action.token))
                self._keep(self.retention)
            else:
                self._handle(SyncDone(action.token))

        self._volume.flush(action.name).then(synced)
