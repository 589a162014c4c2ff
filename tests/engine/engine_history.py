"""What every sequence of one branch must be: a dictionary of files per sequence, and what is none.

It is kept by what the writers did and what the capture told of gaps, and by no record of any
journal. A copy that parts from the others, as at a stop of the source, takes a twin with it.
"""

from bisect import bisect_right
from copy import deepcopy
from dataclasses import dataclass

from engine import RecordType


@dataclass
class Tag:
    """A tag that was admitted; `decided` is the sequence of its commit, if it needs one."""

    kind: RecordType
    label: str
    is_pending: bool
    decided: int | None = None

    def is_point(self, durable):
        return not self.is_pending or (self.decided is not None and self.decided <= durable)


class History:
    """The files at every sequence after `base`, the gaps, the tags, and the live files by time."""

    def __init__(self, base=0, files=None, live=None):
        self.base = base
        self.snapshots = {base: files or {}}
        #: [opened, closed], None where it is still open; oldest first.
        self.gaps: list[list] = []
        self.tags: dict[int, Tag] = {}
        #: (time, files): what the application's files were from this time on.
        self.live = live or []
        self.has_waited = False

    def twin(self):
        """Return what it was so far, for a copy that goes its own way."""
        twin = History(self.base)
        twin.snapshots, twin.tags = dict(self.snapshots), deepcopy(self.tags)
        twin.gaps, twin.live = deepcopy(self.gaps), list(self.live)
        twin.has_waited = self.has_waited
        return twin

    def keep(self, sequence, files):
        self.snapshots[sequence] = files

    def live_are(self, time_ns, files):
        self.live.append((time_ns, files))

    def rewind(self, first):
        """Forget what no longer follows from `first` on: it goes on otherwise."""
        self.snapshots = {n: files for n, files in self.snapshots.items() if n < first}
        self.gaps = [gap for gap in self.gaps if gap[0] < first]
        for gap in self.gaps:
            if gap[1] is not None and gap[1] >= first:
                gap[1] = None
        self.tags = {n: tag for n, tag in self.tags.items() if n < first}
        for tag in self.tags.values():
            if tag.decided is not None and tag.decided >= first:
                tag.decided = None

    def gap_opened(self, sequence):
        self.rewind(sequence)
        if not self.gaps or self.gaps[-1][1] is not None:
            self.gaps.append([sequence, None])

    def gap_closed(self, sequence, files):
        self.gaps[-1][1] = sequence
        self.keep(sequence, files)

    def gap_at(self, sequence):
        """Return the gap that a sequence lies inside, None where it lies in none."""
        for gap in reversed(self.gaps):
            if gap[0] <= sequence and (gap[1] is None or sequence < gap[1]):
                return gap
        return None

    def files_at(self, sequence):
        known = sorted(self.snapshots)
        return self.snapshots[known[bisect_right(known, sequence) - 1]]

    def files_when(self, time_ns):
        """Return the live files at a time."""
        at = bisect_right([time for time, _ in self.live], time_ns)
        return self.live[at - 1][1] if at else {}

    def app_tags(self, durable):
        """Return the sequences of the tags that are application-consistent points by now."""
        return [
            sequence
            for sequence, tag in sorted(self.tags.items())
            if tag.kind == RecordType.TAG_APP and sequence <= durable and tag.is_point(durable)
        ]
