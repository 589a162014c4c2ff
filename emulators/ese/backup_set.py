"""What a streaming backup leaves on its medium, as a value.

A set's files are in a file set of its own: the databases under their names, the logs under the
names of archives. The header of a database is written last, so that an image without a header is
one that a backup did not finish.
"""

from dataclasses import dataclass
from enum import IntEnum

from emulators.ese.errors import EseError
from emulators.ese.events import Event
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import Format
from emulators.ese.formats.values import BackupInfo, Signature


class BackupKind(IntEnum):
    """The four kinds of backup, by the numbers of exchange.md 4.8."""

    FULL = 1
    INCREMENTAL = 2
    DIFFERENTIAL = 3
    COPY = 5

    @property
    def has_databases(self) -> bool:
        """Whether the database files are in it, and not the logs alone."""
        return self in (BackupKind.FULL, BackupKind.COPY)

    @property
    def truncates(self) -> bool:
        """Whether logs are deleted after it."""
        return self in (BackupKind.FULL, BackupKind.INCREMENTAL)


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """A database by the name of its file and its signature."""

    name: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class BackupSet:
    """One finished backup.

    Args:
        kind: what was copied and what became of the logs.
        group: name of the storage group.
        prefix: base name of its logs ('E00').
        file_format: sizes and versions of the files.
        log_signature: that of the log stream.
        databases: those in the set; for a backup of logs alone, those that it belongs to.
        info: mark, time and log generations, as in the databases' headers.
        files: the files themselves.
        truncated: generations that were deleted after it.
        warning: why logs were kept that the backup had made superfluous (-616), or None.
        events: what ESE wrote to the event log, in order.
    """

    kind: BackupKind
    group: str
    prefix: str
    file_format: Format
    log_signature: Signature
    databases: tuple[DatabaseIdentity, ...]
    info: BackupInfo
    files: FileSet
    truncated: tuple[int, ...]
    warning: EseError | None
    events: tuple[Event, ...]

    @property
    def generations(self) -> range:
        """The log generations that are in the set."""
        return range(self.info.generation_low, self.info.generation_high + 1)
