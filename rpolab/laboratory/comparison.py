"""Compares the mail in a recovered database with the ledger, message by message.

Of each message the database may hold the state that the newest change acknowledged by the time
asked for has left, or that of a later change. An older state means that changes are lost: of a
message that is not there, or of one that is back where it was. A message may be gone where it had
been purged by the time of the point: a later purge is no reason for it not to be in the point.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from emulators.exchange.store import Store, StoredMessage
from rpolab.laboratory.ledger import Entry, Ledger


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a recovered database holds.

    Attributes:
        kept: messages acknowledged by the time asked for, and found as they were or are.
        lost: those not found, in the order of their acknowledgement.
        reverted: of messages found in an older state, the first acknowledged change that is lost.
        damaged: found with other content, or in another mailbox or folder, than ever was.
        phantom: found, but nobody ever sent them.
        extra: found and sent, but not acknowledged by that time: on the way, and good to have.
        miscounted: folders whose stated counters are not what they hold.
    """

    kept: int
    lost: tuple[Entry, ...]
    reverted: tuple[Entry, ...]
    damaged: tuple[Entry, ...]
    phantom: int
    extra: int
    miscounted: tuple[str, ...]

    @property
    def lost_bytes(self) -> int:
        """Bytes of the lost messages."""
        return sum(entry.size_bytes for entry in self.lost)

    @property
    def found(self) -> int:
        """Messages in the database."""
        return self.kept + self.extra + self.phantom + len(self.damaged) + len(self.reverted)


def compare(store: Store, ledger: Ledger, time_ns: int, point_ns: int) -> Comparison:
    """Compare everything in a store with what was acknowledged up to `time_ns`.

    Args:
        store: the mail in a recovered database.
        ledger: the truth about it.
        time_ns: time of the run up to which messages are expected.
        point_ns: source time of the point that was recovered.

    Raises:
        EseError: the database is damaged.
    """
    expected = Counter(entry.message_id for entry in ledger.acknowledged_by(time_ns))
    kept = extra = phantom = 0
    damaged: list[Entry] = []
    reverted: list[Entry] = []
    held: Counter[tuple[str, str, str]] = Counter()
    seen: set[int] = set()  # only asked, never walked through
    for stored in store.messages():
        _count(held, stored)
        seen.add(stored.message_id)
        history = ledger.history(stored.message_id)
        number = reached(history, stored)
        acknowledged = expected[stored.message_id]
        if not history:
            phantom += 1
        elif not number:
            damaged.append(history[max(acknowledged - 1, 0)])
        elif number < acknowledged:
            reverted.append(history[number])
        elif acknowledged:
            kept += 1
        else:
            extra += 1
    lost = tuple(
        ledger.history(message_id)[0]
        for message_id, acknowledged in expected.items()
        if message_id not in seen
        and not _is_gone(ledger.history(message_id)[acknowledged - 1 :], point_ns)
    )
    miscounted = _miscounted(store, held)
    return Comparison(kept, lost, tuple(reverted), tuple(damaged), phantom, extra, miscounted)


def _is_gone(changes: Sequence[Entry], point_ns: int) -> bool:
    return any(entry.is_gone and entry.submitted_ns <= point_ns for entry in changes)


def combined(comparisons: Sequence[Comparison]) -> Comparison:
    """Return what several databases hold together; the lost as they were acknowledged."""
    lost = [entry for comparison in comparisons for entry in comparison.lost]
    lost.sort(key=lambda entry: entry.acknowledged_ns or 0)
    return Comparison(
        kept=sum(comparison.kept for comparison in comparisons),
        lost=tuple(lost),
        reverted=tuple(entry for comparison in comparisons for entry in comparison.reverted),
        damaged=tuple(entry for comparison in comparisons for entry in comparison.damaged),
        phantom=sum(comparison.phantom for comparison in comparisons),
        extra=sum(comparison.extra for comparison in comparisons),
        miscounted=tuple(folder for comparison in comparisons for folder in comparison.miscounted),
    )


def reached(history: Sequence[Entry], stored: StoredMessage) -> int:
    """Return after how many changes a message was last as it was found, 0 for never."""
    digest = stored.message.digest
    for number in range(len(history), 0, -1):
        entry = history[number - 1]
        if (
            entry.digest == digest
            and (entry.mailbox, entry.folder) == (stored.mailbox, stored.folder)
            and (entry.is_read, entry.is_deleted) == (stored.is_read, stored.is_deleted)
        ):
            return number
    return 0


def _count(held: Counter[tuple[str, str, str]], stored: StoredMessage) -> None:
    size = stored.message.size_bytes
    folder = (stored.mailbox, stored.folder)
    if stored.is_deleted:
        held[*folder, "deleted"] += 1
        held[*folder, "deleted_bytes"] += size
        return
    held[*folder, "messages"] += 1
    held[*folder, "unread"] += not stored.is_read
    held[*folder, "size_bytes"] += size


def _miscounted(store: Store, held: Counter[tuple[str, str, str]]) -> tuple[str, ...]:
    """Return the folders of which a counter is not what the folder holds."""
    return tuple(
        "/".join(folder)
        for folder, counters in store.folder_counters().items()
        if any(held[*folder, name] != stated for name, stated in counters._asdict().items())
    )
