"""Compares the mail in a recovered database with the ledger, message by message."""

from dataclasses import dataclass

from emulators.exchange.store import Store
from rpolab.ledger import Entry, Ledger


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a recovered database holds.

    Attributes:
        kept: messages acknowledged by the time asked for, and found unchanged.
        lost: those not found, in the order of their acknowledgement.
        damaged: found with other content, or in another mailbox or folder, than was delivered.
        phantom: found, but nobody ever sent them.
        extra: found and sent, but not acknowledged by that time: on the way, and good to have.
        miscounted: folders whose stated message count is not what they hold.
    """

    kept: int
    lost: tuple[Entry, ...]
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
        return self.kept + self.extra + self.phantom + len(self.damaged)


def compare(store: Store, ledger: Ledger, time_ns: int) -> Comparison:
    """Compare everything in a store with what was acknowledged up to `time_ns`.

    Raises:
        EseError: the database is damaged.
    """
    good: set[int] = set()
    damaged: dict[int, Entry] = {}
    phantom = 0
    stated_counts = store.folder_counts()
    counts = dict.fromkeys(stated_counts, 0)
    for stored in store.messages():
        counts[stored.mailbox, stored.folder] += 1
        entry = ledger.entry(stored.message_id)
        if entry is None:
            phantom += 1
        elif (stored.mailbox, stored.folder, stored.message.digest) == (
            entry.mailbox,
            entry.folder,
            entry.digest,
        ):
            good.add(stored.message_id)
        else:
            damaged[stored.message_id] = entry
    expected = list(ledger.acknowledged_by(time_ns))
    missing = [entry for entry in expected if entry.message_id not in good]
    lost = tuple(entry for entry in missing if entry.message_id not in damaged)
    kept = len(expected) - len(missing)
    miscounted = tuple(
        "/".join(folder) for folder, stated in stated_counts.items() if counts[folder] != stated
    )
    return Comparison(kept, lost, tuple(damaged.values()), phantom, len(good) - kept, miscounted)
