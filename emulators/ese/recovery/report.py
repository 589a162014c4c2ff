"""What soft recovery did, as a value."""

from dataclasses import dataclass

from emulators.ese.errors import JetError
from emulators.ese.events import Event
from emulators.ese.recovery.decision import Loss


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What soft recovery did.

    `generations` is empty when the databases were clean. `undone` counts the operations of
    transactions that had not committed. `loss` says which committed logs recovery went on without
    (only with /a), `removed` the files that it deleted for that, and `events` what ESE writes to
    the event log, in order.
    """

    generations: tuple[int, ...]
    records: int
    applied: int
    skipped: int
    undone: int
    pages_written: int
    loss: Loss | None = None
    removed: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def was_clean(self) -> bool:
        """Whether there was nothing to do."""
        return not self.generations

    @property
    def last_generation(self) -> int:
        """The newest generation that was replayed, 0 for a clean database."""
        return self.generations[-1] if self.generations else 0

    @property
    def warning(self) -> JetError | None:
        """The warning that recovery ended with (585 or 587), None where nothing was lost."""
        return None if self.loss is None else self.loss.warning
