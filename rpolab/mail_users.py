"""The mail users: they send what the profile or the archive says, when it says so."""

from collections.abc import Generator, Iterator
from typing import Any

from emulators.exchange.arrivals import Arrival
from emulators.exchange.content import ContentPools
from emulators.exchange.server import ExchangeServer
from sim.kernel import Kernel


def send_mail(
    kernel: Kernel,
    server: ExchangeServer,
    arrivals: Iterator[Arrival],
    pools: ContentPools,
    end_ns: int,
) -> Generator[Any, Any, None]:
    """Submit all mail that arrives before `end_ns`; a process of the mail server's host.

    A message whose time comes while the log buffers are full, or before the server is ready,
    waits its turn. Nothing more is submitted once the storage group has stopped.
    """
    for time_ns, send in arrivals:
        if time_ns >= end_ns:
            return
        if time_ns > kernel.now_ns:
            yield kernel.sleep(time_ns - kernel.now_ns)
        yield from server.group.admit()
        if server.error is not None:
            return
        message = pools.message_for(send, kernel.now_ns)
        server.submit(message, to_sent_items=send.to_sent_items)
