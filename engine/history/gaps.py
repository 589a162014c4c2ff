"""Gaps: stretches of a history whose records describe states that no moment had.

    GAP_OPEN ......... GAP_CLOSE        the pool overflowed, and order was given up for a while
    RESYNC_BEGIN ..... RESYNC_END       a capture that knows nothing of the history compares it all

A RESYNC_BEGIN may come inside a gap of either kind: the source stopped without warning there, and
its new capture takes the gap over; then only RESYNC_END can close it. No tag lies in a gap
(protection.md 3.4), and no recovery point (I3): the nearest ones are the record before the opening
one, and the closing record.
"""

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from engine.basics.errors import HistoryContradictory
from engine.formats.records import RecordType

OPENING = (RecordType.GAP_OPEN, RecordType.RESYNC_BEGIN)
CLOSING = (RecordType.GAP_CLOSE, RecordType.RESYNC_END)
_TAGS = (RecordType.TAG_CRASH, RecordType.TAG_APP)
_CLOSING_OF = {False: RecordType.GAP_CLOSE, True: RecordType.RESYNC_END}


class Gap(NamedTuple):
    """A gap: no point lies at `opened` or after it, before `closed` (None while it is open).

    `kind` is the type of the opening record.
    """

    opened: int
    kind: int
    closed: int | None = None

    def has(self, sequence: int) -> bool:
        """Return whether a sequence lies inside."""
        return self.opened <= sequence and (self.closed is None or sequence < self.closed)


class Gaps:
    """The gaps of a history, oldest first; the last one may be open."""

    def __init__(self) -> None:
        self._gaps: list[Gap] = []

    def __iter__(self) -> Iterator[Gap]:
        return iter(self._gaps)

    def __len__(self) -> int:
        return len(self._gaps)

    def note(self, kind: int, sequence: int) -> None:
        """Note a record; only those that open or close a gap change anything."""
        gaps = self._gaps
        if kind in OPENING:
            if not gaps or gaps[-1].closed is not None:
                gaps.append(Gap(sequence, kind))
        elif kind in CLOSING:
            assert gaps, "a closing record without an opening one passed the gate"
            gaps[-1] = gaps[-1]._replace(closed=sequence)

    def at(self, sequence: int) -> Gap | None:
        """Return the gap that a sequence lies in, None where it lies in none."""
        at = bisect_right(self._gaps, sequence, key=attrgetter("opened"))
        if not at or not self._gaps[at - 1].has(sequence):
            return None
        return self._gaps[at - 1]


class OpenGap(NamedTuple):
    """The gap at the end of a history: where it began, and which record closes it."""

    opened: int
    is_resync: bool


def gap_after(gap: OpenGap | None, kind: int, sequence: int) -> OpenGap | None:
    """Return the gap that is open after this record, None where none is.

    Args:
        gap: The gap that is open before it.
        kind: The record's type.
        sequence: The record's sequence.

    Raises:
        HistoryContradictory: The record cannot follow: a second GAP_OPEN, a closing record of no
            gap or of one of the other kind, a tag in a gap.
    """
    if kind == RecordType.RESYNC_BEGIN:
        return OpenGap(sequence if gap is None else gap.opened, is_resync=True)
    what = f"Record {sequence} ({RecordType(kind).name})"
    if kind == RecordType.GAP_OPEN:
        if gap is not None:
            raise HistoryContradictory(f"{what}: the gap from {gap.opened} on is open already")
        return OpenGap(sequence, is_resync=False)
    if kind in CLOSING:
        if gap is None:
            raise HistoryContradictory(f"{what}: no gap is open")
        if kind != _CLOSING_OF[gap.is_resync]:
            raise HistoryContradictory(
                f"{what}: {_CLOSING_OF[gap.is_resync].name} closes the gap from {gap.opened} on"
            )
        return None
    if gap is not None and kind in _TAGS:
        raise HistoryContradictory(f"{what} lies in the gap from {gap.opened} on")
    return gap
