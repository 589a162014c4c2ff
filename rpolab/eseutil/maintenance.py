"""`eseutil /g`, `/d` and `/p` on real files: their switches, and the database that they name.

The new file of /d and /p is made beside the database, so that it can take its place by a rename.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from emulators.ese.file_set import DirectoryFiles
from emulators.ese.tools.dump import Report
from emulators.ese.tools.integrity_mode import check_integrity
from emulators.ese.tools.maintenance_modes import (
    DEFRAGMENTATION_TEMPORARY,
    REPAIR_TEMPORARY,
    defragment_database,
    repair_database,
)
from rpolab.eseutil.named_paths import named_path
from rpolab.eseutil.switches import switch_of
from rpolab.terminal import shown

INTEGRITY, DEFRAGMENTATION, REPAIR = "/g", "/d", "/p"
MAINTENANCE_MODES = (INTEGRITY, REPAIR, DEFRAGMENTATION)

_TEMPORARY_SWITCH = "/t"
_BACKUP_SWITCH = "/b"
_KEEP_SWITCH = "/p"
_SWITCHES: dict[str, tuple[str, ...]] = {
    INTEGRITY: (),
    DEFRAGMENTATION: (_TEMPORARY_SWITCH, _BACKUP_SWITCH, _KEEP_SWITCH),
    REPAIR: (_TEMPORARY_SWITCH,),
}
_TEMPORARIES = {DEFRAGMENTATION: DEFRAGMENTATION_TEMPORARY, REPAIR: REPAIR_TEMPORARY, INTEGRITY: ""}


@dataclass(frozen=True, slots=True)
class MaintenanceArguments:
    """What follows `/g`, `/d` or `/p`.

    Args:
        path: the database.
        temporary: name of the new file while it is made (/t).
        backup: the name under which the old file is kept (/b); empty for none.
        is_put_in_place: whether the new file takes the old one's place; not with `/d ... /p`.
    """

    path: Path
    temporary: str
    backup: str = ""
    is_put_in_place: bool = True


def read_arguments(mode: str, rest: Sequence[str]) -> MaintenanceArguments:
    """Return what the arguments of a mode say; raises click.UsageError for what is not right."""
    names: list[str] = []
    values: dict[str, str] = {}
    is_put_in_place = True
    arguments = iter(rest)
    for argument in arguments:
        switch = switch_of(argument)
        if switch == _KEEP_SWITCH and switch in _SWITCHES[mode]:
            is_put_in_place = False
        elif switch in _SWITCHES[mode]:
            values[switch] = _plain_name(switch, next(arguments, ""))
        else:
            names.append(argument)
    if len(names) != 1:
        raise click.UsageError(f"{mode} takes one database, {len(names)} are given")
    path = named_path(names[0])
    if path.is_dir():
        raise click.UsageError(f"{shown(path)} is a folder: name a file in it")
    return MaintenanceArguments(
        path,
        values.get(_TEMPORARY_SWITCH, _TEMPORARIES[mode]),
        values.get(_BACKUP_SWITCH, ""),
        is_put_in_place,
    )


def maintain(mode: str, given: MaintenanceArguments, *, now_ns: int) -> Report:
    """Return the text of a mode, and the error or warning that ended it or None.

    Args:
        mode: one of `MAINTENANCE_MODES`.
        given: its arguments.
        now_ns: calendar time, for headers and signatures.
    """
    files, name = DirectoryFiles(given.path.parent), given.path.name
    if mode == INTEGRITY:
        return check_integrity(files, name)
    if mode == REPAIR:
        return repair_database(files, name, now_ns=now_ns, temporary=given.temporary)
    return defragment_database(
        files,
        name,
        now_ns=now_ns,
        temporary=given.temporary,
        backup=given.backup,
        is_put_in_place=given.is_put_in_place,
    )


def _plain_name(switch: str, name: str) -> str:
    if not name or Path(name).name != name:
        raise click.UsageError(f"{switch} takes the name of a file in the database's folder")
    return name
