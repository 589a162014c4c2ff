"""What the filter shows to the capture, and what the capture answers."""

from dataclasses import dataclass

from engine.basics.payload import Segments
from engine.formats.records import RecordType


@dataclass(frozen=True, slots=True)
class Change:
    """One completed operation on a protected volume, or a tag.

    Attributes:
        kind: Any record type but TIME, which the capture makes itself.
        file: The file's name in the group, such as 'logs/E00.log'; '' for a tag.
        offset: Where a WRITE begins; the new size for a TRUNCATE.
        payload: The bytes of a WRITE; the label of a tag, as UTF-8.
        new_name: The new name of a RENAME.
    """

    kind: RecordType
    file: str
    offset: int = 0
    payload: Segments = ()
    new_name: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The change is in the stream under this sequence: its completion may go on."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The pool is full: hold the completion until this ticket is among `take_released()`."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The change is not in the stream, and its completion may go on.

    A tag is refused while the pool is full: it is not queued, for it would outlive its freeze.
    Everything is refused once the capture was abandoned.
    """

    reason: str
    hint: str


Admission = Admitted | Waiting | Refused
