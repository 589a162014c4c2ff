"""Two-phase tags: inserted while the writers are held, a point only once they are committed.

Between the two phases the application may still fail (a writer that thaws too late, another
member of the snapshot set that could not freeze), and nobody waits for it longer than a hard
timeout (protection.md 1.3). What is not committed in time is no point, and stays none.
"""

from typing import NamedTuple

from engine.basics.settings import CaptureSettings
from engine.formats.records import RecordType


class _Pending(NamedTuple):
    kind: RecordType
    deadline_ns: int


class PendingTags:
    """The tags that wait for their second phase, by sequence.

    Args:
        settings: The timeouts.
    """

    def __init__(self, settings: CaptureSettings) -> None:
        self._timeouts_ns = {
            RecordType.TAG_CRASH: settings.tag_commit_timeout_ns_crash,
            RecordType.TAG_APP: settings.tag_commit_timeout_ns_app,
        }
        self._pending: dict[int, _Pending] = {}
        #: How many came to which end.
        self.committed_count = 0
        self.revoked_count = 0
        self.timed_out_count = 0

    def __len__(self) -> int:
        return len(self._pending)

    def insert(self, sequence: int, kind: RecordType, now_ns: int) -> None:
        """Note the first phase of a tag."""
        self._pending[sequence] = _Pending(kind, now_ns + self._timeouts_ns[kind])

    def is_pending(self, sequence: int) -> bool:
        """Return whether this tag still waits."""
        return sequence in self._pending

    def commit(self, sequence: int) -> None:
        """Note that a pending tag became a point."""
        del self._pending[sequence]
        self.committed_count += 1

    def revoke(self, sequence: int) -> None:
        """Note that a pending tag was withdrawn."""
        del self._pending[sequence]
        self.revoked_count += 1

    def deadline_ns(self) -> int | None:
        """Return when the next pending tag times out, None without one."""
        return min((tag.deadline_ns for tag in self._pending.values()), default=None)

    def take_timed_out(self, now_ns: int) -> list[int]:
        """Return, once, the tags whose time is over, oldest first."""
        late = [number for number, tag in self._pending.items() if tag.deadline_ns <= now_ns]
        for sequence in late:
            del self._pending[sequence]
        self.timed_out_count += len(late)
        return late

    def forget_after(self, sequence: int) -> None:
        """Note that the stream was taken back to this sequence: later tags are gone with it."""
        for number in [number for number in self._pending if number > sequence]:
            self.revoke(number)
