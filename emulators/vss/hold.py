"""Flush-and-hold: all writes of a set of volumes wait while the snapshot is committed.

The limit is volsnap's: writes are released within 10 seconds of the order to hold, come what may
(exchange.md 4.2, V2). The time counts from the order, so a long flush leaves less for the commit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulators.vss.codes import VssCode, VssError
from sim.kernel import TIMED_OUT
from sim.volume import VolumeHeld

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulators.vss.provider import Provider
    from sim.kernel import Kernel, Process, Signal
    from sim.volume import Volume

__all__ = ["HOLD_LIMIT_NS", "Hold", "hold_and_commit"]

HOLD_LIMIT_NS = 10 * 10**9
_HINT_LOAD = "look for a stalled or overloaded disk, and try again when it is quiet"


@dataclass(frozen=True, slots=True)
class Hold:
    """The times of one flush-and-hold: ordered, reached on all volumes, released."""

    ordered_ns: int
    reached_ns: int
    released_ns: int


def hold_and_commit(
    kernel: "Kernel", volumes: "Sequence[Volume]", provider: "Provider", set_id: str
) -> "Process":
    """Hold the volumes, let the provider commit, release; returns a `Hold`.

    The volumes are released when this ends, however it ends; the provider's abort is called if
    its commit was and the set has failed here.

    Raises:
        VssError: the flush or the hold took too long, a volume is held by someone else or gone,
            or the provider failed.
    """
    ordered_ns = kernel.now_ns
    held: list[Volume] = []
    try:
        signals = []
        for volume in volumes:
            signals.append(_hold(volume))
            held.append(volume)
        reached = yield from kernel.wait(kernel.all_of(signals), limit_ns=HOLD_LIMIT_NS)
        if reached is TIMED_OUT:
            raise _timeout(VssCode.VSS_E_FLUSH_WRITES_TIMEOUT, volumes, "flushing")
        reached_ns = kernel.now_ns
        left_ns = ordered_ns + HOLD_LIMIT_NS - reached_ns
        yield from _commit(kernel, volumes, provider, set_id, left_ns)
    finally:
        # In every case, and without a yield: nothing may stay held.
        for volume in held:
            volume.release()
    return Hold(ordered_ns, reached_ns, kernel.now_ns)


def _hold(volume: "Volume") -> "Signal":
    try:
        return volume.hold()
    except VolumeHeld as error:
        raise VssError(
            VssCode.VSS_E_UNEXPECTED_PROVIDER_ERROR,
            f"volume {volume.name}",
            "its writes are held by someone else",
            "let the other snapshot end first",
        ) from error


def _commit(
    kernel: "Kernel",
    volumes: "Sequence[Volume]",
    provider: "Provider",
    set_id: str,
    limit_ns: int,
) -> "Process":
    try:
        committed = provider.commit(set_id, volumes)
        outcome = None
        if committed is not None:
            outcome = yield from kernel.wait(committed, limit_ns=limit_ns)
            if outcome is TIMED_OUT:
                committed.then(_disregard)
    except AssertionError:
        raise  # a programmer's error is nobody's to handle
    except Exception as error:
        provider.abort(set_id)
        raise _provider_failed(error) from error
    problem: VssError | None = None
    if outcome is TIMED_OUT:
        problem = _timeout(VssCode.VSS_E_HOLD_WRITES_TIMEOUT, volumes, "holding")
    elif lost := [volume.name for volume in volumes if volume.lost]:
        problem = VssError(
            VssCode.VSS_E_OBJECT_NOT_FOUND,
            f"volume {lost[0]}",
            "it was lost while its snapshot was taken",
            "restore the volume first",
        )
    if problem is not None:
        provider.abort(set_id)
        raise problem


def _disregard(late: "Signal") -> None:
    """Look at what became of a commit that was given up: its failure is no news any more."""
    late.then(lambda _: None)


def _provider_failed(error: Exception) -> VssError:
    if isinstance(error, VssError):
        return error
    return VssError(
        VssCode.VSS_E_UNEXPECTED_PROVIDER_ERROR,
        "snapshot provider",
        f"{type(error).__name__}: {error}",
        "see the provider's own message",
    )


def _timeout(code: VssCode, volumes: "Sequence[Volume]", what: str) -> VssError:
    names = ", ".join(volume.name for volume in volumes)
    return VssError(
        code,
        f"volumes {names}",
        f"{what} their writes took more than {HOLD_LIMIT_NS // 10**9} s",
        _HINT_LOAD,
    )
