"""The text of `vssadmin list writers` (exchange.md 4.10)."""

from typing import TYPE_CHECKING

from emulators.vss.codes import last_error_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emulators.vss.codes import WriterState
    from emulators.vss.session import WriterStatus

__all__ = ["list_writers"]


def list_writers(statuses: "Iterable[WriterStatus]") -> str:
    """Return one block for each writer, in the order given."""
    return "\n".join(_block(status) for status in statuses)


def _block(status: "WriterStatus") -> str:
    return (
        f"Writer name: '{status.name}'\n"
        f"   Writer Id: {status.writer_id}\n"
        f"   Writer Instance Id: {status.instance_id}\n"
        f"   State: [{status.state.value}] {_state_text(status.state)}\n"
        f"   Last error: {last_error_text(status.last_error)}\n"
    )


def _state_text(state: "WriterState") -> str:
    """Return the word for a state: the name, or the bare 'Failed' (exchange.md 4.10)."""
    if state.failed:
        return "Failed"
    if state.name == "WAITING_FOR_BACKUP_COMPLETE":
        return "Waiting for completion"  # so printed, whatever the name
    return state.name.replace("_", " ").capitalize()
