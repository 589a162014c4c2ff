"""The ledgers of a server: one for each database, as each numbers its messages for itself."""

from collections.abc import Callable, Iterable

from emulators.exchange.changes import Change
from rpolab.laboratory.ledger import Ledger


class Ledgers:
    """All ledgers of a run.

    Args:
        databases: the files of the server's databases.
        make: makes a ledger.
        home_of: returns the database in which a mailbox lives.
    """

    def __init__(
        self,
        databases: Iterable[str],
        make: Callable[[], Ledger],
        home_of: Callable[[str], str],
    ) -> None:
        self.by_database = {name: make() for name in databases}
        self._home_of = home_of

    def submitted(self, change: Change) -> None:
        """Note a change whose transaction was made."""
        self.by_database[self._home_of(change.mailbox)].submitted(change)

    def acknowledged(self, change: Change) -> None:
        """Note that a change's commit record is on disk."""
        self.by_database[self._home_of(change.mailbox)].acknowledged(change)

    @property
    def acknowledged_count(self) -> int:
        """Number of messages acknowledged."""
        return sum(ledger.acknowledged_count for ledger in self.by_database.values())

    @property
    def acknowledged_bytes(self) -> int:
        """Their bytes, as they came."""
        return sum(ledger.acknowledged_bytes for ledger in self.by_database.values())
