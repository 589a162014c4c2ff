"""What the Exchange writer says of its files: storage groups, and the metadata's components.

The unit is the storage group: one component for its logs and checkpoint, one for each mounted
database (exchange.md 4.6).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sim.kernel import Process

__all__ = [
    "Component",
    "ComponentKind",
    "DatabaseFiles",
    "FileSpec",
    "Freezable",
    "StorageGroupFiles",
    "components_of",
]


@dataclass(frozen=True, slots=True)
class FileSpec:
    """Files that belong to a component: on a volume, in a folder, matching a pattern."""

    volume: str
    path: str
    pattern: str


@dataclass(frozen=True, slots=True)
class DatabaseFiles:
    """One database of a storage group: its GUID and where its file is.

    `streaming_file` is where its streaming file is, None where it has none (exchange.md F8).
    """

    name: str
    guid: str
    file: FileSpec
    mounted: bool = True
    streaming_file: FileSpec | None = None

    @property
    def files(self) -> tuple[FileSpec, ...]:
        """All files of the database."""
        return (self.file,) if self.streaming_file is None else (self.file, self.streaming_file)


@dataclass(frozen=True, slots=True)
class StorageGroupFiles:
    """Where a storage group's files are; `prefix` is its 'E00'."""

    name: str
    prefix: str
    log_volume: str
    log_path: str
    system_volume: str
    system_path: str
    databases: tuple[DatabaseFiles, ...]

    @property
    def volumes(self) -> tuple[str, ...]:
        """The names of the volumes that a snapshot of the group needs, each once."""
        names = [self.log_volume, self.system_volume]
        names += [
            file.volume
            for database in self.databases
            if database.mounted
            for file in database.files
        ]
        return tuple(dict.fromkeys(names))

    @property
    def mounted(self) -> bool:
        """Whether any database of the group is mounted."""
        return any(database.mounted for database in self.databases)


class Freezable(Protocol):
    """A storage group as the writer needs it."""

    @property
    def files(self) -> StorageGroupFiles:
        """Where the files are, and what is mounted now."""

    def freeze(self) -> "Process":
        """Bring the group to a stand; a raise leaves nothing frozen."""

    def thaw(self) -> "Process":
        """Let the group go on; called once for each freeze that returned."""


class ComponentKind(StrEnum):
    """What a component holds."""

    LOGS = "logs"
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Component:
    """One entry of the writer's metadata document (exchange.md 4.6)."""

    kind: ComponentKind
    logical_path: str
    name: str
    caption: str
    files: tuple[FileSpec, ...]


def components_of(server: str, files: StorageGroupFiles) -> tuple[Component, ...]:
    """Return a storage group's components, its logs first.

    That the logical path has the storage group's name at its end is an assumption.
    """
    logical_path = f"Microsoft Exchange Server\\Microsoft Information Store\\{server}\\{files.name}"
    logs = Component(
        ComponentKind.LOGS,
        logical_path,
        "Logs",
        f"{files.name} logs",
        (
            FileSpec(files.log_volume, files.log_path, f"{files.prefix}*.log"),
            FileSpec(files.system_volume, files.system_path, f"{files.prefix}.chk"),
        ),
    )
    databases = [
        Component(
            ComponentKind.DATABASE, logical_path, database.guid, database.name, database.files
        )
        for database in files.databases
        if database.mounted
    ]
    return (logs, *databases)
