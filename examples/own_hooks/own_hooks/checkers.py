"""A checker: does each recovered mailbox have the folders that it should have?"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from rpolab.hooks import OwnChecker, Store


class FoldersKeys(OwnChecker):
    """Each recovered mailbox must have these folders."""

    kind: Literal["folders"]
    names: tuple[str, ...] = Field(
        ("Inbox",), description="The folders, by their path in the mailbox."
    )


class Folders:
    """Looks through the mailboxes of each database that was opened."""

    settings = FoldersKeys

    def __init__(self, keys: FoldersKeys) -> None:
        self._names = keys.names

    def check(self, database: str, store: Store) -> Iterator[str]:
        """Yield a sentence for each folder that is missing."""
        for mailbox in store.mailboxes():
            for name in self._names:
                if name not in mailbox.folders:
                    yield f"{database}: {mailbox.name} has no folder {name}"
