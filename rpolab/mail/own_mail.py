"""What the mail of another package is made from: everything but the mail itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar

from emulators.exchange.arrivals import Arrival
from emulators.exchange.content import ContentPools
from emulators.exchange.user_actions import UserActions
from reports import Assumption, Notice
from rpolab.mail.source import Mailboxes, Replay, Traffic
from scenarios import OwnWorkload, Scenario
from sim.streams import Streams


class OwnMail(ABC):
    """Mail that a package brings; the run starts and ends as the scenario says.

    Args:
        settings: the keys of the scenario's `workload`.
        scenario: the scenario.
    """

    settings: ClassVar[type[OwnWorkload]]

    def __init__(self, settings: OwnWorkload, scenario: Scenario) -> None:
        self.keys = settings
        self.scenario = scenario

    @abstractmethod
    def arrivals(
        self, streams: Streams, mailboxes: Mailboxes, start_of_day_ns: int
    ) -> Iterator[Arrival]:
        """Yield the mail in order of time.

        Args:
            streams: the run's random streams; take those whose names begin with your own.
            mailboxes: the addresses of all mailboxes.
            start_of_day_ns: the time of day at which the run starts.
        """

    @property
    def replay(self) -> Replay | None:
        """Nothing: the scenario says when it starts and how long it lasts."""
        return None

    @property
    def actions(self) -> UserActions | None:
        """What users do beside sending: nothing."""
        return None

    def mailboxes(self, pools: ContentPools) -> Mailboxes:
        """Return drawn addresses."""
        return pools.mailboxes(
            sum(group.mailboxes for group in self.scenario.exchange.storage_groups)
        )

    def traffic(
        self,
        streams: Streams,
        pools: ContentPools,
        mailboxes: Mapping[str, Mailboxes],
        start_of_day_ns: int,
    ) -> list[Traffic]:
        """Return the mail of all storage groups."""
        del pools
        everybody = tuple(name for names in mailboxes.values() for name in names)
        arrivals = self.arrivals(streams, everybody, start_of_day_ns)
        return [Traffic(next(iter(mailboxes)), tuple(mailboxes), arrivals)]

    def notices(self) -> list[Notice]:
        """Return nothing: nothing was left out."""
        return []

    def assumptions(self) -> list[Assumption]:
        """Return what the mail rests on: that it is a package's."""
        return [
            Assumption(
                name="mail",
                value=f"drawn by the workload '{self.keys.kind}'",
                basis="assumption",
                source="scenario",
            )
        ]
