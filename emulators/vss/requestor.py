"""A requestor that asks for COPY backups: how a protection engine gets a consistent point.

A COPY backup truncates no logs and leaves the customer's own backup chain alone (exchange.md 7).
The steps are those of exchange.md 4.1. A set in progress, and errors that the guidance of 4.4
calls retryable, are tried again, a limited number of times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from emulators.vss.codes import RETRYABLE, VssCode, VssError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulators.vss.provider import Provider
    from emulators.vss.service import SnapshotService
    from emulators.vss.snapshot_set import SnapshotSet, SnapshotTimes
    from sim.kernel import Kernel, Process
    from sim.volume import Volume

__all__ = ["CopyBackupRequestor", "Outcome", "RetryPolicy", "SnapshotResult", "Verify"]

Verify = Callable[[str], "Process"]
"""Checks the snapshot of the set with that id: a process that returns whether it is good."""

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and after what time a requestor tries again (assumptions, all of them)."""

    attempts_max: int = 3
    attempt_pause_ns: int = 30 * 10**9
    in_progress_waits_max: int = 30
    in_progress_pause_ns: int = 10 * 10**9


class Outcome(StrEnum):
    """How a request for a snapshot ended."""

    TAKEN = "taken"
    VERIFY_FAILED = "verify_failed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """What became of a request.

    `code`, `problem` and `set_id` are those of the last attempt ('' where no set was started);
    times are nanoseconds of the run, -1 where it did not come that far. At `reached_ns` all
    writes were held: that is the instant of the snapshot.
    """

    outcome: Outcome
    code: VssCode
    problem: str
    set_id: str
    attempts: int
    in_progress_waits: int
    started_ns: int
    ended_ns: int
    frozen_from_ns: int = -1
    reached_ns: int = -1
    freeze_ns: int = -1
    hold_ns: int = -1

    @property
    def hold_ms(self) -> float:
        """For how long the writes were held, flush included, in milliseconds."""
        return self.hold_ns / NS_PER_MS


class CopyBackupRequestor:
    """Asks one machine's service for copy backups of a fixed set of volumes."""

    def __init__(
        self,
        kernel: "Kernel",
        service: "SnapshotService",
        volumes: "Sequence[Volume]",
        provider: "Provider",
        *,
        retries: RetryPolicy | None = None,
    ) -> None:
        self._kernel = kernel
        self._service = service
        self._volumes = tuple(volumes)
        self._provider = provider
        self._retries = retries or RetryPolicy()

    def snapshot(self, verify: Verify | None = None) -> "Process":
        """Take one snapshot, trying again where that may help; returns a `SnapshotResult`.

        `verify` runs before BackupComplete (exchange.md 4.9); where it returns False, the
        backup is reported to the writers as not succeeded. Never raises VssError.
        """
        started_ns = self._kernel.now_ns
        attempts = in_progress_waits = 0
        while True:
            attempt = _Attempt(self._service, self._provider)
            problem: VssError | None = None
            try:
                good = yield from attempt.run(self._volumes, verify)
            except VssError as error:
                problem = error
            if problem is None:
                attempts += 1
                outcome = Outcome.TAKEN if good else Outcome.VERIFY_FAILED
                break
            if problem.code is VssCode.VSS_E_SNAPSHOT_SET_IN_PROGRESS:
                in_progress_waits += 1
            else:
                attempts += 1
            pause_ns = self._pause_ns(problem.code, attempts, in_progress_waits)
            if pause_ns is None:
                outcome = Outcome.FAILED
                break
            yield self._kernel.sleep(pause_ns)
        return self._result(
            outcome,
            problem,
            attempt,
            attempts=attempts,
            in_progress_waits=in_progress_waits,
            started_ns=started_ns,
        )

    def _pause_ns(self, code: VssCode, attempts: int, in_progress_waits: int) -> int | None:
        """Return how long to wait before the next try, None where there shall be none."""
        policy = self._retries
        if code is VssCode.VSS_E_SNAPSHOT_SET_IN_PROGRESS:
            again = in_progress_waits <= policy.in_progress_waits_max
            return policy.in_progress_pause_ns if again else None
        again = code in RETRYABLE and attempts < policy.attempts_max
        return policy.attempt_pause_ns if again else None

    def _result(
        self,
        outcome: Outcome,
        problem: VssError | None,
        attempt: "_Attempt",
        *,
        attempts: int,
        in_progress_waits: int,
        started_ns: int,
    ) -> SnapshotResult:
        times = attempt.times
        return SnapshotResult(
            outcome=outcome,
            code=VssCode.S_OK if problem is None else problem.code,
            problem="" if problem is None else str(problem),
            set_id="" if attempt.snapshot_set is None else attempt.snapshot_set.id,
            attempts=attempts,
            in_progress_waits=in_progress_waits,
            started_ns=started_ns,
            ended_ns=self._kernel.now_ns,
            frozen_from_ns=-1 if times is None else times.frozen_from_ns,
            reached_ns=-1 if times is None else times.hold.reached_ns,
            freeze_ns=-1 if times is None else times.freeze_ns,
            hold_ns=-1 if times is None else times.hold_ns,
        )


class _Attempt:
    """One walk through the sequence of exchange.md 4.1."""

    def __init__(self, service: "SnapshotService", provider: "Provider") -> None:
        self._service = service
        self._provider = provider
        self.snapshot_set: SnapshotSet | None = None
        self.times: SnapshotTimes | None = None

    def run(self, volumes: "Sequence[Volume]", verify: Verify | None) -> "Process":
        """Carry out steps 1-15; returns whether the snapshot was found good."""
        service = self._service
        yield from service.gather_writer_metadata()  # 1-3
        self.snapshot_set = snapshot_set = service.start_snapshot_set()  # 4
        try:
            for volume in volumes:  # 5
                service.add_to_snapshot_set(snapshot_set, volume)
            yield from service.prepare_for_backup(snapshot_set)  # 6-7
            self.times = yield from service.do_snapshot_set(snapshot_set, self._provider)  # 8-12
            good = verify is None or bool((yield from verify(snapshot_set.id)))  # 13
            yield from service.backup_complete(snapshot_set, succeeded=good)  # 14-15
        except Exception:
            if self.times is not None:
                self._provider.abort(snapshot_set.id)
            yield from service.abort_backup(snapshot_set)
            raise
        if not good:
            self._provider.abort(snapshot_set.id)
        return good
