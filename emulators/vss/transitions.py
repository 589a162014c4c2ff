"""The writer's state machine, all of it, as one table (exchange.md 4.1 and 4.3)."""

from enum import StrEnum

from emulators.vss.codes import VssCode, VssError, WriterState

__all__ = ["TRANSITIONS", "WriterEvent", "states_after"]


class WriterEvent(StrEnum):
    """What the service tells a writer."""

    IDENTIFY = "Identify"
    PREPARE_BACKUP = "PrepareBackup"
    PREPARE_SNAPSHOT = "PrepareSnapshot"
    FREEZE = "Freeze"
    THAW = "Thaw"
    POST_SNAPSHOT = "PostSnapshot"
    BACKUP_COMPLETE = "BackupComplete"
    BACKUP_SHUTDOWN = "BackupShutdown"
    ABORT = "Abort"


_S = WriterState
_E = WriterEvent
_WAITING = (
    _S.WAITING_FOR_FREEZE,
    _S.WAITING_FOR_THAW,
    _S.WAITING_FOR_POST_SNAPSHOT,
    _S.WAITING_FOR_BACKUP_COMPLETE,
)
_FAILED = tuple(state for state in _S if state.failed)

TRANSITIONS: dict[tuple[WriterState, WriterEvent], tuple[WriterState, WriterState]] = {
    # The way of a good backup.
    (_S.STABLE, _E.IDENTIFY): (_S.STABLE, _S.FAILED_AT_IDENTIFY),
    (_S.STABLE, _E.PREPARE_BACKUP): (_S.STABLE, _S.FAILED_AT_PREPARE_BACKUP),
    (_S.STABLE, _E.PREPARE_SNAPSHOT): (_S.WAITING_FOR_FREEZE, _S.FAILED_AT_PREPARE_SNAPSHOT),
    (_S.WAITING_FOR_FREEZE, _E.FREEZE): (_S.WAITING_FOR_THAW, _S.FAILED_AT_FREEZE),
    (_S.WAITING_FOR_THAW, _E.THAW): (_S.WAITING_FOR_POST_SNAPSHOT, _S.FAILED_AT_THAW),
    (_S.WAITING_FOR_POST_SNAPSHOT, _E.POST_SNAPSHOT): (
        _S.WAITING_FOR_BACKUP_COMPLETE,
        _S.FAILED_AT_POST_SNAPSHOT,
    ),
    (_S.WAITING_FOR_BACKUP_COMPLETE, _E.BACKUP_COMPLETE): (
        _S.STABLE,
        _S.FAILED_AT_BACKUP_COMPLETE,
    ),
    (_S.STABLE, _E.BACKUP_SHUTDOWN): (_S.STABLE, _S.FAILED_AT_BACKUPSHUTDOWN),
    (_S.STABLE, _E.ABORT): (_S.STABLE, _S.STABLE),
    # Anybody may ask who the writer is while another's backup is under way.
    **{(state, _E.IDENTIFY): (state, state) for state in _WAITING},
    # An abort ends a backup that has not failed, from wherever it stands. A writer whose thaw
    # fails on the way out has failed at that.
    **{(state, _E.ABORT): (_S.STABLE, _S.FAILED_AT_THAW) for state in _WAITING},
    # A failure stays visible until the next backup begins.
    **{(state, _E.IDENTIFY): (state, _S.FAILED_AT_IDENTIFY) for state in _FAILED},
    **{(state, _E.PREPARE_BACKUP): (_S.STABLE, _S.FAILED_AT_PREPARE_BACKUP) for state in _FAILED},
    **{(state, _E.ABORT): (state, state) for state in _FAILED},
    **{(state, _E.BACKUP_SHUTDOWN): (state, state) for state in _FAILED},
}
"""(state, event) -> (state after success, state after failure). What is missing is illegal."""


def states_after(
    state: WriterState, event: WriterEvent, writer: str
) -> tuple[WriterState, WriterState]:
    """Return the states after success and after failure of `event` in `state`.

    Raises:
        VssError: VSS_E_BAD_STATE, the event has no place in that state.
    """
    found = TRANSITIONS.get((state, event))
    if found is None:
        raise VssError(
            VssCode.VSS_E_BAD_STATE,
            writer,
            f"the event {event} has no place in the state {state.name}",
            "follow the order PrepareForBackup, DoSnapshotSet, BackupComplete",
        )
    return found
