"""The ledger: what was acknowledged to whom, and when. The truth that recoveries are held against.

A message is acknowledged when its commit record is on disk. The ledger lives outside the world:
no fault touches it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from emulators.exchange.server import Delivery
from sim.kernel import Kernel
from sim.trace import Trace


@dataclass(slots=True)
class Entry:
    """One copy of a message in one mailbox.

    `acknowledged_ns` is None until its commit record is on disk, which may be never.
    """

    message_id: int
    mailbox: str
    folder: str
    subject: str
    size_bytes: int
    digest: bytes
    submitted_ns: int
    acknowledged_ns: int | None = None


class Ledger:
    """All deliveries of a run.

    Args:
        kernel: simulated time.
        trace: every acknowledgement is a line in it.
    """

    def __init__(self, kernel: Kernel, trace: Trace) -> None:
        self._kernel = kernel
        self._trace = trace
        self._entries: dict[int, Entry] = {}
        self._acknowledged: list[Entry] = []

    def submitted(self, delivery: Delivery) -> None:
        """Note a delivery whose transaction was made; it may still be lost without a wrong."""
        message = delivery.message
        self._entries[delivery.message_id] = Entry(
            delivery.message_id,
            delivery.mailbox,
            delivery.folder,
            message.subject,
            message.size_bytes,
            message.digest,
            self._kernel.now_ns,
        )

    def acknowledged(self, delivery: Delivery) -> None:
        """Note that a delivery's commit record is on disk."""
        entry = self._entries[delivery.message_id]
        entry.acknowledged_ns = self._kernel.now_ns
        self._acknowledged.append(entry)
        self._trace.record(
            "message", id=entry.message_id, mailbox=entry.mailbox, digest=entry.digest
        )

    def entry(self, message_id: int) -> Entry | None:
        """Return what is known of a message, or None when nobody ever sent it."""
        return self._entries.get(message_id)

    def acknowledged_by(self, time_ns: int) -> Iterator[Entry]:
        """Yield what was acknowledged up to and including a time, oldest first."""
        for entry in self._acknowledged:
            assert entry.acknowledged_ns is not None, "only acknowledged entries are listed"
            if entry.acknowledged_ns > time_ns:
                return
            yield entry

    @property
    def acknowledged_count(self) -> int:
        """Number of messages acknowledged."""
        return len(self._acknowledged)

    @property
    def acknowledged_bytes(self) -> int:
        """Their bytes."""
        return sum(entry.size_bytes for entry in self._acknowledged)
