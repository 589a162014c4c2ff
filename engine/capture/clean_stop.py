"""A clean stop of the source: what its capture knows is saved, and a restarted host goes on.

    stopping: no more writes -> capture.save() -> ReplaceFile(STATE_FILE, its bytes)
    starting: open_capture() -> carry its actions out -> begin() -> attach the filters

Without a resync it goes on if, and only if, the state is there, undamaged, of this group and epoch,
and the live files are those it tells of. The actions delete it, before any write can make it
untrue: so after a stop without warning there is none, and both ends are compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.basics.settings import CaptureSettings
from engine.capture.capture import Capture
from engine.capture.spool import SPOOL_SUFFIX
from engine.contract.actions import DeleteFile, FileAction
from engine.contract.storage import Storage
from engine.formats.capture_state import CaptureState, decode_capture_state

STATE_FILE = "capture.state"


@dataclass(frozen=True, slots=True)
class OpenedCapture:
    """A capture that begins once `actions` are carried out, in order.

    Attributes:
        actions: They take the saved state away, and files of the spool that nobody needs.
        resync_reason: Why both ends must be compared; '' where the capture goes on.
    """

    actions: list[FileAction]
    resync_reason: str
    _capture: Capture

    def begin(self) -> Capture:
        """Return the capture; the saved state is gone by now."""
        return self._capture


def open_capture(
    storage: Storage,
    *,
    group: int,
    epoch: int,
    incarnation: int,
    files: Mapping[str, int],
    settings: CaptureSettings | None = None,
) -> OpenedCapture:
    """Go on where the capture was stopped cleanly, or begin one that needs a resync.

    Args:
        storage: The folder of the spool and the saved state.
        group: Number of the consistency group.
        epoch: The writer's epoch.
        incarnation: A number that no capture of this group ever had, for a new one.
        files: The live files now: name and size.
        settings: Of the capture.
    """
    state, reason = _usable_state(storage, group, epoch, files)
    actions: list[FileAction] = [DeleteFile(STATE_FILE)]
    if state is None:
        leftovers = [name for name in storage.names() if name.endswith(SPOOL_SUFFIX)]
        actions += [DeleteFile(name) for name in sorted(leftovers)]
        capture = Capture.unbased(
            group=group,
            epoch=epoch,
            incarnation=incarnation,
            files=files,
            settings=settings,
            storage=storage,
        )
        return OpenedCapture(actions, reason, capture)
    capture = Capture(
        group=group,
        epoch=epoch,
        incarnation=state.fields["incarnation"],
        settings=settings,
        storage=storage,
    )
    capture.restore(state)
    return OpenedCapture(actions, "", capture)


def _usable_state(
    storage: Storage, group: int, epoch: int, files: Mapping[str, int]
) -> tuple[CaptureState | None, str]:
    """Return the saved state, or None and why there is none that can be used."""
    if not storage.exists(STATE_FILE):
        return None, "the source was not stopped cleanly: there is no saved state"
    state = decode_capture_state(storage.read(STATE_FILE, 0, storage.size(STATE_FILE)))
    if state is None:
        return None, "the saved state is damaged"
    fields = state.fields
    if (fields["group"], fields["epoch"]) != (group, epoch):
        return None, f"the saved state is of group {fields['group']}, epoch {fields['epoch']}"
    if {name: size for _, name, size in fields["live"]["entries"]} != dict(files):
        return None, "the files were changed while nobody watched them"
    missing = [name for name, *_ in fields["spool"]["files"] if not storage.exists(name)]
    if missing:
        return None, f"the spool file {missing[0]!r} is gone"
    return state, ""
