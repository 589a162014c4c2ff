"""Which copies the capture feeds: one alone, or several through the engine's fan-out.

A copy that falls too far behind the others is detached, and made anew from a sister. After the mail
server's machine has stopped without warning, one copy is compared with the live files first; the
others are then made anew from it.
"""

from collections.abc import Callable, Sequence

from engine import Capture, CopyPlan, Fanout
from rpolab.laboratory.world import Laboratory
from rpolab.protections.base import PointUnavailable
from rpolab.protections.capture_host import CaptureHost
from rpolab.protections.kept_copy import KeptCopy, ReseedFigures
from rpolab.protections.reseeding import Reseeding


class Feeding:
    """The copies of one capture.

    Args:
        captured: the capture at the mail server.
        laboratory: the world.
    """

    def __init__(self, captured: CaptureHost, laboratory: Laboratory) -> None:
        self._captured = captured
        self._laboratory = laboratory
        self._plans: dict[str, CopyPlan] = {}
        self.copies: tuple[KeptCopy, ...] = ()
        self._fanout: Fanout | None = None
        #: The copy that the whole capture goes to while it is compared with the live files.
        self._first: KeptCopy | None = None
        self._reseedings: dict[str, Reseeding] = {}

    def begin(self, copies: Sequence[KeptCopy]) -> None:
        """Feed all copies from the capture's beginning on."""
        self.copies = tuple(copies)
        self._plans = {
            copy.name: CopyPlan(
                copy.name,
                "local" if copy.is_local else "remote",
                behind_bytes_max=copy.spec.behind_bytes,
            )
            for copy in copies
        }
        if len(copies) > 1:
            self._fanout = Fanout(self._captured.capture, list(self._plans.values()))
        for copy in copies:
            copy.target.start()
            copy.source.start()

    def view(self, name: str) -> Capture:
        """Return the capture as this copy's session is to see it."""
        return self._captured.capture if self._fanout is None else self._fanout.feed(name)

    def ship(self) -> None:
        """Let the sessions ship what was captured; see who falls behind."""
        for copy in self.copies:
            copy.source.ship()
        self._watch()

    def restart(self, new_capture: Callable[[], None]) -> None:
        """Begin again after the mail server's machine has stopped without warning.

        Args:
            new_capture: puts a capture of the new machine's into the old one's place.
        """
        for copy in self.copies:
            # A bookmark that was not durable by then is given up: its number may come again.
            copy.forget_tags()
        self._feed_one(new_capture)

    # --- inside -------------------------------------------------------------------------------

    def _feed_one(self, before: Callable[[], None]) -> None:
        """Feed the copy with the newest point alone, as it is to be compared with the live files.

        Args:
            before: called when no session runs.
        """
        for reseeding in self._reseedings.values():
            reseeding.stop()
        self._reseedings.clear()
        for copy in self.copies:
            copy.source.crash()
        before()
        self._fanout = None
        first = self._first = max(self.copies, key=_newest_sequence)
        for copy in self.copies:
            copy.is_fed = copy is first
        first.source.start()

    def _watch(self) -> None:
        if len(self.copies) == 1:
            return
        if self._fanout is not None and self._captured.capture.is_resync_needed:
            self._feed_one(lambda: None)  # it broke off: both ends must be compared
        if self._fanout is None:
            self._look_whether_compared()
            return
        for detached in self._fanout.watch(self._laboratory.kernel.now_ns):
            copy = next(copy for copy in self.copies if copy.name == detached.name)
            copy.detached(detached)
            self._reseed(copy)

    def _look_whether_compared(self) -> None:
        """Feed the others, too, once the first copy says again what the live files say."""
        first, capture = self._first, self._captured.capture
        assert first is not None, "one copy is compared at least"
        if not capture.is_based or capture.is_in_gap or capture.is_resync_needed:
            return
        self._first = None
        first.source.crash()
        self._fanout = Fanout(capture, [self._plans[first.name]])
        first.source.start()
        for copy in self.copies:
            if copy is not first:
                self._reseed(copy)

    def _reseed(self, copy: KeptCopy) -> None:
        """Make a copy anew from the best of those that are fed."""
        copy.is_fed = False
        reseeding = Reseeding(self._laboratory, copy, self.sister_of, self._attach)
        self._reseedings[copy.name] = reseeding
        reseeding.start()

    def sister_of(self, copy: KeptCopy) -> KeptCopy | None:
        """Return the copy with the newest point of those that are fed and up."""
        sisters = [
            other
            for other in self.copies
            if other is not copy and other.is_fed and other.target.session is not None
        ]
        return max(sisters, key=_newest_sequence, default=None)

    def _attach(self, copy: KeptCopy, figures: ReseedFigures) -> bool:
        """Feed a copy that was made anew; False while the pool begins after what it has."""
        assert self._fanout is not None, "copies are made anew beside one that is fed"
        cursor = copy.journal.durable
        if cursor.sequence < self._fanout.capture.acknowledged.sequence:
            return False
        self._fanout.attach(self._plans[copy.name], cursor)
        del self._reseedings[copy.name]
        copy.reseeded(figures)
        copy.source.start()
        return True


def _newest_sequence(copy: KeptCopy) -> int:
    try:
        return copy.journal.durable.sequence
    except PointUnavailable:
        return -1
