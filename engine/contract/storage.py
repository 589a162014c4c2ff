"""What the journal needs to read its files; writing happens through actions."""

from typing import Protocol


class Storage(Protocol):
    """A flat folder of files, as far as reading goes."""

    def names(self) -> list[str]:
        """Return the names of all files, in any order."""
        ...

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        ...

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        ...

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset` on, fewer only at the file's end.

        None at all where there is no such file.
        """
        ...
