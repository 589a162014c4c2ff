"""The background verifier: opens points all the time, because 'green' has never restored anything.

    IDLE --a point is due--> CHECKING --the checker's last step--> IDLE

What is due, in this order: the newest application-consistent point, once; while that is bad, the
next older one, until a good one is known; points that were bad, again after a while (they may have
been repaired); then, every so often, one at random out of all that can be recovered.

Fault model. A check works on a private overlay in a scratch file; the journal is never written to,
and replication goes on. A crash loses the check under way and all results: `leftovers` is the
scratch file. Promised: 'good' is said only of a point that the checker opened through the same
image that a recovery opens. Not promised: that what was good stays so; that is why old points are
drawn again.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from engine.basics.errors import EngineError, LocalProtocolError, OverlayFull, PointRefused
from engine.basics.settings import SECOND_NS
from engine.contract.actions import DeleteFile, FileAction
from engine.contract.storage import Storage
from engine.health.arrivals import PointWatch
from engine.health.checks import CheckedPoints, Checker, CheckResult, Finding, Outcome
from engine.images.image import Image
from engine.images.virtual import VirtualImage
from engine.journal.journal import Journal
from engine.points.recovery_points import Consistency, RecoveryPoint, RecoveryPoints


class VerifierState(Enum):
    """What the verifier does."""

    IDLE = "idle"
    CHECKING = "checking"


class VerifierTrigger(Enum):
    """What moves it."""

    DUE = "due"
    FOUND = "found"


VERIFIER_TRANSITIONS = {
    (VerifierState.IDLE, VerifierTrigger.DUE): VerifierState.CHECKING,
    (VerifierState.CHECKING, VerifierTrigger.FOUND): VerifierState.IDLE,
}


@dataclass(frozen=True, slots=True)
class VerifierSettings:
    """How often, and with how much scratch space; the times are assumptions."""

    #: One old point is drawn this often. Together with bookmarks every 15 minutes that is a
    #: check every few minutes.
    old_point_interval_ns: int = 600 * SECOND_NS
    #: A point that was not good is opened again after so long.
    retry_interval_ns: int = 3_600 * SECOND_NS
    overlay_bytes_max: int = 16 << 30
    scratch_name: str = "verifier.overlay"

    def __post_init__(self) -> None:
        assert self.old_point_interval_ns > 0
        assert self.retry_interval_ns > 0


class Holds(Protocol):
    """Keeps compaction from deleting what an image reads (`LayerKeeper`)."""

    def hold(self) -> None:
        """Keep every file in place until `release`."""
        ...

    def release(self) -> None:
        """Give one hold back."""
        ...


@dataclass(slots=True)
class _Check:
    point: RecoveryPoint
    image: VirtualImage
    work: Generator[Sequence[FileAction], None, Finding]
    steps: int = 0


class Verifier:
    """Checks one point after the other, a bounded step at a time.

    Args:
        journal: The copy's journal.
        open_image: Opens the image at a sequence, through whatever layers and parents there are.
        checker: The application's test.
        draw: `draw(n)` returns a number below n: the driver's stream of numbers.
        scratch: Where the overlay is.
        holds: Told while an image stands, None where nothing is ever compacted.
        settings: How often.
    """

    def __init__(
        self,
        journal: Journal,
        open_image: Callable[[int], Image],
        checker: Checker,
        draw: Callable[[int], int],
        scratch: Storage,
        *,
        holds: Holds | None = None,
        settings: VerifierSettings | None = None,
    ) -> None:
        self.settings = settings or VerifierSettings()
        self.state = VerifierState.IDLE
        self.checked = CheckedPoints()
        self._journal = journal
        self._points = RecoveryPoints(journal)
        self._watch = PointWatch(journal)
        self._open_image = open_image
        self._checker = checker
        self._draw = draw
        self._scratch = scratch
        self._holds = holds
        self._check: _Check | None = None
        self._old_due_ns = 0
        self._results: list[CheckResult] = []

    # --- what is asked --------------------------------------------------------------------------

    def leftovers(self) -> list[FileAction]:
        """Return what takes the scratch file of a crashed verifier away."""
        assert self._check is None, "work under way is no leftover"
        return [DeleteFile(self.settings.scratch_name)]

    def take_results(self) -> list[CheckResult]:
        """Return, once, the results since the last call, oldest first."""
        results, self._results = self._results, []
        return results

    def next_older_good(self, point: RecoveryPoint) -> RecoveryPoint | None:
        """Return the newest point before this one that was opened and found good."""
        return self.checked.newest_good(below=point.sequence)

    def forget_expired(self) -> None:
        """Forget the newest good points as far as they cannot be recovered any more."""
        for point_class in Consistency:
            while (point := self.checked.newest_good(point_class)) is not None:
                try:
                    self._points.at_sequence(point.sequence)
                except PointRefused:
                    self.checked.forget(point.sequence)
                else:
                    break

    # --- doing ----------------------------------------------------------------------------------

    def step(self, now_ns: int) -> list[FileAction]:
        """Do a step's work; the actions must be carried out before the next call.

        To be called when records have become durable, and every so often: while CHECKING as often
        as work in the background may go on, while IDLE every minute or so.
        """
        if self._check is not None:
            return self._go_on(self._check, now_ns)
        self._watch.advance(self._journal.durable.sequence)
        point = self._choose(now_ns)
        return [] if point is None else self._begin(point, now_ns)

    def action_failed(self, reason: str, now_ns: int) -> list[FileAction]:
        """Note that the scratch storage failed: the check under way says nothing."""
        if self._check is None:
            raise LocalProtocolError("The verifier has no file action under way")
        return self._end(self._check, Outcome.INCONCLUSIVE, f"scratch file: {reason}", now_ns)

    def _begin(self, point: RecoveryPoint, now_ns: int) -> list[FileAction]:
        if self._holds is not None:
            self._holds.hold()
        settings = self.settings
        try:
            image = VirtualImage(
                self._open_image(point.sequence),
                self._scratch,
                settings.scratch_name,
                settings.overlay_bytes_max,
            )
        except EngineError as error:
            self._close(point, _outcome_of(error), str(error), now_ns)
            return []
        self._check = _Check(point, image, self._checker.check(image))
        self._move(VerifierTrigger.DUE)
        return image.begin()

    def _go_on(self, check: _Check, now_ns: int) -> list[FileAction]:
        check.steps += 1
        try:
            return list(next(check.work))
        except StopIteration as stop:
            finding: Finding = stop.value
            outcome = Outcome.GOOD if finding.is_good else Outcome.BAD
            return self._end(check, outcome, finding.detail, now_ns)
        except EngineError as error:
            return self._end(check, _outcome_of(error), str(error), now_ns)

    def _end(self, check: _Check, outcome: Outcome, detail: str, now_ns: int) -> list[FileAction]:
        check.work.close()
        self._check = None
        self._move(VerifierTrigger.FOUND)
        self._close(check.point, outcome, detail, now_ns, check.steps)
        return check.image.drop()

    def _close(
        self, point: RecoveryPoint, outcome: Outcome, detail: str, now_ns: int, steps: int = 0
    ) -> None:
        if self._holds is not None:
            self._holds.release()
        before = self.checked.of(point.sequence)
        was_bad = before is not None and before.outcome is Outcome.BAD
        result = CheckResult(point, outcome, detail, now_ns, steps, was_bad)
        self.checked.note(result)
        self._results.append(result)

    def _move(self, trigger: VerifierTrigger) -> None:
        self.state = VERIFIER_TRANSITIONS[self.state, trigger]

    # --- choosing -------------------------------------------------------------------------------

    def _choose(self, now_ns: int) -> RecoveryPoint | None:
        """Return the point that is due now, None when none is."""
        newest_app = self._watch.newest[Consistency.APP]
        if newest_app is not None:
            known = self.checked.of(newest_app.sequence)
            if known is None:
                return newest_app
            if known.outcome is not Outcome.GOOD and (older := self._older_app()) is not None:
                return older
        if (again := self._due_again(now_ns)) is not None:
            return again
        if now_ns < self._old_due_ns or self._watch.newest[Consistency.WRITE] is None:
            return None
        self._old_due_ns = now_ns + self.settings.old_point_interval_ns
        return self._drawn()

    def _older_app(self) -> RecoveryPoint | None:
        """Return the newest application-consistent point not checked that no good one follows."""
        for point in reversed(self._points.app_points()):
            known = self.checked.of(point.sequence)
            if known is None:
                return point
            if known.outcome is Outcome.GOOD:
                return None
        return None

    def _due_again(self, now_ns: int) -> RecoveryPoint | None:
        """Return the point that was not good for the longest time, where it may be good now."""
        for result in self.checked.with_outcome(Outcome.BAD, Outcome.INCONCLUSIVE):
            if now_ns < result.checked_at_ns + self.settings.retry_interval_ns:
                return None  # they are in the order of their checks
            try:
                return self._points.at_sequence(result.point.sequence)
            except PointRefused:
                self.checked.forget(result.point.sequence)
        return None

    def _drawn(self) -> RecoveryPoint | None:
        """Return a point at random: half of the time a tagged one, else any."""
        tagged = [*self._points.app_points(), *self._points.crash_points()]
        if tagged and self._draw(2):
            return tagged[self._draw(len(tagged))]
        first, last = self._journal.index.first_sequence, self._journal.durable.sequence
        try:
            return self._points.at_sequence(first + self._draw(last - first + 1))
        except PointRefused as refusal:
            nearest = refusal.earlier or refusal.later
            return nearest if isinstance(nearest, RecoveryPoint) else None


def _outcome_of(error: EngineError) -> Outcome:
    """Tell what an error says of the point itself."""
    is_of_the_check = isinstance(error, OverlayFull | PointRefused)
    return Outcome.INCONCLUSIVE if is_of_the_check else Outcome.BAD
