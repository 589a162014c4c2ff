"""What happens to a message in a mailbox, told when it is submitted and when it is on disk.

A message is created in a folder, and may then be written on, read, moved, deleted to the dumpster,
had back, and purged. Each change is one transaction, and says where and how it leaves the message.
"""

from dataclasses import dataclass
from enum import StrEnum

from emulators.exchange.folder_contents import Place
from emulators.exchange.message import Message


class ChangeKind(StrEnum):
    """What was done to a message."""

    CREATED = "created"
    SAVED = "saved"
    READ = "read"
    MOVED = "moved"
    DELETED = "deleted"
    RESTORED = "restored"
    PURGED = "purged"


@dataclass(slots=True)
class Item:
    """A message of a mailbox as its user sees it: where it is, and how it stands."""

    place: Place
    mailbox: str
    folder: str
    message: Message
    is_read: bool = False
    is_deleted: bool = False

    @property
    def message_id(self) -> int:
        """Its id in the database; it stays when the message is moved."""
        return self.place.message_id


@dataclass(frozen=True, slots=True)
class Change:
    """One change, from submission to acknowledgement.

    Attributes:
        kind: what was done.
        message_id: to which message of the database.
        mailbox: whose it is.
        folder: the path of the folder in which it is then.
        message: its content then; None when it was purged.
        is_read: it counts as read then.
        is_deleted: it is in the folder's dumpster then.
    """

    kind: ChangeKind
    message_id: int
    mailbox: str
    folder: str
    message: Message | None
    is_read: bool = False
    is_deleted: bool = False

    @classmethod
    def of(cls, kind: ChangeKind, item: Item) -> "Change":
        """Return the change that has left an item as it is."""
        return cls(
            kind,
            item.message_id,
            item.mailbox,
            item.folder,
            item.message,
            item.is_read,
            item.is_deleted,
        )
