"""What takes the snapshot while the writes are held."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.kernel import Kernel, Process, Signal
    from sim.volume import Volume

__all__ = ["Provider", "SlowProvider"]


class Provider(Protocol):
    """The snapshot provider of a requestor; a protection engine's tag is made here."""

    def commit(self, snapshot_set_id: str, volumes: "Sequence[Volume]") -> "Signal | None":
        """Take the snapshot now, at once (None) or by the time the signal fires.

        Every write of the volumes is held meanwhile. A raise, or a signal that fails, fails the
        snapshot: VssError with its code, anything else as an unexpected provider error.
        """

    def abort(self, snapshot_set_id: str) -> None:
        """The set has failed after `commit` was called: what that made is worth nothing."""


class SlowProvider:
    """A provider that commits only after a delay: a fault to wrap around a real one."""

    def __init__(self, kernel: "Kernel", inner: Provider, delay_ns: int) -> None:
        self._kernel = kernel
        self._inner = inner
        self.delay_ns = delay_ns

    def commit(self, snapshot_set_id: str, volumes: "Sequence[Volume]") -> "Signal":
        """Commit the inner provider's snapshot after the delay."""
        return self._kernel.spawn(
            self._commit_late(snapshot_set_id, volumes), name="slow snapshot provider"
        )

    def abort(self, snapshot_set_id: str) -> None:
        """Pass the abort on."""
        self._inner.abort(snapshot_set_id)

    def _commit_late(self, snapshot_set_id: str, volumes: "Sequence[Volume]") -> "Process":
        yield self._kernel.sleep(self.delay_ns)
        committed = self._inner.commit(snapshot_set_id, volumes)
        if committed is not None:
            yield committed
