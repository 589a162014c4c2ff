"""How far the stream of changes has come at an instant, stage by stage."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stages:
    """How far the stream had come at an instant, as sequence numbers."""

    captured: int
    sent: int
    received: int
    durable: int

    def stage_of(self, sequence: int) -> str:
        """Return where the record with that number was."""
        if sequence <= self.durable:
            return "after the point"
        if sequence <= self.received:
            return "received"
        return "wire" if sequence <= self.sent else "pool"
