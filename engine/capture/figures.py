"""What a capture has done so far, as numbers for reports."""

from dataclasses import dataclass

from engine.capture.modes import ORDERED, CaptureMode


@dataclass(frozen=True, slots=True)
class CaptureFigures:
    """Counts since the capture was made; sizes in raw bytes.

    Attributes:
        mode: The mode now.
        mode_ns: How long it was in each mode it ever was in.
        gap_count: Gaps that were opened, resyncs included.
        tags_refused: Tags that found no room, or a gap.
        changes_tracked: Changes of which no more than the place was kept.
        drained_bytes: What was read from the live files to fill gaps.
        acknowledged_bytes: What the target has acknowledged as durable.
        pool_bytes: In memory now.
        spool_bytes: On the spool's disk now, or on the way there.
        dirty_count: Ranges or blocks that the target lacks now.
    """

    mode: CaptureMode
    mode_ns: dict[CaptureMode, int]
    gap_count: int
    tags_refused: int
    changes_tracked: int
    drained_bytes: int
    acknowledged_bytes: int
    pool_bytes: int
    spool_bytes: int
    dirty_count: int


class ModeClock:
    """The mode, and how long each one lasted.

    Args:
        mode: The first mode.
    """

    def __init__(self, mode: CaptureMode) -> None:
        self.mode = mode
        #: Whether every change becomes a record now; asked for with every change.
        self.is_ordered = mode in ORDERED
        self._since_ns: int | None = None
        self._total_ns: dict[CaptureMode, int] = {}

    def move(self, mode: CaptureMode, now_ns: int) -> None:
        """Note another mode."""
        self._total_ns = self.totals(now_ns)
        self.mode, self._since_ns = mode, now_ns
        self.is_ordered = mode in ORDERED

    def begin(self, now_ns: int) -> None:
        """Note the first moment that the capture hears of."""
        if self._since_ns is None:
            self._since_ns = now_ns

    def totals(self, now_ns: int) -> dict[CaptureMode, int]:
        """Return how long each mode lasted until now."""
        since_ns = now_ns if self._since_ns is None else self._since_ns
        totals = dict(self._total_ns)
        totals[self.mode] = totals.get(self.mode, 0) + now_ns - since_ns
        return totals
