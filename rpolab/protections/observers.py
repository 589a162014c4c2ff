"""Who watches the engine while it works in a simulation."""

from typing import Protocol

from engine.contract.actions import Action, Notice


class EngineObserver(Protocol):
    """Told of everything that either end of a session does, after it was carried out."""

    def source_acted(self, action: Action) -> None:
        """Take note that the source's driver carried an action out."""

    def target_acted(self, action: Action) -> None:
        """Take note that the target's driver carried an action out."""

    def source_notice(self, notice: Notice) -> None:
        """Take note of what the source says about itself."""

    def target_notice(self, notice: Notice) -> None:
        """Take note of what the target says about itself."""
