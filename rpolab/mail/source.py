"""What a run asks of wherever its mail comes from.

Each source says which mailboxes there are, what arrives when, what of the operator's files was
left out, and which assumptions the mail rests on.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from emulators.exchange.arrivals import Arrival
from emulators.exchange.content import ContentPools
from emulators.exchange.input_files import BadRows
from emulators.exchange.user_actions import UserActions
from reports import Assumption, Notice
from sim.streams import Streams

Mailboxes = tuple[str, ...]


class Traffic(NamedTuple):
    """What some of the users send: their name, their storage groups, and the mail by time."""

    name: str
    groups: tuple[str, ...]
    arrivals: Iterator[Arrival]


class Replay(Protocol):
    """Mail that brings its own times."""

    @property
    def starts_ns(self) -> int:
        """When the first hour of it begins, in nanoseconds since 1970 UTC."""

    @property
    def duration_ns(self) -> int:
        """From there to the last message."""


class MailSource(Protocol):
    """Where the mail comes from."""

    @property
    def replay(self) -> Replay | None:
        """The mail that decides start and duration, or None where the scenario does."""

    @property
    def actions(self) -> UserActions | None:
        """What users do beside sending; None where the mail is real and they are not known."""

    def mailboxes(self, pools: ContentPools) -> Mailboxes:
        """Return the addresses of the mailboxes of all groups, as many as the scenario says."""

    def traffic(
        self,
        streams: Streams,
        pools: ContentPools,
        mailboxes: Mapping[str, Mailboxes],
        start_of_day_ns: int,
    ) -> list[Traffic]:
        """Return the mail in order of time; `mailboxes` are those of each storage group."""

    def notices(self) -> list[Notice]:
        """Return what of the files was left out, all at the start of the run."""

    def assumptions(self) -> list[Assumption]:
        """Return what the mail rests on."""


def notices_of(source: str, texts: Sequence[str]) -> list[Notice]:
    """Return what is told of a source at the start of the run."""
    return [Notice(at_s=0.0, source=source, text=text) for text in texts]


def bad_rows_told(bad_rows: BadRows) -> list[str]:
    """Tell of rows that could not be used, if there were any."""
    if not bad_rows.count:
        return []
    rows = "row is" if bad_rows.count == 1 else "rows are"
    return [f"{bad_rows.count} {rows} left out: {bad_rows.told()}"]
