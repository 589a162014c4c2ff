"""How the information store brings a storage group up: soft recovery, then the log, then mounts.

The store runs soft recovery by itself before it mounts the first database of a group, as after a
power cut; a group that was stopped has nothing to recover. Recovery is the same as that of eseutil
/r, without its switches: where it is refused, no file has been changed, and an administrator has
to decide.

Fault model: the power may go at any moment of it; the next attempt begins again.
"""

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

from emulators.ese.errors import EseError
from emulators.ese.recovery.soft_recovery import RecoveryReport, soft_recover
from emulators.ese.running.storage_group import StorageGroup
from emulators.ese.staged_files import StagedFiles


class GroupMount(NamedTuple):
    """How a storage group came up.

    `refused` has the databases that could not be mounted, by name.
    """

    recovery: RecoveryReport
    refused: dict[str, EseError]


def mount_group(
    group: StorageGroup, names: Sequence[str] | None = None
) -> Generator[Any, Any, GroupMount]:
    """Recover a storage group that lies on its volumes, start it, and mount its databases.

    Recovery takes the time of its reads and writes on the volumes; computing takes none.

    Args:
        group: not started yet.
        names: the databases to mount; all of the group where absent. All are recovered.

    Raises:
        EseError: recovery is refused, with the code of exchange.md 1.4, or the log cannot be
            continued. A database that cannot be mounted does not keep the others from it.
    """
    report = yield from _recover(group)
    yield from group.start()
    refused = {}
    for name in group.database_names if names is None else names:
        try:
            yield from group.mount(name)
        except EseError as error:
            refused[name] = error
    return GroupMount(report, refused)


def _recover(group: StorageGroup) -> Generator[Any, Any, RecoveryReport]:
    files = StagedFiles(group.log_volume, group.database_volume)
    report = soft_recover(
        files,
        group.parameters.prefix,
        group.database_names,
        now_ns=group.wall_ns(),
        log_format=group.parameters.file_format,
    )
    yield from files.carry_out()
    return report
