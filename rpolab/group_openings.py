"""What became of each storage group of an image that was opened, and what that makes of all.

Storage groups are recovered each for itself, but a point is one for the whole server. Where a group
is refused the point is; the refusal says of every group what became of it. Damage is worse than
any refusal, and is told whatever became of the others.
"""

from dataclasses import dataclass

from emulators.ese.errors import EseError
from rpolab.comparison import Comparison, combined
from rpolab.opening import Opened
from rpolab.protections.base import PointUnavailable

DAMAGED = "the recovered mail differs from what was sent"


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
    def comparison(self) -> Comparison:
        """The mail of all groups that opened against the ledgers."""
        return combined([group.comparison for group in self.opened.values()])

    def logs_lost(self, generations: dict[str, int]) -> int:
        """Return how many logs of the groups that opened are lost.

        Args:
            generations: the newest log of each group on the mail server's disk.
        """
        return sum(
            max(generations[name] - group.report.last_generation, 0)
            for name, group in self.opened.items()
        )

    def require_whole(self) -> None:
        """Refuse the point when a group is refused and none is damaged.

        Raises:
            EseError: the refusal of a server's only group.
            PointUnavailable: what became of each group, where there are several.
        """
        if not self.refused or self.is_damaged:
            return
        if not self.opened and len(self.refused) == 1:
            raise next(iter(self.refused.values()))
        raise PointUnavailable(self._told(), "a point is one for all storage groups")

    def damage_told(self) -> str:
        """Return what is wrong with what was opened; nothing where all is well."""
        if not self.is_damaged:
            return ""
        return DAMAGED if len(self.opened) + len(self.refused) == 1 else self._told()

    def _told(self) -> str:
        refused = [f"{name} refused ({error})" for name, error in self.refused.items()]
        opened = [
            f"{name} {DAMAGED if group.is_damaged else _recovered(group)}"
            for name, group in self.opened.items()
        ]
        return "; ".join([*refused, *opened])


def _recovered(group: Opened) -> str:
    return f"would open, with {len(group.comparison.lost)} messages lost"
