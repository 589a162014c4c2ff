"""Recoveries: choose a point, make the image, open it, and say what came back.

A recovery ends in one of three ways. Recovered: the image was opened and every message in it
compared. Refused: the point cannot be had, or ESE refused its files; then the nearest points that
were opened successfully are offered. Failed: what was opened holds damage, which no protection
may ever deliver. A point is one for the whole server: the worst of its storage groups decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.running.storage_group import StorageGroup
from reports import GroupRecovery, LostMessage, Point, Recovery, RtoStep, seconds
from rpolab.checking import Checking
from rpolab.laboratory.comparison import Comparison
from rpolab.laboratory.group_openings import GroupRefused, Opening
from rpolab.laboratory.ledger import Entry
from rpolab.laboratory.ledgers import Ledgers
from rpolab.laboratory.opening import Opened, open_image
from rpolab.laboratory.rto import rto_steps
from rpolab.laboratory.world import Laboratory
from rpolab.protections.base import (
    ImageFiles,
    PointClass,
    PointSource,
    PointUnavailable,
    ProtectedPoint,
    Taken,
)
from rpolab.protections.kept_copy import KeptCopy

Cause = Literal["disaster", "drill"]
Keep = Callable[[str, MemoryFiles], None]
"""Takes the recovered files of a protection; called after soft recovery has made them clean."""

POINTS_TRIED_MAX = 200
FINDINGS_LISTED_MAX = 20


class ReportedBetterThanTrue(AssertionError):  # noqa: N818 - an invariant (I8) that was broken
    """The engine said that less would be lost than was: the worst kind of wrong figure."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What holds at the instant that a recovery answers for.

    Attributes:
        time_ns: the disaster, or the drill.
        cause: which of the two.
        reported_ns: what the engine said its RPO was, by class.
        stages: how far the stream had come.
        generations: for each storage group, the newest log generation of which anything was on
            the mail server's disk.
    """

    time_ns: int
    cause: Cause
    reported_ns: dict[PointClass, int | None]
    stages: Taken
    generations: dict[str, int]


@dataclass(slots=True)
class Recoverer:
    """Carries out the recoveries from one copy.

    Attributes:
        laboratory: the world.
        copy: what to recover from.
        ledgers: the truth.
        sequences: the newest sequence captured when each message was acknowledged, by mailbox and
            message.
        keep: where recovered files go, if anywhere.
        checkers: what else looks at recovered mail.
    """

    laboratory: Laboratory
    copy: PointSource
    ledgers: Ledgers
    sequences: dict[tuple[str, int], int]
    keep: Keep | None = None
    checkers: Sequence[Checking] = ()
    recoveries: list[Recovery] = field(default_factory=list)
    _culprit: str = ""

    def moment(self, cause: Cause) -> Moment:
        """Note what the engine says now."""
        copy = self.copy
        reported: dict[PointClass, int | None] = {
            "any": copy.reported_rpo_ns("any"),
            "app": copy.reported_rpo_ns("app"),
        }
        now_ns = self.laboratory.kernel.now_ns
        generations = {group.name: group.log.flushed.generation for group in self.laboratory.groups}
        return Moment(now_ns, cause, reported, copy.stages(), generations)

    def recover(self, moment: Moment, consistency: PointClass) -> Recovery:
        """Recover to the newest point of a class; where that is refused, to the nearest."""
        try:
            point = self.copy.newest(consistency)
        except PointUnavailable as refusal:
            return self._add(self._refused(moment, consistency, None, str(refusal), ()))
        try:
            recovery = self._open(moment, point)
        except (EseError, PointUnavailable) as refusal:
            nearest = self._nearest(moment, point)
            groups: tuple[GroupRecovery, ...] = ()
            if isinstance(refusal, GroupRefused):
                groups = refusal.opening.by_group(moment.generations)
            refused = self._refused(moment, consistency, point, str(refusal), nearest, groups)
            self._add(refused)
            if moment.cause == "disaster" and nearest:
                self._add(self._open(moment, nearest[0]))
            return refused
        return self._add(recovery)

    def _add(self, recovery: Recovery) -> Recovery:
        self.recoveries.append(recovery)
        self.laboratory.trace.record(
            "recovery",
            protection=self.copy.name,
            cause=recovery.cause,
            consistency=recovery.consistency,
            outcome=recovery.outcome,
            sequence=recovery.point.sequence if recovery.point else None,
            lost=recovery.lost.messages if recovery.lost else None,
        )
        return recovery

    def _open(self, moment: Moment, point: ProtectedPoint) -> Recovery:
        """Make the image of a point, open it and compare.

        Raises:
            PointUnavailable: the protection cannot give the point.
            EseError: its files cannot be recovered.
        """
        made = self.copy.image(point)
        opening = self._open_groups(made, moment, point)
        opening.require_whole()
        if self.keep is not None:
            self._keep(f"{moment.cause}-{len(self.recoveries) + 1:02d}-{point.consistency}", made)
        return self._result(moment, point, opening, made.bytes_read)

    def _keep(self, name: str, made: ImageFiles) -> None:
        """Hand the files on: in one folder, or in one of each storage group's name."""
        assert self.keep is not None, "files are kept"
        for group, files in made.groups.items():
            folder = name if len(made.groups) == 1 else f"{name}/{group}"
            self.keep(f"{self.copy.name}/{folder}", files)

    def _open_groups(self, made: ImageFiles, moment: Moment, point: ProtectedPoint) -> Opening:
        opening = Opening({}, {})
        for group in self.laboratory.groups:
            try:
                opened = self._open_group(group, made.groups[group.name], moment, point)
            except EseError as error:
                opening.refused[group.name] = error
            else:
                opening.opened[group.name] = opened
        return opening

    def _open_group(
        self, group: StorageGroup, files: MemoryFiles, moment: Moment, point: ProtectedPoint
    ) -> Opened:
        return open_image(
            files,
            prefix=group.parameters.prefix,
            ledgers={name: self.ledgers.by_database[name] for name in group.database_names},
            time_ns=moment.time_ns,
            point_ns=point.time_ns,
            wall_ns=group.wall_ns(),
            file_format=group.parameters.file_format,
            checkers=self.checkers,
        )

    def _result(
        self, moment: Moment, point: ProtectedPoint, opening: Opening, image_bytes: int
    ) -> Recovery:
        comparison = opening.comparison
        steps = self._rto_steps(moment, opening, image_bytes)
        rpo_ns = moment.time_ns - _reached_ns(point, comparison)
        reported_ns = moment.reported_ns[point.consistency]
        is_intact = not self.copy.lost_logs
        if reported_ns is not None and reported_ns < rpo_ns and is_intact:
            # A copy that a fault has damaged behind the engine's back is the exception: there the
            # difference is what the report is about.
            raise ReportedBetterThanTrue(
                f"{self.copy.name} reported {reported_ns} ns at {moment.time_ns} ns, but"
                f" {rpo_ns} ns were lost: the engine promised what it could not keep"
            )
        return Recovery(
            at_s=seconds(moment.time_ns),
            cause=moment.cause,
            outcome="failed" if opening.is_damaged else "recovered",
            consistency=point.consistency,
            point=_point(point),
            rpo_s=seconds(rpo_ns),
            reported_rpo_s=None if reported_ns is None else seconds(reported_ns),
            lost=opening.lost(moment.generations),
            lost_messages_list=tuple(self._lost(entry, moment.stages) for entry in comparison.lost),
            phantom=comparison.phantom,
            damaged=len(comparison.damaged),
            rto_s=sum(step.seconds for step in steps),
            rto_steps=steps,
            refusal=opening.damage_told(),
            groups=opening.by_group(moment.generations),
            findings=opening.findings[:FINDINGS_LISTED_MAX],
            findings_count=len(opening.findings),
        )

    def _rto_steps(self, moment: Moment, opening: Opening, image_bytes: int) -> tuple[RtoStep, ...]:
        scenario = self.laboratory.scenario
        site = scenario.sites[self.copy.copy_site]
        mailboxes = sum(group.mailboxes for group in scenario.exchange.storage_groups)
        opened = list(opening.opened.values())
        promotion_ns = None
        if moment.cause == "disaster" and isinstance(self.copy, KeptCopy):
            promotion_ns = self.copy.promotion_ns
        return rto_steps(opened, image_bytes, site.disk, mailboxes, scenario.rto, promotion_ns)

    def _lost(self, entry: Entry, stages: Taken) -> LostMessage:
        assert entry.acknowledged_ns is not None, "only acknowledged mail can be lost"
        return LostMessage(
            mailbox=entry.mailbox,
            subject=entry.subject,
            acknowledged_s=seconds(entry.acknowledged_ns),
            stage=stages.stage_of(self.sequences[entry.mailbox, entry.message_id]),
            bytes=entry.size_bytes,
        )

    def _refused(
        self,
        moment: Moment,
        consistency: PointClass,
        point: ProtectedPoint | None,
        why: str,
        nearest: tuple[ProtectedPoint, ...],
        groups: tuple[GroupRecovery, ...] = (),
    ) -> Recovery:
        reported_ns = moment.reported_ns[consistency]
        return Recovery(
            at_s=seconds(moment.time_ns),
            cause=moment.cause,
            outcome="refused",
            consistency=consistency,
            point=None if point is None else _point(point),
            reported_rpo_s=None if reported_ns is None else seconds(reported_ns),
            refusal=why,
            nearest=tuple(_point(offered) for offered in nearest),
            groups=groups,
        )

    def _nearest(self, moment: Moment, refused: ProtectedPoint) -> tuple[ProtectedPoint, ...]:
        """Return the newest points before a refused one that open: any write, and a bookmark.

        Bookmarks are opened from the newest back. Between the first that opens and the refused
        point, the last write that opens is found by halving.
        """
        for bookmark in self.copy.earlier(refused)[:POINTS_TRIED_MAX]:
            if self._opens(moment, bookmark):
                best = self._halve(moment, bookmark, refused)
                return (bookmark,) if best is None else (best, bookmark)
        best = self._halve(moment, None, refused)
        return () if best is None else (best,)

    def _halve(
        self, moment: Moment, good: ProtectedPoint | None, bad: ProtectedPoint
    ) -> ProtectedPoint | None:
        low = 0 if good is None else good.sequence
        high = bad.sequence
        best = None
        while high - low > 1:
            middle = (low + high) // 2
            try:
                point = self.copy.at_sequence(middle)
            except PointUnavailable:  # retention gave it up, or it lies in a gap
                low = middle
                continue
            if self._opens(moment, point):
                low, best = point.sequence, point
            else:
                high = point.sequence
        return best

    def _opens(self, moment: Moment, point: ProtectedPoint) -> bool:
        """Return whether all groups open; the one that refused last is asked first."""
        try:
            made = self.copy.image(point)
        except PointUnavailable:
            return False
        for group in sorted(self.laboratory.groups, key=lambda group: group.name != self._culprit):
            try:
                opened = self._open_group(group, made.groups[group.name], moment, point)
            except EseError:
                self._culprit = group.name
                return False
            if opened.is_damaged:
                return False
        return True


def _reached_ns(point: ProtectedPoint, comparison: Comparison) -> int:
    """Return up to when everything acknowledged was really recovered (design, true RPO)."""
    lost = (*comparison.lost, *comparison.reverted, *comparison.damaged)
    missing = [entry.acknowledged_ns for entry in lost]
    return min([point.time_ns, *(time_ns for time_ns in missing if time_ns is not None)])


def _point(point: ProtectedPoint) -> Point:
    return Point(
        consistency=point.consistency, time_s=seconds(point.time_ns), sequence=point.sequence
    )
