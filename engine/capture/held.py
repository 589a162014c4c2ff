"""Writers that wait: changes that have no room yet, in the order in which they were shown."""

from collections import deque
from typing import NamedTuple

from engine.basics.payload import length_of
from engine.capture.stream import Draft
from engine.formats.records import HEADER_BYTES


class HeldChange(NamedTuple):
    """A change with its file resolved, whose writer waits."""

    ticket: int
    draft: Draft

    @property
    def cost_bytes(self) -> int:
        """Return the raw bytes of its record."""
        return HEADER_BYTES + length_of(self.draft.payload)


class HeldWriters:
    """The queue of held changes, and the tickets of those that may go on."""

    def __init__(self) -> None:
        self._held: deque[HeldChange] = deque()
        self._released: list[int] = []
        self._tickets = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def has_released(self) -> bool:
        """Return whether tickets wait to be taken."""
        return bool(self._released)

    @property
    def first(self) -> HeldChange:
        """Return the change that is next; there must be one."""
        return self._held[0]

    def hold(self, draft: Draft) -> int:
        """Keep a change and return its ticket."""
        self._tickets += 1
        self._held.append(HeldChange(self._tickets, draft))
        return self._tickets

    def release(self) -> None:
        """Let the first writer go on."""
        self._released.append(self._held.popleft().ticket)

    def release_all(self) -> None:
        """Let every writer go on."""
        while self._held:
            self.release()

    def take_released(self) -> tuple[int, ...]:
        """Return, once, the tickets of writers that may go on, in order."""
        released, self._released = tuple(self._released), []
        return released
