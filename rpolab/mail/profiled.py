"""Mail that is drawn: a profile's users, as often as the profile says or as counted logs say."""

from collections.abc import Iterator, Mapping

from emulators.exchange.arrivals import Arrival, profile_arrivals
from emulators.exchange.content import ContentPools
from emulators.exchange.input_files import BadRows
from emulators.exchange.log_rates import RECEIVED, SENT, LogRates, log_rates
from emulators.exchange.log_stats import LogIntervals, read_log_stats
from emulators.exchange.user_actions import USER_ACTIONS, UserActions
from emulators.exchange.working_day import DayCurve
from reports import Assumption, Notice
from rpolab.laboratory.weekly import DAYS_PER_WEEK, calendar_ns, days_text, weekday
from rpolab.mail.profiles import (
    NO_SOURCE,
    action_assumptions,
    day_curve,
    mail_assumptions,
    profile_of,
)
from rpolab.mail.source import Mailboxes, Traffic, bad_rows_told, notices_of
from scenarios import Scenario, StorageGroup
from sim.streams import Streams

LOG_STATISTICS = "log statistics"
BETWEEN_GROUPS = Assumption(
    name="mail between storage groups",
    value="none: users write to those of their own group",
    basis="assumption",
    source=NO_SOURCE,
)


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
        return notices_of(LOG_STATISTICS, _intervals_told(self._intervals, self._rates))

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


def _intervals_told(intervals: LogIntervals, rates: LogRates) -> list[str]:
    texts = bad_rows_told(intervals.bad_rows)
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
