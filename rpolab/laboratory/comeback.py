"""What a mail server finds when its power is back: mail never acknowledged, mail yet to come.

A change whose commit record was not on disk when the power went may be there or not; nobody was
promised either. When the server is up again, what it serves is the truth from then on.
"""

from collections import deque
from collections.abc import Iterator

from emulators.exchange.arrivals import Arrival
from emulators.exchange.server import ExchangeServer
from emulators.exchange.store import StoredMessage
from rpolab.laboratory.comparison import reached
from rpolab.laboratory.ledger import Entry, Ledger
from rpolab.laboratory.ledgers import Ledgers


class ResumableArrivals:
    """Mail to be sent, by time, that can be taken up again.

    Users look ahead; what they had looked at and not sent when the power went is sent in its time
    if that is still to come, and never if it has passed.

    Args:
        arrivals: what is sent when, in order of time.
    """

    def __init__(self, arrivals: Iterator[Arrival]) -> None:
        self._rest = arrivals
        self._given: deque[Arrival] = deque()
        self._again: deque[Arrival] = deque()

    def __iter__(self) -> Iterator[Arrival]:
        return self

    def __next__(self) -> Arrival:
        arrival = self._again.popleft() if self._again else next(self._rest)
        self._given.append(arrival)
        return arrival

    def passed(self, now_ns: int) -> None:
        """Forget what cannot be asked for again."""
        while self._given and self._given[0][0] < now_ns:
            self._given.popleft()

    def resume(self, now_ns: int) -> None:
        """Give again what is still to come."""
        self.passed(now_ns)
        self._again.extendleft(reversed(self._given))
        self._given.clear()


def settle(server: ExchangeServer, ledgers: Ledgers) -> None:
    """Hold what was never acknowledged against what the server has found on its disks."""
    for name, ledger in ledgers.by_database.items():
        found = {
            stored.message_id: stored for stored in server.databases[name].mail.store.messages()
        }
        for message_id, history in ledger.unsettled():
            _settle(ledger, message_id, history, found.get(message_id))


def _settle(
    ledger: Ledger, message_id: int, history: list[Entry], stored: StoredMessage | None
) -> None:
    if stored is not None:
        ledger.settle(message_id, reached(history, stored))
        return
    purged = [number for number, entry in enumerate(history, 1) if entry.is_gone]
    # One that was never there stays as it is: an image of before the power cut may hold it.
    if purged or history[0].acknowledged_ns is not None:
        ledger.settle(message_id, purged[0] if purged else 0)
