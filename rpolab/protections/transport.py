"""Brings bytes from one copy to another, over the links that there are, in simulated time."""

from collections.abc import Generator, Iterator
from typing import Any

from rpolab.laboratory.world import Laboratory
from rpolab.protections.kept_copy import KeptCopy
from sim.host import Host
from sim.kernel import Signal
from sim.link import Link

CHUNK_BYTES = 1 << 20
PATIENCE_NS = 600_000_000_000
"""When a chunk that does not come is given up. Assumption."""


def ship(
    laboratory: Laboratory, sister: KeptCopy, copy: KeptCopy, size: int
) -> Generator[Any, Any, None]:
    """Bring so many bytes over each link of the way, one after the other.

    Raises:
        ConnectionError: a link is down, or a machine on the way has no power.
        TimeoutError: nothing comes any more.
    """
    for link, here, there in _route(laboratory, sister, copy):
        connection = link.connect(here, there)
        for offset in range(0, size, CHUNK_BYTES):
            sent = connection.left.send(bytes(1), wire_bytes=min(CHUNK_BYTES, size - offset))
            sent.then(_observe)
            item = yield from connection.right.inbox.receive(PATIENCE_NS)
            if not isinstance(item, bytes):
                raise TimeoutError("nothing comes over the line")
        connection.left.close()


def _route(
    laboratory: Laboratory, sister: KeptCopy, copy: KeptCopy
) -> Iterator[tuple[Link, Host, Host]]:
    """Yield the links from the sister: one, or two by way of the mail server's site."""
    here, there = sister.target.host, copy.target.host
    if laboratory.are_linked(sister.copy_site, copy.copy_site):
        yield laboratory.link_between(sister.copy_site, copy.copy_site), here, there
        return
    home, home_site = laboratory.mail_host, laboratory.mail_host_site
    yield laboratory.link_between(sister.copy_site, home_site), here, home
    yield laboratory.link_between(home_site, copy.copy_site), home, there


def _observe(_sent: Signal) -> None:
    """Take note that a chunk left or could not: that shows at the other end."""
