"""Checks every sequence of a journal: a point that equals the reference, or the right refusal."""

import pytest
from engine_model import contents

from engine import Image, RecordType, RecoveryPoints
from engine.basics.errors import PointRefused

_OPENING = (RecordType.GAP_OPEN, RecordType.RESYNC_BEGIN)
_CLOSING = (RecordType.GAP_CLOSE, RecordType.RESYNC_END)


def gaps_of(journal):
    """Return (opened, closed or None) of every gap, from the records' types alone."""
    gaps, opened = [], None
    for sequence in range(1, journal.durable.sequence + 1):
        kind = journal.index.row(sequence).kind
        if kind in _OPENING and opened is None:
            opened = sequence
        elif kind in _CLOSING:
            gaps.append((opened, sequence))
            opened = None
    return gaps if opened is None else [*gaps, (opened, None)]


def check_points(pair):
    """Check every durable sequence of a pair; return how many are points and how many are not."""
    journal, points, inside = pair.journal, RecoveryPoints(pair.journal), 0
    durable, gaps, expected = journal.durable.sequence, gaps_of(pair.journal), {}
    for sequence in range(1, durable + 1):
        gap = next(
            (gap for gap in gaps if gap[0] <= sequence and (not gap[1] or sequence < gap[1])), None
        )
        if gap is None:
            expected = pair.snapshots.get(sequence, expected)
            assert points.at_sequence(sequence).sequence == sequence
            assert contents(Image(journal, sequence)) == expected, f"image at {sequence}"
            continue
        inside += 1
        with pytest.raises(PointRefused) as refusal:
            points.at_sequence(sequence)
        edges = (refusal.value.earlier, refusal.value.later)
        found = [None if edge is None else edge.sequence for edge in edges]
        assert found == [gap[0] - 1 or None, gap[1]], f"the edges around {sequence}"
    return durable - inside, inside


def check_live(pair):
    """Check that the newest point equals the live files."""
    live = {name: bytes(data) for name, data in pair.volume.files.items()}
    assert contents(Image(pair.journal, RecoveryPoints(pair.journal).latest().sequence)) == live
