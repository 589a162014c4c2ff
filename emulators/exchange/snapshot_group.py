"""A storage group as the Exchange writer of VSS sees it: its files, and how to freeze it."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from emulators.ese.formats.streaming_file import streaming_name
from emulators.ese.running.storage_group import StorageGroup
from emulators.vss.exchange_writer import DatabaseFiles, FileSpec, StorageGroupFiles
from emulators.vss.session import guid_from
from sim.streams import Stream

Process = Generator[Any, Any, None]


class SnapshotGroup:
    """Adapts one storage group.

    Args:
        group: the storage group.
        stream: gives the databases' GUIDs.
    """

    def __init__(self, group: StorageGroup, stream: Stream) -> None:
        self._group = group
        logs, databases = group.log_volume.name, group.database_volume.name
        found = tuple(
            DatabaseFiles(
                name,
                guid_from(stream.bits(128)),
                FileSpec(databases, "", name),
                streaming_file=FileSpec(databases, "", streaming_name(name))
                if group.parameters.file_format.has_streaming_file
                else None,
            )
            for name in group.database_names
        )
        self._files = StorageGroupFiles(
            name=group.name,
            prefix=group.parameters.prefix,
            log_volume=logs,
            log_path="",
            system_volume=logs,
            system_path="",
            databases=found,
        )

    @property
    def files(self) -> StorageGroupFiles:
        """Where the files are, and which databases are mounted now."""
        databases = tuple(
            replace(database, mounted=self._group.is_mounted(database.name))
            for database in self._files.databases
        )
        return replace(self._files, databases=databases)

    def freeze(self) -> Process:
        """Bring the group to a stand; raises EseError when its log disk is full."""
        yield from self._group.freeze()

    def thaw(self) -> Process:
        """Let the group go on."""
        self._group.thaw()
        yield from ()
