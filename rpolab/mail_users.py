"""The mail users of a run: a process of the mail server's host that lets them act when it is time.

The server takes nothing while its log buffers are full; what is due then waits its turn.
"""

from collections.abc import Generator
from typing import Any

from emulators.exchange.mail_users import MailUsers
from emulators.exchange.server import ExchangeServer
from sim.kernel import Kernel


def act_as_users(
    kernel: Kernel, server: ExchangeServer, users: MailUsers, end_ns: int
) -> Generator[Any, Any, None]:
    """Do what is due before `end_ns`; nothing more once the storage group has stopped."""
    while (time_ns := users.next_ns()) is not None and time_ns < end_ns:
        if time_ns > kernel.now_ns:
            yield kernel.sleep(time_ns - kernel.now_ns)
        yield from server.group.admit()
        if server.error is not None:
            return
        users.act()
