"""Online maintenance: by night it purges what has been in the dumpsters for long enough.

Assumptions, from memory and not sourced: the window is 01:00 to 05:00 every night; deleted items
are kept 7 days in Exchange 2003 and 14 days in 2007 out of the box. Online defragmentation, which
uses the rest of the window, is not modelled: pages that fall empty are reused at once.
"""

from collections.abc import Generator
from typing import Any

from emulators.ese.errors import EseError
from emulators.exchange.server import DISK_LOST, ExchangeServer, HostedDatabase
from sim.kernel import Kernel

__all__ = ["RETENTION_NS", "WINDOW_BEGINS_NS", "WINDOW_ENDS_NS", "maintain"]

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS
WINDOW_BEGINS_NS = HOUR_NS
WINDOW_ENDS_NS = 5 * HOUR_NS
RETENTION_NS = {2003: 7 * DAY_NS, 2007: 14 * DAY_NS}


def maintain(
    kernel: Kernel, server: ExchangeServer, retention_ns: int
) -> Generator[Any, Any, None]:
    """Purge, night after night, what was deleted more than `retention_ns` ago; a process.

    It ends when all storage groups have stopped. What it cannot purge within the window waits for
    the next night.
    """
    while server.error is None:
        time_of_day_ns = server.wall_ns() % DAY_NS
        yield kernel.sleep((WINDOW_BEGINS_NS - time_of_day_ns) % DAY_NS or DAY_NS)
        for hosted in server.databases.values():
            if hosted.is_mounted:
                yield from _purge_what_is_readable(hosted, retention_ns)


def _purge_what_is_readable(hosted: HostedDatabase, retention_ns: int) -> Generator[Any, Any, None]:
    """Purge, unless it turns out that the disk of the database is lost."""
    try:
        yield from _purge(hosted, retention_ns)
    except EseError as error:
        if error.code != DISK_LOST:
            raise


def _purge(hosted: HostedDatabase, retention_ns: int) -> Generator[Any, Any, None]:
    group, store = hosted.group, hosted.mail.store
    paths = store.folder_paths()
    for entry in store.contents.deleted_before(group.wall_ns() - retention_ns):
        yield from group.admit()
        is_in_window = group.wall_ns() % DAY_NS < WINDOW_ENDS_NS
        if group.error is not None or not hosted.is_mounted or not is_in_window:
            return
        if store.contents.find(entry.place) == entry:  # it may have been had back meanwhile
            hosted.mail.purge(entry.place, *paths[entry.folder_id])
