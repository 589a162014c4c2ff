"""The application's own test of a point: its databases are opened by the emulated ESE.

Every page's checksum, soft recovery, the mount, and every message in every folder. The ledger is
not asked: a copy's server does not know what was sent. What ESE refuses is a bad point; of a moment
at which the server was still making its databases nothing is said.
"""

from collections.abc import Callable, Generator, Mapping, Sequence

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.database_header import DatabaseState, read_header
from emulators.ese.formats.format import Format
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.soft_recovery import soft_recover
from emulators.ese.running.storage_group import StorageGroup
from emulators.exchange.store import Store
from engine import Finding, VirtualImage
from engine.basics.errors import PointRefused
from engine.contract.actions import FileAction
from rpolab.laboratory.opening import verify_database

STEP_BYTES = 4 << 20

Groups = Mapping[str, Sequence[str]]
"""The storage groups, and what the engine calls the volumes of each."""


class EseChecker:
    """Opens all storage groups of an image.

    Args:
        groups: returns the server's groups, as they run now.
        labels: returns what the engine calls the volumes of each.
        damage: takes from the files what faults have destroyed in the copy.
    """

    def __init__(
        self,
        groups: Callable[[], Sequence[StorageGroup]],
        labels: Callable[[], Groups],
        damage: Callable[[Mapping[str, MemoryFiles]], None],
    ) -> None:
        self._groups = groups
        self._labels = labels
        self._damage = damage

    def check(self, image: VirtualImage) -> Generator[Sequence[FileAction], None, Finding]:
        """Read the files in steps, then open them; see `engine.Checker`."""
        labels = self._labels()
        folders = {name: MemoryFiles() for name in labels}
        folder_of = {label: folders[name] for name in labels for label in labels[name]}
        for name in image.names():
            label, plain = name.split("/", 1)
            size = image.size(name)
            folder_of[label].create(plain, size)
            for offset in range(0, size, STEP_BYTES):
                _copy(image, name, offset, folder_of[label], plain)
                yield []
        self._damage(folders)
        messages = 0
        for group in self._groups():
            try:
                messages += _open(group, folders[group.name])
            except EseError as error:
                return Finding(is_good=False, detail=f"{group.name}: {error}")
            yield []
        return Finding(is_good=True, detail=f"{messages} messages read")


def _copy(image: VirtualImage, name: str, offset: int, files: MemoryFiles, plain: str) -> None:
    length = min(STEP_BYTES, image.size(name) - offset)
    for segment in image.read_segments(name, offset, length):
        if isinstance(segment, int):
            offset += segment
        else:
            files.write(plain, offset, segment)
            offset += len(segment)


def _require_made(files: MemoryFiles, name: str, file_format: Format) -> None:
    """Refuse to judge a point of a server that was only being set up.

    Raises:
        PointRefused: the database is not there yet, or not yet mounted for the first time.
    """
    if files.exists(name):
        try:
            header = read_header(files, name, file_format)
        except EseError:
            return  # damage, which its verification names
        if header.state is not DatabaseState.JUST_CREATED:
            return
    raise PointRefused(f"{name} was still being made", "Choose a later point.")


def _open(group: StorageGroup, files: MemoryFiles) -> int:
    """Recover and mount a group; return how many messages its databases hold.

    Raises:
        EseError: it cannot be recovered; which file, and why.
        PointRefused: its databases were still being made.
    """
    parameters, names = group.parameters, group.database_names
    for name in names:
        _require_made(files, name, parameters.file_format)
        verify_database(files, name, parameters.file_format)
    soft_recover(
        files,
        parameters.prefix,
        list(names),
        now_ns=group.wall_ns(),
        log_format=parameters.file_format,
    )
    count = 0
    for name in names:
        verify_database(files, name, parameters.file_format)
        store = Store(open_database(files, name, parameters.file_format))
        count += sum(1 for _ in store.messages())
    return count
