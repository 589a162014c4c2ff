"""Application-consistent points: snapshot sets of VSS, each with a tag in the stream of changes."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from emulators.exchange.snapshot_group import SnapshotGroup
from emulators.vss.exchange_writer import ExchangeWriter
from emulators.vss.requestor import CopyBackupRequestor, Outcome, SnapshotResult
from emulators.vss.service import SnapshotService
from engine import Admitted, RecordType
from rpolab.laboratory.weekly import first_of
from rpolab.laboratory.world import Laboratory
from rpolab.protections.base import ProtectedPoint
from rpolab.protections.capture_host import CaptureHost
from scenarios import Bookmarks
from sim.kernel import Signal
from sim.volume import Volume


class BookmarkRefused(RuntimeError):  # noqa: N818 - named for what happened
    """The engine would not place a tag, so the snapshot has no point."""


class BookmarkMaker:
    """Makes the bookmarks of one protection; to VSS it is the provider of its snapshots.

    Args:
        name: the protection's name.
        laboratory: the world.
        captured: where tags are placed.
        made: called with each bookmark, and the sequence from which on it is a point.
    """

    def __init__(
        self,
        name: str,
        laboratory: Laboratory,
        captured: CaptureHost,
        made: Callable[[int, ProtectedPoint], None],
    ) -> None:
        self.name = name
        self.results: list[SnapshotResult] = []
        self._laboratory = laboratory
        self._kernel = laboratory.kernel
        self._captured = captured
        self._made = made
        self._pending_of_set: dict[str, ProtectedPoint] = {}

    def start(self, spec: Bookmarks) -> None:
        """Begin to make bookmarks, once the mail server runs."""
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
        host.spawn(self._make_bookmarks(requestor, spec), name=f"{self.name} bookmarks")

    def forget_pending(self) -> None:
        """Give up the sets that are under way: the host has stopped."""
        self._pending_of_set.clear()

    # --- Provider of VSS snapshots ------------------------------------------------------------

    def commit(self, snapshot_set_id: str, volumes: Sequence[Volume]) -> Signal | None:
        """Tag the stream while all writes are held; raises BookmarkRefused when it is full.

        The tag is a point only once the whole set has come through (`_make_bookmarks`).
        """
        del volumes
        admission = self._captured.insert_tag(RecordType.TAG_APP, snapshot_set_id)
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
            self._captured.revoke_tag(point.sequence)

    def _make_bookmarks(
        self, requestor: CopyBackupRequestor, spec: Bookmarks
    ) -> Generator[Any, Any, None]:
        """Make a bookmark at once, so that there is a first one, and then at every interval."""
        starts_ns = self._laboratory.clock.starts_ns
        due_ns = self._kernel.now_ns - self._kernel.now_ns % spec.every_ns
        while True:
            if due_ns > self._kernel.now_ns:
                yield self._kernel.sleep(due_ns - self._kernel.now_ns)
            due_ns += spec.every_ns
            if first_of(spec.not_in, starts_ns + self._kernel.now_ns) is not None:
                continue
            result: SnapshotResult = yield from requestor.snapshot()
            self.results.append(result)
            taken = result.outcome is Outcome.TAKEN and self._commit(result.set_id)
            self._laboratory.trace.record(
                "cdp.bookmark", name=self.name, taken=taken, code=result.code.name
            )

    def _commit(self, snapshot_set_id: str) -> bool:
        """Make the tag of a good set a point; tells whether the engine still takes it."""
        point = self._pending_of_set.pop(snapshot_set_id)
        admission = self._captured.commit_tag(point.sequence)
        if not isinstance(admission, Admitted):
            return False
        self._made(admission.sequence, point)
        return True
