"""Recoveries from all copies of a protection: each is tried, and the best one counts."""

from collections.abc import Sequence

from reports import Recovery
from rpolab.checking import Checking
from rpolab.laboratory.ledgers import Ledgers
from rpolab.laboratory.recoveries import Cause, Keep, Moment, Recoverer
from rpolab.laboratory.world import Laboratory
from rpolab.protections.base import PointClass, Protection
from rpolab.protections.kept_copy import KeptCopy

Moments = dict[str, Moment]
"""What holds at one instant, by the name of the copy."""


class CopyRecoveries:
    """The recoveries of one protection.

    Args:
        laboratory: the world.
        protection: what to recover from.
        ledgers: the truth.
        keep: where recovered files go, if anywhere.
        checkers: what else looks at recovered mail.

    Attributes:
        sequences: the newest sequence captured when each message was acknowledged, by mailbox and
            message.
        best: at each moment what the best copy gave; the first of those that are equally good.
    """

    def __init__(
        self,
        laboratory: Laboratory,
        protection: Protection,
        ledgers: Ledgers,
        keep: Keep | None,
        checkers: Sequence[Checking] = (),
    ) -> None:
        self.sequences: dict[tuple[str, int], int] = {}
        self.best: list[Recovery] = []
        self._copies = protection.copies
        self._recoverers = {
            copy.name: Recoverer(laboratory, copy, ledgers, self.sequences, keep, checkers)
            for copy in protection.copies
        }

    @property
    def by_copy(self) -> dict[str, Sequence[Recovery]]:
        """All recoveries of each copy, by its name."""
        return {name: recoverer.recoveries for name, recoverer in self._recoverers.items()}

    def moments(self, cause: Cause) -> Moments:
        """Note what the engine says now of each copy."""
        return {name: recoverer.moment(cause) for name, recoverer in self._recoverers.items()}

    def recover(self, moments: Moments, consistency: PointClass) -> None:
        """Recover from every copy to its newest point of a class, or to the nearest."""
        attempts: list[list[Recovery]] = []
        for copy in self._copies:
            recoverer = self._recoverers[copy.name]
            before = len(recoverer.recoveries)
            recoverer.recover(moments[copy.name], consistency)
            made = recoverer.recoveries[before:]
            if isinstance(copy, KeptCopy) and len(self._copies) > 1:
                made = [item.model_copy(update={"copy_name": copy.title}) for item in made]
            attempts.append(made)
        self.best += attempts[min(range(len(attempts)), key=lambda index: _rank(attempts[index]))]


def _rank(attempt: Sequence[Recovery]) -> tuple[int, float]:
    """Order attempts: damage that nobody found is the worst, what recovered newest is the best."""
    last = attempt[-1]
    worth = {"recovered": 0, "refused": 1, "failed": 2}[last.outcome]
    return worth, last.rpo_s if last.rpo_s is not None else float("inf")
