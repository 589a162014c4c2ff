"""What the filter shows to the capture, and what the capture answers."""

from dataclasses import dataclass

from engine.basics.payload import Segments
from engine.formats.records import RecordType


@dataclass(frozen=True, slots=True)
class Change:
    """One completed operation on a protected volume, or a tag.

    Attributes:
        kind: An operation on a file, or a tag; the other records the capture makes itself.
        file: The file's name in the group, such as 'logs/E00.log'; '' for a tag.
        offset: Where a WRITE begins; the new size for a TRUNCATE.
        payload: The bytes of a WRITE; the label of a tag, as UTF-8.
        new_name: The new name of a RENAME.
        is_pending: Whether a tag is the first half of a two-phase one, which becomes a point by
            `Capture.commit_tag` only.
    """

    kind: RecordType
    file: str
    offset: int = 0
    payload: Segments = ()
    new_name: str = ""
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """The change is in the stream under this sequence: its completion may go on."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The pool is full: hold the completion until this ticket is among `take_released()`."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Tracked:
    """Order is lost: of the change its place is kept at most. Its completion may go on."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The change is not in the stream, and its completion may go on.

    A tag is refused while the pool is full: it is not queued, for it would outlive its freeze. It
    is refused in a gap, too: nothing is consistent there.
    Everything is refused once the capture was abandoned. `str()` gives the reason and the hint.
    """

    reason: str
    hint: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.hint}"


Admission = Admitted | Waiting | Tracked | Refused
