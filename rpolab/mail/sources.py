"""Where a run's mail comes from: a profile, an archive, a tracking log, or counted log files.

Each source says which mailboxes there are, what arrives when, what of the operator's files was
left out, and which assumptions the mail rests on.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from emulators.exchange.arrivals import Arrival, profile_arrivals
from emulators.exchange.content import ContentPools
from emulators.exchange.input_files import BadRows
from emulators.exchange.log_rates import RECEIVED, SENT, LogRates, log_rates
from emulators.exchange.log_stats import LogIntervals, read_log_stats
from emulators.exchange.replay import MailArchive
from emulators.exchange.tracking_replay import TrackedMail
from emulators.exchange.user_actions import USER_ACTIONS, UserActions
from emulators.exchange.working_day import DayCurve
from reports import Assumption, Notice
from rpolab.laboratory.own_parts import made
from rpolab.laboratory.weekly import DAYS_PER_WEEK, calendar_ns, days_text, weekday
from rpolab.mail.profiles import (
    NO_SOURCE,
    action_assumptions,
    day_curve,
    mail_assumptions,
    profile_of,
)
from scenarios import OwnWorkload, Scenario, StorageGroup
from sim.streams import Streams

LOG_STATISTICS = "log statistics"
TRACKING_LOG = "tracking log"
BETWEEN_GROUPS = Assumption(
    name="mail between storage groups",
    value="none: users write to those of their own group",
    basis="assumption",
    source=NO_SOURCE,
)

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
        texts = _bad_rows_told(self._mail.bad_rows)
        left_out = self._mail.left_out(self._count)
        if left_out:
            recipients = len(self._mail.recipients()) - self._count
            texts.append(
                f"{left_out} copies to {recipients} recipients are left out: there are "
                f"{self._count} mailboxes"
            )
        return _notices(TRACKING_LOG, texts)

    def assumptions(self) -> list[Assumption]:
        """Return what the log does not say."""
        row = Assumption(
            name="bodies of logged mail",
            value="drawn text of the logged size",
            basis="assumption",
            source=TRACKING_LOG,
        )
        return [row]


class ProfiledMail:
    """Mail by the profile, as often as it says, or as makes the counted logs."""

    def __init__(self, scenario: Scenario) -> None:
        exchange = scenario.exchange
        self._starts_ns = calendar_ns(scenario.starts_at)
        self._groups = exchange.storage_groups
        self._profiles = {group.name: profile_of(exchange, group.profile) for group in self._groups}
        self._intervals: LogIntervals | None = None
        self._rates: LogRates | None = None
        path, database = scenario.log_stats_path, scenario.log_database
        if path is not None and database is not None:
            self._intervals = read_log_stats(path, database, BadRows())
            self._rates = log_rates(self._intervals)

    @property
    def replay(self) -> None:
        """Nothing: the scenario says when it starts and how long it lasts."""
        return

    @property
    def actions(self) -> UserActions:
        """What the table says."""
        return USER_ACTIONS

    def mailboxes(self, pools: ContentPools) -> Mailboxes:
        """Return drawn addresses."""
        return pools.mailboxes(sum(group.mailboxes for group in self._groups))

    def traffic(
        self,
        streams: Streams,
        pools: ContentPools,
        mailboxes: Mapping[str, Mailboxes],
        start_of_day_ns: int,
    ) -> list[Traffic]:
        """Return drawn mail, for ever: that of each group among its own users and from outside."""
        return [
            Traffic(
                group.name,
                (group.name,),
                self._on_its_days(
                    group,
                    streams,
                    profile_arrivals(
                        streams,
                        self._profiles[group.name],
                        mailboxes[group.name],
                        pools.correspondents,
                        name=group.name,
                        start_of_day_ns=start_of_day_ns,
                        curve=self._curve(group),
                        scale=self._scale(group),
                    ),
                ),
            )
            for group in self._groups
        ]

    def notices(self) -> list[Notice]:
        """Tell of samples of the logs that say nothing."""
        if self._intervals is None or self._rates is None:
            return []
        return _notices(LOG_STATISTICS, _intervals_told(self._intervals, self._rates))

    def assumptions(self) -> list[Assumption]:
        """Return the user's day, and how logs became mail."""
        hours_source = "" if self._rates is None else LOG_STATISTICS
        rows: list[Assumption] = []
        for group in self._groups:
            profile, curve = self._profiles[group.name], self._curve(group)
            of_group = mail_assumptions(group.profile, profile, curve, hours_source)
            rows += [row for row in of_group if row not in rows]
            rows += _days_told(group)
        if len(self._groups) > 1:
            rows.append(BETWEEN_GROUPS)
        rows += action_assumptions(self.actions)
        if self._rates is not None:
            logs = f"{self._rates.logs_per_day:.1f} of 1 MiB"
            scale = self._scale(self._groups[0])
            rows += [
                _log_assumption("transaction logs a day", logs),
                _log_assumption("mail that makes them", f"{scale:.3f} times the profile's"),
                *(
                    _log_assumption(
                        f"log of a message {what}",
                        f"{log.bytes_per_byte:g} times its bytes, and {log.bytes_more:,}",
                    )
                    for what, log in (("sent", SENT), ("received", RECEIVED))
                ),
            ]
        return rows

    def _curve(self, group: StorageGroup) -> DayCurve:
        return day_curve(group.profile) if self._rates is None else self._rates.curve

    def _on_its_days(
        self, group: StorageGroup, streams: Streams, arrivals: Iterator[Arrival]
    ) -> Iterator[Arrival]:
        """Leave out mail on days that have less of it: of a Poisson process, again one."""
        if not group.mail_days:
            return arrivals
        draws = streams.stream(f"mail days:{group.name}")
        shares = {
            day: next((rule.mail for rule in group.mail_days if rule.days & 1 << day), 1.0)
            for day in range(DAYS_PER_WEEK)
        }
        return (
            arrival
            for arrival in arrivals
            if draws.chance(shares[weekday(self._starts_ns + arrival[0])])
        )

    def _scale(self, group: StorageGroup) -> float:
        """How often the profile's mail comes; counted logs are of a server's only group."""
        if self._rates is None:
            return 1.0
        return self._rates.scale(self._profiles[group.name], group.mailboxes)


def _days_told(group: StorageGroup) -> list[Assumption]:
    return [
        Assumption(
            name=f"mail of {group.name} on {days_text(rule.days)}",
            value=f"{rule.mail:.4g} of a working day's",
            basis="assumption",
            source="scenario",
        )
        for rule in group.mail_days
    ]


def mail_source(scenario: Scenario) -> MailSource:
    """Read the files of the scenario's workload.

    Raises:
        WorkloadFileError: a file cannot be used; it says where and why.
        OSError: a file cannot be read; it names the file.
    """
    try:
        return _source_of(scenario)
    except OSError as error:
        if error.filename is None:  # reading an open file says no name
            error.filename = str(scenario.workload_path)
        raise


def _source_of(scenario: Scenario) -> MailSource:
    if isinstance(scenario.workload, OwnWorkload):
        source: MailSource = made("workload", scenario.workload, OwnWorkload, scenario)
        return source
    if scenario.mbox_path is not None:
        return ArchivedMail(scenario, scenario.mbox_path)
    if scenario.tracking_log_path is not None:
        return LoggedMail(scenario, scenario.tracking_log_path)
    return ProfiledMail(scenario)


def _mailbox_count(scenario: Scenario) -> int:
    return sum(group.mailboxes for group in scenario.exchange.storage_groups)


def _for_all(mailboxes: Mapping[str, Mailboxes], arrivals: Iterator[Arrival]) -> Traffic:
    """Return mail that is to whoever has a mailbox, named after the first storage group."""
    return Traffic(next(iter(mailboxes)), tuple(mailboxes), arrivals)


def _notices(source: str, texts: Sequence[str]) -> list[Notice]:
    return [Notice(at_s=0.0, source=source, text=text) for text in texts]


def _bad_rows_told(bad_rows: BadRows) -> list[str]:
    if not bad_rows.count:
        return []
    rows = "row is" if bad_rows.count == 1 else "rows are"
    return [f"{bad_rows.count} {rows} left out: {bad_rows.told()}"]


def _intervals_told(intervals: LogIntervals, rates: LogRates) -> list[str]:
    texts = _bad_rows_told(intervals.bad_rows)
    left_out = {
        "with a log generation that fell": intervals.resets,
        "more than 2 h long": intervals.gaps,
        "on a clock that did not go on": intervals.clock_steps,
    }
    told = [f"{count} {why}" for why, count in left_out.items() if count]
    if told:
        texts.append(f"intervals of {intervals.database} left out: {', '.join(told)}")
    if intervals.other_servers:
        others = ", ".join(intervals.other_servers)
        texts.append(f"{intervals.database} is taken from {intervals.server}, not from {others}")
    if intervals.other_databases:
        names = ", ".join(intervals.other_databases)
        texts.append(f"other databases in the file are not part of this run: {names}")
    if rates.hours_unobserved:
        hours = ", ".join(f"{hour:02}" for hour in rates.hours_unobserved)
        texts.append(f"hours without samples are shaped like a working day: {hours}")
    return texts


def _log_assumption(name: str, value: str) -> Assumption:
    return Assumption(name=name, value=value, basis="assumption", source=LOG_STATISTICS)
