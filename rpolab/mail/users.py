"""The mail users of a run: a process of the mail server's host that lets them act when it is time.

The server takes nothing for a storage group while its log buffers are full; what is due then waits
its turn.
"""

from collections.abc import Generator, Sequence
from typing import Any

from emulators.ese.errors import EseError
from emulators.ese.running.storage_group import StorageGroup
from emulators.exchange.mail_users import MailUsers
from sim.kernel import Kernel


def act_as_users(
    kernel: Kernel, groups: Sequence[StorageGroup], users: MailUsers, end_ns: int
) -> Generator[Any, Any, None]:
    """Do what is due before `end_ns`; nothing more once the users' storage groups have stopped."""
    while (time_ns := users.next_ns()) is not None and time_ns < end_ns:
        if time_ns > kernel.now_ns:
            yield kernel.sleep(time_ns - kernel.now_ns)
        for group in groups:
            yield from _admitted_by(group)
        if all(group.error is not None for group in groups):
            return
        users.act()


def _admitted_by(group: StorageGroup) -> Generator[Any, Any, None]:
    """Wait while a group's log buffers are full; one that has stopped keeps nobody waiting."""
    if group.error is not None:
        return
    try:
        yield from group.admit()
    except EseError:
        return  # it stopped meanwhile, and says so itself
