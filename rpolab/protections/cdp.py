"""Continuous data protection: the engine in the simulated world, with bookmarks through VSS."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from emulators.ese.formats.format import archive_name
from emulators.exchange.snapshot_group import SnapshotGroup
from emulators.vss.exchange_writer import ExchangeWriter
from emulators.vss.requestor import CopyBackupRequestor, Outcome, SnapshotResult
from emulators.vss.service import SnapshotService
from engine import (
    Admitted,
    Image,
    Journal,
    JournalSettings,
    RecordType,
    RecoveryPoints,
    ResyncSettings,
    RetentionPolicy,
    SessionSettings,
    SourceSession,
)
from engine.basics.errors import EngineError, PointRefused
from engine.contract.actions import (
    Action,
    CaptureModeChanged,
    DurableAdvanced,
    HistoryRewound,
    Notice,
    SessionFailed,
)
from rpolab.protections.base import ImageFiles, PointClass, PointUnavailable, ProtectedPoint
from rpolab.protections.captures import GROUP, Captures
from rpolab.protections.health_watch import HealthWatch
from rpolab.protections.images import WhichLog, chosen_generation, materialise, remove_log
from rpolab.protections.source_driver import SourceDriver
from rpolab.protections.target_driver import TargetDriver
from rpolab.world import JOURNAL, Laboratory
from scenarios import ContinuousDataProtection
from sim.kernel import Signal
from sim.link import Endpoint
from sim.volume import Volume

End = Literal["source", "target"]

SPOOL = "spool"
PEER_TIMEOUT_HEARTBEATS = 4
HEARTBEAT_NS_MIN = 1_000_000_000


class BookmarkRefused(RuntimeError):  # noqa: N818 - named for what happened
    """The engine would not place a tag, so the snapshot has no point."""


@dataclass(frozen=True, slots=True)
class Stages:
    """How far the stream had come at an instant, as sequence numbers."""

    captured: int
    sent: int
    received: int
    durable: int

    def stage_of(self, sequence: int) -> str:
        """Return where the record with that number was."""
        if sequence <= self.durable:
            return "after the point"
        if sequence <= self.received:
            return "received"
        return "wire" if sequence <= self.sent else "pool"


class Cdp:
    """One continuous data protection of the mail server.

    Args:
        name: its name in the scenario.
        spec: its settings.
        laboratory: the world it protects.
        resync: when both ends are compared after the mail server's machine stopped without warning.
    """

    kind = "cdp"

    def __init__(
        self,
        name: str,
        spec: ContinuousDataProtection,
        laboratory: Laboratory,
        *,
        resync: ResyncSettings | None = None,
    ) -> None:
        self.name = name
        self.spec = spec
        self._laboratory = laboratory
        self._kernel = laboratory.kernel
        self.copy_site = spec.copies[0].site
        host = laboratory.add_host(name, self.copy_site)
        self.journal_volume = laboratory.add_volume(f"{name}-{JOURNAL}", host, self.copy_site)
        self._link = laboratory.link_between(laboratory.mail_host_site, self.copy_site)
        settings = _session_settings(spec, resync or ResyncSettings())
        self.target = TargetDriver(
            self._kernel,
            host,
            self.journal_volume,
            group=GROUP,
            session_settings=settings,
            journal_settings=JournalSettings(),
            observer=self,
            retention=RetentionPolicy(every_write_ns=spec.copies[0].retention_ns, stages=()),
        )
        spool = self._add_spool()
        self._captures = Captures(spec, laboratory.streams.stream(f"{name}:incarnation"), spool)
        self.source = SourceDriver(
            self._kernel,
            laboratory.mail_host,
            self._captures.first(),
            lambda made: SourceSession(made, settings),
            self._dial,
            self,
            spool,
        )
        #: What the engine says of its own health.
        self.health = HealthWatch(self.source, self.target, spec.bookmarks)
        #: (instant, source time) of each advance of what is durable, per class.
        self.durable: dict[PointClass, list[tuple[int, int]]] = {"any": [], "app": []}
        self.bookmarks: list[SnapshotResult] = []
        #: (instant, end, error) of every failure that the engine told of.
        self.failures: list[tuple[int, End, EngineError]] = []
        #: (storage group, generation) of the logs that faults have destroyed in the copy.
        self.lost_logs: list[tuple[str, int]] = []
        self.after_action: Callable[[End, Action], None] | None = None
        #: (sequence from which on it is a point, the point) of each bookmark, oldest first.
        self._tags: list[tuple[int, ProtectedPoint]] = []
        self._tags_durable = 0
        self._pending_of_set: dict[str, ProtectedPoint] = {}
        laboratory.mail_host.on_power_on(self._restart_source)

    def start(self) -> None:
        """Attach the filters, open the journal, start the session and the bookmarks."""
        for group in self._laboratory.groups:
            for label, volume in self._laboratory.protected_volumes(group).items():
                self.source.protect(label, volume)
        self.target.start()
        self.source.start()

    def start_bookmarks(self) -> None:
        """Begin to make application-consistent points, once the mail server runs."""
        if self.spec.bookmarks is None:
            return
        laboratory = self._laboratory
        host, streams = laboratory.mail_host, laboratory.streams
        service = SnapshotService(
            self._kernel, streams.stream(f"{self.name}:vss"), host=host, trace=laboratory.trace
        )
        guids = streams.stream(f"{self.name}:guid")
        frozen = [SnapshotGroup(group, guids) for group in laboratory.groups]
        writer_stream = streams.stream(f"{self.name}:writer")
        service.register(ExchangeWriter(self._kernel, writer_stream, host.name, frozen, host=host))
        # One set over all groups, so that a bookmark is one point for the whole server.
        volumes = [
            volume
            for group in laboratory.groups
            for volume in laboratory.protected_volumes(group).values()
        ]
        requestor = CopyBackupRequestor(self._kernel, service, volumes, self)
        process = self._make_bookmarks(requestor, self.spec.bookmarks.every_ns)
        host.spawn(process, name=f"{self.name} bookmarks")

    # --- what the experiment asks -------------------------------------------------------------

    @property
    def journal(self) -> Journal:
        """The copy's journal; raises PointUnavailable while its server is down."""
        if self.target.session is None:
            failure = self.target.failure
            what = f"the copy of {self.name} at {self.copy_site} is down"
            raise PointUnavailable(
                what if failure is None else f"{what}: {failure.message}",
                "bring its server up" if failure is None else failure.hint,
            )
        return self.target.session.journal

    @property
    def errors(self) -> list[EngineError]:
        """Every failure that the engine told of."""
        return [error for _, _, error in self.failures]

    def stages(self) -> Stages:
        """Return how far the stream has come now."""
        session, target = self.source.session, self.target.session
        journal = None if target is None else target.journal
        return Stages(
            captured=self.source.capture.newest.sequence,
            sent=0 if session is None else session.sent_sequence,
            received=0 if journal is None else journal.received.sequence,
            durable=0 if journal is None else journal.durable.sequence,
        )

    def reported_rpo_ns(self, consistency: PointClass) -> int | None:
        """Return the age of the newest durable point, as the engine publishes it."""
        now_ns = self._kernel.now_ns
        if consistency == "any" and self.target.session is not None:
            return RecoveryPoints(self.target.session.journal).reported_rpo_ns(now_ns)
        history = self.durable[consistency]
        return now_ns - history[-1][1] if history else None

    def newest(self, consistency: PointClass) -> ProtectedPoint:
        """Return the newest durable point of a class; raises PointUnavailable."""
        if consistency == "app":
            self.journal.durable  # noqa: B018 - refuse when the copy is down
            if not self._tags_durable:
                raise PointUnavailable(
                    f"{self.name} has no application-consistent point yet",
                    "recover to any write, or wait for the first bookmark",
                )
            return self._tags[self._tags_durable - 1][1]
        try:
            point = RecoveryPoints(self.journal).latest()
        except PointRefused as refusal:
            raise PointUnavailable(str(refusal), "wait for the first durable write") from refusal
        return ProtectedPoint("any", point.source_time_ns, point.sequence)

    def at_sequence(self, sequence: int) -> ProtectedPoint:
        """Return the point of any write with that number; raises PointUnavailable."""
        try:
            point = RecoveryPoints(self.journal).at_sequence(sequence)
        except PointRefused as refusal:
            raise PointUnavailable(str(refusal), "choose another point") from refusal
        return ProtectedPoint("any", point.source_time_ns, point.sequence)

    def earlier(self, point: ProtectedPoint) -> list[ProtectedPoint]:
        """Return the application-consistent points before a point, newest first."""
        if self.target.session is None:
            return []
        there = {kept.sequence for kept in RecoveryPoints(self.journal).app_points()}
        tags = [tag for _, tag in self._tags[: self._tags_durable]]
        return [
            tag for tag in reversed(tags) if tag.sequence < point.sequence and tag.sequence in there
        ]

    def image(self, point: ProtectedPoint) -> ImageFiles:
        """Return the files of a point, less the logs that faults have destroyed in the copy."""
        laboratory = self._laboratory
        groups = {
            group.name: list(laboratory.protected_volumes(group)) for group in laboratory.groups
        }
        try:
            made = materialise(Image(self.journal, point.sequence), groups)
        except EngineError as error:
            raise PointUnavailable(str(error), "choose another point") from error
        for name, generation in self.lost_logs:
            remove_log(made.groups[name], laboratory.group_named(name).parameters, generation)
        return made

    def destroy_log(self, group_name: str, which: WhichLog) -> str | None:
        """Lose a log of a storage group's newest image, in all images; return its name."""
        group = self._laboratory.group_named(group_name)
        parameters = group.parameters
        try:
            files = self.image(self.newest("any")).groups[group_name]
        except PointUnavailable:
            return None
        generation = chosen_generation(files, parameters, group.database_names, which)
        if generation is None:
            return None
        self.lost_logs.append((group_name, generation))
        return archive_name(parameters.prefix, generation, parameters.file_format)

    # --- EngineObserver -----------------------------------------------------------------------

    def source_acted(self, action: Action) -> None:
        """Let a test stop the source after this action."""
        if self.after_action is not None:
            self.after_action("source", action)

    def target_acted(self, action: Action) -> None:
        """Let a test stop the target after this action."""
        if self.after_action is not None:
            self.after_action("target", action)

    def source_notice(self, notice: Notice) -> None:
        """Keep errors, and drop bookmarks that never left the host; all goes to the trace."""
        self._note_failure("source", notice)
        self.health.noticed(notice)
        if isinstance(notice, HistoryRewound):
            self._tags = [tag for tag in self._tags if tag[0] <= notice.sequence]
        if isinstance(notice, CaptureModeChanged):
            before, after = notice.before, notice.after
            self._laboratory.trace.record("cdp.mode", name=self.name, before=before, after=after)

    def target_notice(self, notice: Notice) -> None:
        """Keep the history of what is durable, and errors."""
        self._note_failure("target", notice)
        self.health.noticed(notice)
        if not isinstance(notice, DurableAdvanced):
            return
        now_ns = self._kernel.now_ns
        if (newest_ns := self.health.newest_ns) is not None:  # what lies in a gap is no point
            self.durable["any"].append((now_ns, min(newest_ns, notice.source_time_ns)))
        tags, sequence = self._tags, notice.cursor.sequence
        while self._tags_durable < len(tags) and tags[self._tags_durable][0] <= sequence:
            self.durable["app"].append((now_ns, tags[self._tags_durable][1].time_ns))
            self._tags_durable += 1
        self._laboratory.trace.record("cdp.durable", name=self.name, sequence=sequence)

    # --- Provider of VSS snapshots ------------------------------------------------------------

    def commit(self, snapshot_set_id: str, volumes: Sequence[Volume]) -> Signal | None:
        """Tag the stream while all writes are held; raises BookmarkRefused when it is full.

        The tag is a point only once the whole set has come through (`_make_bookmarks`).
        """
        del volumes
        admission = self.source.insert_tag(RecordType.TAG_APP, snapshot_set_id)
        if not isinstance(admission, Admitted):
            raise BookmarkRefused(str(admission))
        point = ProtectedPoint("app", self._kernel.now_ns, admission.sequence)
        self._pending_of_set[snapshot_set_id] = point
        return None

    def abort(self, snapshot_set_id: str) -> None:
        """Withdraw the tag of a snapshot that failed after all: it is no bookmark."""
        self._laboratory.trace.record("cdp.bookmark_aborted", name=self.name, set=snapshot_set_id)
        point = self._pending_of_set.pop(snapshot_set_id, None)
        if point is not None:
            self.source.revoke_tag(point.sequence)

    # --- inside -------------------------------------------------------------------------------

    def _restart_source(self) -> None:
        """Protect the mail server's machine anew: the old capture went with its memory."""
        # A bookmark that was not durable by then is given up: its number may come again.
        del self._tags[self._tags_durable :]
        self._pending_of_set.clear()
        self.source.begin_anew(*self._captures.after_a_stop(self.source.live_files()))

    def _make_bookmarks(
        self, requestor: CopyBackupRequestor, every_ns: int
    ) -> Generator[Any, Any, None]:
        """Make a bookmark at once, so that there is a first one, and then at every interval."""
        due_ns = self._kernel.now_ns - self._kernel.now_ns % every_ns
        while True:
            if due_ns > self._kernel.now_ns:
                yield self._kernel.sleep(due_ns - self._kernel.now_ns)
            due_ns += every_ns
            result: SnapshotResult = yield from requestor.snapshot()
            self.bookmarks.append(result)
            taken = result.outcome is Outcome.TAKEN and self._commit_bookmark(result.set_id)
            self._laboratory.trace.record(
                "cdp.bookmark", name=self.name, taken=taken, code=result.code.name
            )

    def _commit_bookmark(self, snapshot_set_id: str) -> bool:
        """Make the tag of a good set a point; tells whether the engine still takes it."""
        point = self._pending_of_set.pop(snapshot_set_id)
        admission = self.source.commit_tag(point.sequence)
        if not isinstance(admission, Admitted):
            return False
        self._tags.append((admission.sequence, point))
        return True

    def _add_spool(self) -> Volume | None:
        """Return a volume for the spool at the mail server, None where nothing spills."""
        if self.spec.overflow != "spill":
            return None
        laboratory = self._laboratory
        site = laboratory.mail_host_site
        return laboratory.add_volume(f"{self.name}-{SPOOL}", laboratory.mail_host, site)

    def _dial(self, stands: Callable[[Endpoint], None]) -> None:
        """Connect after one round trip; over a dead line or to a dead host nothing answers."""
        host = self._laboratory.mail_host
        host.call_after(2 * self._link.latency_ns, self._connect, stands)

    def _connect(self, stands: Callable[[Endpoint], None]) -> None:
        if not self._link.is_up or not self.target.host.up:
            return
        connection = self._link.connect(self._laboratory.mail_host, self.target.host)
        self.target.accept(connection.right)
        stands(connection.left)

    def _note_failure(self, end: End, notice: Notice) -> None:
        if isinstance(notice, SessionFailed):
            self.failures.append((self._kernel.now_ns, end, notice.error))
            self._laboratory.trace.record(
                "cdp.error", name=self.name, end=end, error=type(notice.error).__name__
            )


def _session_settings(spec: ContinuousDataProtection, resync: ResyncSettings) -> SessionSettings:
    heartbeat_ns = max(spec.heartbeat_ns, HEARTBEAT_NS_MIN)
    return SessionSettings(
        batch_linger_ns=spec.batch_linger_ns,
        heartbeat_interval_ns=heartbeat_ns,
        peer_timeout_ns=PEER_TIMEOUT_HEARTBEATS * heartbeat_ns,
        resync=resync,
    )
