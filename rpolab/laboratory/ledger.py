"""The ledger: what was acknowledged to whom, and when. The truth that recoveries are held against.

A change of mail is acknowledged when its commit record is on disk. The ledger lives outside the
world: no fault touches it. It keeps the whole history of every message, as a recovered database
may hold any state of it from the newest acknowledged one on, and no other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from emulators.exchange.changes import Change, ChangeKind
from sim.kernel import Kernel
from sim.trace import Trace


@dataclass(slots=True)
class Entry:
    """One change of one copy of a message in one mailbox, and how it left the message.

    `digest` is empty where the message is gone. `acknowledged_ns` is None until the change's
    commit record is on disk, which may be never.
    """

    kind: ChangeKind
    message_id: int
    mailbox: str
    folder: str
    subject: str
    size_bytes: int
    digest: bytes
    submitted_ns: int
    is_read: bool = False
    is_deleted: bool = False
    acknowledged_ns: int | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the message was removed for good."""
        return self.kind is ChangeKind.PURGED


class Ledger:
    """All changes of mail of a run.

    Args:
        kernel: simulated time.
        trace: every acknowledgement is a line in it.
    """

    def __init__(self, kernel: Kernel, trace: Trace) -> None:
        self._kernel = kernel
        self._trace = trace
        self._histories: dict[int, list[Entry]] = {}
        self._acknowledged: list[Entry] = []
        self._created: list[Entry] = []

    def submitted(self, change: Change) -> None:
        """Note a change whose transaction was made; it may still be lost without a wrong."""
        message = change.message
        if change.kind is ChangeKind.CREATED:
            # A number may come again if the message that had it never reached the disk.
            self._histories.pop(change.message_id, None)
        history = self._histories.setdefault(change.message_id, [])
        history.append(
            Entry(
                change.kind,
                change.message_id,
                change.mailbox,
                change.folder,
                history[-1].subject if message is None else message.subject,
                history[-1].size_bytes if message is None else message.size_bytes,
                b"" if message is None else message.digest,
                self._kernel.now_ns,
                change.is_read,
                change.is_deleted,
            )
        )

    def acknowledged(self, change: Change) -> None:
        """Note that a change's commit record is on disk; those of one message come in order."""
        history = self._histories[change.message_id]
        entry = next(entry for entry in history if entry.acknowledged_ns is None)
        assert entry.kind is change.kind, "a later change was acknowledged before an earlier one"
        self._acknowledge(entry)

    def unsettled(self) -> list[tuple[int, list[Entry]]]:
        """Return the histories with changes that were never acknowledged, by message."""
        return [
            (message_id, list(history))
            for message_id, history in self._histories.items()
            if history[-1].acknowledged_ns is None
        ]

    def settle(self, message_id: int, reached: int) -> None:
        """Note which changes of a message a server that came up again has found on its disks.

        Those are acknowledged from now on: people see them. The others never were.

        Args:
            message_id: the message.
            reached: how many of its changes are there; those acknowledged before stay in any case.
        """
        history = self._histories[message_id]
        before = sum(entry.acknowledged_ns is not None for entry in history)
        del history[max(before, reached) :]
        for entry in history[before:]:
            self._acknowledge(entry)

    def _acknowledge(self, entry: Entry) -> None:
        entry.acknowledged_ns = self._kernel.now_ns
        self._acknowledged.append(entry)
        if entry.kind is ChangeKind.CREATED:
            self._created.append(entry)
            self._trace.record(
                "message", id=entry.message_id, mailbox=entry.mailbox, digest=entry.digest
            )
        else:
            self._trace.record("change", kind=entry.kind.value, id=entry.message_id)

    def history(self, message_id: int) -> Sequence[Entry]:
        """Return all changes of a message in order; none when nobody ever sent it."""
        return self._histories.get(message_id, ())

    def acknowledged_by(self, time_ns: int) -> Iterator[Entry]:
        """Yield the changes acknowledged up to and including a time, oldest first."""
        for entry in self._acknowledged:
            assert entry.acknowledged_ns is not None, "only acknowledged entries are listed"
            if entry.acknowledged_ns > time_ns:
                return
            yield entry

    @property
    def acknowledged_count(self) -> int:
        """Number of messages acknowledged."""
        return len(self._created)

    @property
    def acknowledged_bytes(self) -> int:
        """Their bytes, as they came."""
        return sum(entry.size_bytes for entry in self._created)
