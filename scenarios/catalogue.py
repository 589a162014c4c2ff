"""The library as a list: each scenario's group, what it asks, what it teaches, and its size."""

from collections.abc import Iterator
from typing import NamedTuple

from scenarios.library_files import library_names, library_path
from scenarios.loader import load
from scenarios.model import Scenario

GROUPS = {
    "lost-logs": "Lost logs",
    "disasters": "Disasters",
    "network": "Network",
    "vss": "VSS and bookmarks",
    "storage": "Storage",
    "operator-mistakes": "Operator mistakes",
    "overload": "Overload",
    "corruption": "Corruption",
    "lessons": "Lessons from other tools",
}
"""The folders of the library in the order in which they are listed, with their headings."""

MAILBOX_HOURS = ((10, "short"), (100, "medium"))
"""What a run is called by its size: so many mailboxes times hours, or fewer."""


class Listing(NamedTuple):
    """One scenario of the library."""

    name: str
    group: str
    title: str
    teaches: str
    simulated_s: float
    mailboxes: int
    runs: int

    @property
    def heading(self) -> str:
        """What its group is called."""
        return GROUPS.get(self.group, self.group.replace("-", " ").capitalize())

    @property
    def length(self) -> str:
        """How long it takes, by the size of what is simulated: 'short', 'medium' or 'long'."""
        size = self.mailboxes * self.simulated_s / 3_600 * self.runs
        return next((name for limit, name in MAILBOX_HOURS if size <= limit), "long")


def catalogue() -> list[Listing]:
    """Every scenario of the library, group by group in the order of the headings."""
    order = list(GROUPS)
    listings = [_listing(name) for name in library_names()]

    def place(listing: Listing) -> tuple[int, str]:
        known = listing.group in order
        return order.index(listing.group) if known else len(order), listing.group

    return sorted(listings, key=place)


def by_heading(listings: list[Listing]) -> Iterator[tuple[str, list[Listing]]]:
    """Yield each heading with its scenarios."""
    headings: dict[str, list[Listing]] = {}
    for listing in listings:
        headings.setdefault(listing.heading, []).append(listing)
    yield from headings.items()


def _listing(name: str) -> Listing:
    path, scenario = library_path(name), load(name)
    assert path is not None, "the name comes from the library"
    return Listing(
        name=name,
        group=path.parent.name,
        title=scenario.title,
        teaches=scenario.teaches,
        simulated_s=max(_length_s(variant.scenario) for variant in scenario.variants),
        mailboxes=sum(group.mailboxes for group in scenario.exchange.storage_groups),
        runs=len(scenario.variants) * len(scenario.seeds),
    )


def _length_s(scenario: Scenario) -> float:
    return (scenario.duration_ns or 0) / 1_000_000_000
