"""What became of each storage group of an image that was opened, and what that makes of all.

Storage groups are recovered each for itself, but a point is one for the whole server. Where a group
is refused the point is; the refusal says of every group what became of it. Damage is worse than
any refusal, and is told whatever became of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from emulators.ese.errors import EseError
from reports import Finding, GroupRecovery, Loss
from rpolab.laboratory.comparison import Comparison, combined
from rpolab.laboratory.opening import Opened
from rpolab.protections.base import PointUnavailable

Generations = Mapping[str, int]
"""The newest log of each storage group on the mail server's disk, in the groups' order."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The storage groups of one image, by name: those that opened, and why the others did not."""

    opened: dict[str, Opened]
    refused: dict[str, EseError]

    @property
    def is_damaged(self) -> bool:
        """Whether the mail of a group that opened differs from what was sent."""
        return any(group.is_damaged for group in self.opened.values())

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What checkers found in all groups that opened."""
        return tuple(found for group in self.opened.values() for found in group.findings)

    @property
    def comparison(self) -> Comparison:
        """The mail of all groups that opened against the ledgers."""
        return combined([group.comparison for group in self.opened.values()])

    def lost(self, generations: Generations) -> Loss:
        """Return what the groups that opened have lost."""
        losses = [_loss(group, generations[name]) for name, group in self.opened.items()]
        return Loss(
            messages=sum(loss.messages for loss in losses),
            bytes=sum(loss.bytes for loss in losses),
            logs=sum(loss.logs for loss in losses),
        )

    def by_group(self, generations: Generations) -> tuple[GroupRecovery, ...]:
        """Return what became of each group; nothing of a server's only one."""
        if len(generations) == 1:
            return ()
        return tuple(self._group(name, newest) for name, newest in generations.items())

    def _group(self, name: str, newest: int) -> GroupRecovery:
        if name in self.refused:
            why = str(self.refused[name])
            return GroupRecovery(name=name, outcome="refused", refusal=why)
        group = self.opened[name]
        return GroupRecovery(
            name=name,
            outcome="failed" if group.is_damaged else "recovered",
            lost=_loss(group, newest),
            refusal=group.damage,
        )

    def require_whole(self) -> None:
        """Refuse the point when a group is refused and none is damaged.

        Raises:
            EseError: the refusal of a server's only group.
            GroupRefused: what became of each group, where there are several.
        """
        if not self.refused or self.is_damaged:
            return
        if not self.opened and len(self.refused) == 1:
            raise next(iter(self.refused.values()))
        raise GroupRefused(self)

    def damage_told(self) -> str:
        """Return what is wrong with what was opened; nothing where all is well."""
        if not self.is_damaged:
            return ""
        if len(self.opened) + len(self.refused) > 1:
            return self.told()
        return next(group.damage for group in self.opened.values())

    def told(self) -> str:
        """Return what became of each group, in words, those that were refused first."""
        refused = [f"{name} refused ({error})" for name, error in self.refused.items()]
        opened = [
            f"{name} {group.damage or _recovered(group)}" for name, group in self.opened.items()
        ]
        return "; ".join([*refused, *opened])


class GroupRefused(PointUnavailable):
    """A point that one of several storage groups cannot be recovered to."""

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening.told(), "a point is one for all storage groups")
        self.opening = opening


def _loss(group: Opened, newest: int) -> Loss:
    """Return what a group has lost, whose newest log was `newest`."""
    comparison = group.comparison
    return Loss(
        messages=len(comparison.lost),
        bytes=comparison.lost_bytes,
        logs=max(newest - group.report.last_generation, 0),
    )


def _recovered(group: Opened) -> str:
    return f"would open, with {len(group.comparison.lost)} messages lost"
