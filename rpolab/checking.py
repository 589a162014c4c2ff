"""The checkers of a scenario: what they find in a recovered database, beside the ledger."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from emulators.exchange.store import Store
from reports import Finding
from rpolab.laboratory.own_parts import made
from scenarios import OwnChecker


class Checker(Protocol):
    """What a package brings."""

    def check(self, database: str, store: Store) -> Iterable[str]:
        """Yield a sentence for each thing that is wrong in a recovered database."""


class Checking(NamedTuple):
    """One checker of a scenario: its name there, and whether a finding refuses a recovery."""

    name: str
    refuses: bool
    checker: Checker

    def findings(self, database: str, store: Store) -> Iterator[Finding]:
        """Yield what is found in one database."""
        for text in self.checker.check(database, store):
            yield Finding(checker=self.name, text=str(text), refuses=self.refuses)


def checks_of(checkers: Mapping[str, OwnChecker]) -> Sequence[Checking]:
    """Return the checkers of a scenario, in its order.

    Raises:
        HookFailed: the constructor of a package's checker failed.
    """
    return [
        Checking(name, settings.refuses, made("checker", settings, OwnChecker))
        for name, settings in checkers.items()
    ]
