"""The register of epochs: who may write a group's history, as the one authority keeps it."""

from typing import NamedTuple


class Grant(NamedTuple):
    """An epoch and the copy that may write in it.

    `request` is a number that the copy drew for this one request: by it, it knows its own grant
    again when the answer was lost.
    """

    epoch: int
    holder: int
    request: int


class Register(NamedTuple):
    """All grants of a group, oldest first; the newest one counts, each epoch is given once."""

    group: int
    grants: tuple[Grant, ...] = ()

    @property
    def epoch(self) -> int:
        """Return the newest epoch, 0 where none was ever given."""
        return self.grants[-1].epoch if self.grants else 0

    @property
    def newest(self) -> Grant | None:
        """Return the newest grant, None where there is none."""
        return self.grants[-1] if self.grants else None

    def granting(self, grant: Grant) -> "Register":
        """Return the register after one more grant; its epoch is higher than all before."""
        assert grant.epoch > self.epoch, "epochs only rise"
        return Register(self.group, (*self.grants, grant))
