"""One experiment: build the world, let it run, break it, recover, and measure.

Everything here happens in simulated time; how long it took on the clock of the wall is the
caller's to measure.
"""

from collections.abc import Callable, Generator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from emulators.ese.errors import EseError
from emulators.ese.running.storage_group import StorageGroup
from emulators.exchange.changes import Change, ChangeKind
from emulators.exchange.content import ContentPools
from emulators.exchange.mail_users import MailUsers
from emulators.exchange.server import ExchangeServer
from reports import (
    Digests,
    Notice,
    ProtectionResult,
    Result,
    ScenarioReference,
    duration_text,
    seconds,
)
from rpolab.checking import checks_of
from rpolab.laboratory import measures
from rpolab.laboratory.comeback import ResumableArrivals, settle
from rpolab.laboratory.copy_recoveries import CopyRecoveries, Moments
from rpolab.laboratory.copy_results import Asked, protection_result
from rpolab.laboratory.exposure import note_backlogs
from rpolab.laboratory.faults import Faults
from rpolab.laboratory.kept_files import FolderKeeper
from rpolab.laboratory.ledger import Ledger
from rpolab.laboratory.ledgers import Ledgers
from rpolab.laboratory.notices import protection_notices
from rpolab.laboratory.promotions import promote
from rpolab.laboratory.rto import assumptions
from rpolab.laboratory.world import Laboratory, clock_of
from rpolab.mail.choice import mail_source
from rpolab.mail.source import Traffic
from rpolab.mail.users import act_as_users
from rpolab.protections.choice import protection_of
from rpolab.protections.kept_copy import KeptCopy
from scenarios import Scenario, phase_spans

PROGRESS_SLICES = 400
SETTLE_NS = 10_000_000_000
"""What the copy received before a disaster is given this long to become durable."""

Progress = Callable[[int], None]


class Experiment:
    """One run of a scenario.

    Args:
        scenario: what to try.
        keep: folder for the recovered files, None to keep none.
        keep_trace: keep the trace's lines.

    Raises:
        WorkloadFileError: a file of the workload cannot be used.
    """

    def __init__(
        self, scenario: Scenario, *, keep: Path | None = None, keep_trace: bool = False
    ) -> None:
        self.scenario = scenario
        self._mail = mail_source(scenario)
        self.clock = clock_of(scenario, self._mail.replay)
        self.laboratory = Laboratory(scenario, self.clock, keep_trace=keep_trace)
        laboratory = self.laboratory
        self.kernel = laboratory.kernel
        groups = laboratory.groups
        self.ledgers = Ledgers(
            (name for group in groups for name in group.database_names),
            lambda: Ledger(self.kernel, laboratory.trace),
            lambda mailbox: self.server.home_of(mailbox).name,
        )
        self.protections = {
            name: protection_of(name, spec, laboratory) for name, spec in scenario.protect.items()
        }
        checkers = checks_of(scenario.checkers)
        keeper = None if keep is None else FolderKeeper(keep)
        self.recoverers = {
            name: CopyRecoveries(laboratory, protection, self.ledgers, keeper, checkers)
            for name, protection in self.protections.items()
        }
        self.server = self._server_of(groups)
        self._pools = ContentPools(laboratory.streams.stream("content"))
        self._mailboxes = self._mailboxes_of_groups()
        self._traffic = self._mail.traffic(
            laboratory.streams, self._pools, self._mailboxes, self.clock.start_of_day_ns
        )
        self.faults = Faults(laboratory, self.protections)
        self._arrivals = {
            traffic.name: ResumableArrivals(traffic.arrivals) for traffic in self._traffic
        }
        #: What held when the mail server was lost, by protection; empty until then.
        self._disaster: dict[str, Moments] = {}
        self._lost_ns: int | None = None
        self._stopped: dict[str, Notice] = {}
        laboratory.mail_host.on_power_cut(self._note_disaster)
        laboratory.mail_host.on_power_on(self._come_back)

    @property
    def ledger(self) -> Ledger:
        """The ledger of a server with one database only."""
        [ledger] = self.ledgers.by_database.values()
        return ledger

    def run(self, progress: Progress | None = None) -> None:
        """Let the world run to its end, with its drills and, after a disaster, its recovery."""
        for protection in self.protections.values():
            protection.start()
        self.laboratory.mail_host.spawn(self._serve(), name="mail users")
        for at_ns in self._drill_times():
            self._run_until(at_ns, progress)
            if not self._is_over:
                self._drill()
        self._run_until(self.clock.duration_ns, progress)
        if self._is_over:
            self._recover_from_disaster(progress)
        elif self.scenario.drills is not None and self.scenario.drills.at_end:
            self._drill()
        self._check_signals()

    def result(self, replay: str = "") -> Result:
        """Return what was found; `wall_s` is 0."""
        kernel = self.kernel
        protections = tuple(self._protection_result(name) for name in self.protections)
        judged = measures.judge(self.scenario, protections)
        verdict = measures.overall(judged, self.faults.results())
        digests = self.laboratory.trace.digests()
        scenario = self.scenario
        return Result(
            scenario=ScenarioReference(
                title=scenario.title,
                file=scenario.source.file,
                starts_at=self.clock.starts_at.isoformat(),
            ),
            seed=scenario.seed,
            digests=Digests(effects=digests["effects"], full=digests["full"]),
            simulated_s=seconds(kernel.now_ns),
            wall_s=0.0,
            events=kernel.steps,
            events_per_s=0.0,
            verdict=verdict,
            thresholds=judged,
            faults=self.faults.results(),
            notices=self._notices(),
            protections=protections,
            assumptions=(
                *assumptions(scenario.rto),
                *measures.disk_assumptions(scenario),
                *self._mail.assumptions(),
            ),
            replay=replay,
        )

    # --- inside -------------------------------------------------------------------------------

    def _serve(self) -> Generator[Any, Any, None]:
        yield from self.server.start(*self._mailboxes.values())
        yield from self._work()

    def _work(self) -> Generator[Any, Any, None]:
        """Let people work, now that the server runs."""
        for protection in self.protections.values():
            protection.start_bookmarks()
        spawn = self.laboratory.mail_host.spawn
        for traffic in self._traffic[1:]:
            spawn(self._send(traffic), name=f"mail users of {traffic.name}")
        yield from self._send(self._traffic[0])

    def _send(self, traffic: Traffic) -> Generator[Any, Any, None]:
        users = MailUsers(
            self.server,
            self._pools,
            self._arrivals[traffic.name],
            lambda: self.kernel.now_ns,
            self.laboratory.streams,
            name=traffic.name,
            actions=self._mail.actions,
        )
        groups = [self.laboratory.group_named(name) for name in traffic.groups]
        yield from act_as_users(self.kernel, groups, users, self.clock.duration_ns)

    def _mailboxes_of_groups(self) -> dict[str, tuple[str, ...]]:
        """Return the mailboxes of each storage group, by its name."""
        names = iter(self._mail.mailboxes(self._pools))
        return {
            group.name: tuple(islice(names, group.mailboxes))
            for group in self.scenario.exchange.storage_groups
        }

    def _acknowledged(self, change: Change) -> None:
        self.ledgers.acknowledged(change)
        if change.kind is not ChangeKind.CREATED:
            return
        for name, protection in self.protections.items():
            newest = protection.stages().captured
            self.recoverers[name].sequences[change.mailbox, change.message_id] = newest

    def _drill_times(self) -> list[int]:
        drills = self.scenario.drills
        if drills is None:
            return []
        end_ns = self.clock.duration_ns
        start_ns = self.clock.start_of_day_ns
        times = {self.scenario.offset_ns(moment, start_ns) for moment in drills.at}
        if drills.every_ns is not None:
            times |= set(range(drills.every_ns, end_ns, drills.every_ns))
        return sorted(at_ns for at_ns in times if at_ns < end_ns)

    def _drill(self) -> None:
        drills = self.scenario.drills
        assert drills is not None, "a drill has a plan"
        for recoverer in self.recoverers.values():
            moments = recoverer.moments("drill")
            for consistency in drills.classes:
                recoverer.recover(moments, consistency)

    def _note_disaster(self) -> None:
        """Note what the engine says at the instant that the mail server is lost."""
        self._lost_ns = self.kernel.now_ns
        for name, recoverer in self.recoverers.items():
            self._disaster[name] = recoverer.moments("disaster")
            for copy in self.protections[name].copies:
                if isinstance(copy, KeptCopy):
                    copy.health.note_disaster()

    @property
    def _is_over(self) -> bool:
        """Whether the mail server was lost for good."""
        home = self.laboratory.mail_host_site
        return self._lost_ns is not None and not self.faults.is_power_coming_back(home)

    def _come_back(self) -> None:
        """Bring the mail server up again on what is on its disks: it was no disaster."""
        self._disaster.clear()
        for protection in self.protections.values():
            for copy in protection.copies:
                if isinstance(copy, KeptCopy):
                    copy.health.forget_disaster()
        lost_ns, self._lost_ns = self._lost_ns, None
        assert lost_ns is not None, "it was lost before it came back"
        self.laboratory.begin_groups_anew()
        self.server = self._server_of(self.laboratory.groups)
        self.laboratory.mail_host.spawn(self._resume(lost_ns), name="mail server comes back")

    def _resume(self, lost_ns: int) -> Generator[Any, Any, None]:
        """Recover, mount, and let people work again, unless recovery is refused."""
        back_ns = self.kernel.now_ns
        for arrivals in self._arrivals.values():
            arrivals.resume(back_ns)
        try:
            yield from self.server.resume()
        except EseError as error:
            self._tell_stop("the mail server after its power cut", error)
            return
        settle(self.server, self.ledgers)
        out, mounting = back_ns - lost_ns, self.kernel.now_ns - back_ns
        text = (
            f"the power was out for {duration_text(seconds(out))}; its databases were recovered"
            f" and mounted {duration_text(seconds(mounting))} later"
        )
        at_s = seconds(self.kernel.now_ns)
        self._stopped[f"back at {at_s}"] = Notice(at_s=at_s, source="mail server", text=text)
        yield from self._work()

    def _server_of(self, groups: Sequence[StorageGroup]) -> ExchangeServer:
        return ExchangeServer(
            *groups, submitted=self.ledgers.submitted, acknowledged=self._acknowledged
        )

    def _recover_from_disaster(self, progress: Progress | None) -> None:
        assert self._lost_ns is not None, "the mail server was lost"
        self._run_until(self._lost_ns + SETTLE_NS, progress)
        promote(self.kernel, self.protections.values())
        for name, moments in self._disaster.items():
            wanted = self.scenario.protect[name].recover
            self.recoverers[name].recover(moments, "app" if wanted == "application" else "any")

    def _run_until(self, until_ns: int, progress: Progress | None) -> None:
        """Let time go on; after a disaster no further than it takes for the copy to settle."""
        slice_ns = max(self.clock.duration_ns // PROGRESS_SLICES, 1)
        while self.kernel.now_ns < until_ns:
            if self._is_over:
                assert self._lost_ns is not None, "the mail server was lost"
                until_ns = min(until_ns, self._lost_ns + SETTLE_NS)
            next_ns = min(self.kernel.now_ns + slice_ns, until_ns)
            self.kernel.run(next_ns)
            self._note_stop()
            note_backlogs(self.protections.values())
            for arrivals in self._arrivals.values():
                arrivals.passed(self.kernel.now_ns)
            if progress is not None:
                progress(self.kernel.now_ns)

    def _note_stop(self) -> None:
        """Tell once of each storage group, or database of one that runs, what has stopped it."""
        for group in self.laboratory.groups:
            if group.error is not None:
                self._tell_stop(group.name, group.error)
                continue
            for name in group.mounted_names():
                error = group.mounted(name).file.error
                if error is not None:
                    self._tell_stop(f"{group.name}: {name}", error)

    def _tell_stop(self, source: str, error: EseError) -> None:
        if source not in self._stopped:
            text = f"{error} Mail is no longer accepted."
            at_s = seconds(self.kernel.now_ns)
            self._stopped[source] = Notice(at_s=at_s, source=source, text=text)

    def _notices(self) -> tuple[Notice, ...]:
        notices = [*self._mail.notices(), *self._stopped.values()]
        for protection in self.protections.values():
            notices += protection_notices(protection)
        return tuple(sorted(notices, key=lambda notice: notice.at_s))

    def _check_signals(self) -> None:
        errors = self.kernel.unobserved_errors
        if errors:
            raise errors[0]

    def _protection_result(self, name: str) -> ProtectionResult:
        protection = self.protections[name]
        end_ns = self._lost_ns if self._is_over else self.kernel.now_ns
        assert end_ns is not None, "a run that is over was lost at some time"
        recoveries = self.recoverers[name]
        return protection_result(
            protection,
            recoveries.best,
            recoveries.by_copy,
            self.ledgers,
            Asked(
                end_ns,
                measures.rpo_limits_ns(self.scenario, name),
                phase_spans(self.scenario.phases),
                self.faults.results(),
            ),
        )
