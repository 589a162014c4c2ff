"""What a volume does, and how its filters are told."""

from dataclasses import dataclass
from enum import Enum

from sim.payload import Segments
from sim.signals import Signal

__all__ = ["Kind", "Operation", "Pending"]


class Kind(Enum):
    """The kinds of operations; a filter is shown all but READ."""

    CREATE = "create"
    WRITE = "write"
    TRUNCATE = "truncate"
    RENAME = "rename"
    REPLACE = "replace"
    DELETE = "delete"
    FLUSH = "flush"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Operation:
    """A completed operation.

    Attributes:
        volume: The volume's name.
        kind: What was done; never READ.
        file: The file's name; for RENAME and REPLACE the old one.
        offset: For WRITE where, in bytes; else 0.
        payload: For WRITE what; else empty.
        new_name: For RENAME and REPLACE the new name; else empty.
        size: For WRITE its length, for TRUNCATE the new size, in bytes; else 0.
        completed_ns: When it took effect on the volume.
    """

    volume: str
    kind: Kind
    file: str
    offset: int
    payload: Segments
    new_name: str
    size: int
    completed_ns: int


class Pending:
    """An operation on its way."""

    __slots__ = ("file", "kind", "new_name", "offset", "payload", "signal", "size")

    def __init__(
        self,
        kind: Kind,
        file: str,
        signal: Signal,
        *,
        offset: int = 0,
        payload: Segments = (),
        new_name: str = "",
        size: int = 0,
    ) -> None:
        self.kind = kind
        self.file = file
        self.signal = signal
        self.offset = offset  # -1: the end of the file when its turn comes
        self.payload = payload
        self.new_name = new_name
        self.size = size
