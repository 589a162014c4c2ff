"""Mail that was real once: archives and message tracking logs, replayed."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from emulators.exchange.arrivals import Arrival
from emulators.exchange.content import ContentPools
from emulators.exchange.replay import MailArchive
from emulators.exchange.tracking_replay import TrackedMail
from reports import Assumption, Notice
from rpolab.mail.source import Mailboxes, Replay, Traffic, bad_rows_told, notices_of
from scenarios import Scenario
from sim.streams import Streams

TRACKING_LOG = "tracking log"


class ArchivedMail:
    """A mail archive, replayed: every mailbox gets every mail."""

    def __init__(self, scenario: Scenario, path: Path) -> None:
        self._count = _mailbox_count(scenario)
        self._archive = MailArchive.load(path)

    @property
    def replay(self) -> Replay:
        """The archive."""
        return self._archive

    @property
    def actions(self) -> None:
        """Nothing: the archive does not say what its readers did."""
        return

    def mailboxes(self, pools: ContentPools) -> Mailboxes:
        """Return drawn addresses."""
        return pools.mailboxes(self._count)

    def traffic(
        self,
        streams: Streams,
        pools: ContentPools,
        mailboxes: Mapping[str, Mailboxes],
        start_of_day_ns: int,
    ) -> list[Traffic]:
        """Return the archive's mail to the mailboxes of all groups; nothing of it is drawn."""
        del streams, pools, start_of_day_ns
        everybody = tuple(name for names in mailboxes.values() for name in names)
        return [_for_all(mailboxes, self._archive.arrivals(everybody))]

    def notices(self) -> list[Notice]:
        """Return nothing: an archive is whole or refused."""
        return []

    def assumptions(self) -> list[Assumption]:
        """Return nothing: the mail is real."""
        return []


class LoggedMail:
    """Message tracking logs, replayed: their recipients are the mailboxes."""

    def __init__(self, scenario: Scenario, path: Path) -> None:
        self._count = _mailbox_count(scenario)
        self._mail = TrackedMail.load(path)

    @property
    def replay(self) -> Replay:
        """The logs."""
        return self._mail

    @property
    def actions(self) -> None:
        """Nothing: the log does not say what the recipients did."""
        return

    def mailboxes(self, pools: ContentPools) -> Mailboxes:
        """Return the first recipients, and drawn addresses where there are too few."""
        found = dict.fromkeys(self._mail.recipients()[: self._count])
        while len(found) < self._count:
            found.update(dict.fromkeys(pools.mailboxes(self._count - len(found))))
        return tuple(found)

    def traffic(
        self,
        streams: Streams,
        pools: ContentPools,
        mailboxes: Mapping[str, Mailboxes],
        start_of_day_ns: int,
    ) -> list[Traffic]:
        """Return the logged deliveries."""
        del streams, pools, start_of_day_ns
        return [_for_all(mailboxes, self._mail.arrivals())]

    def notices(self) -> list[Notice]:
        """Tell of unusable rows, and of recipients without a mailbox here."""
        texts = bad_rows_told(self._mail.bad_rows)
        left_out = self._mail.left_out(self._count)
        if left_out:
            recipients = len(self._mail.recipients()) - self._count
            texts.append(
                f"{left_out} copies to {recipients} recipients are left out: there are "
                f"{self._count} mailboxes"
            )
        return notices_of(TRACKING_LOG, texts)

    def assumptions(self) -> list[Assumption]:
        """Return what the log does not say."""
        row = Assumption(
            name="bodies of logged mail",
            value="drawn text of the logged size",
            basis="assumption",
            source=TRACKING_LOG,
        )
        return [row]


def _mailbox_count(scenario: Scenario) -> int:
    return sum(group.mailboxes for group in scenario.exchange.storage_groups)


def _for_all(mailboxes: Mapping[str, Mailboxes], arrivals: Iterator[Arrival]) -> Traffic:
    """Return mail that is to whoever has a mailbox, named after the first storage group."""
    return Traffic(next(iter(mailboxes)), tuple(mailboxes), arrivals)
