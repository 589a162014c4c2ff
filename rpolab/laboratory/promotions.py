"""After a disaster the best copy of each protection becomes the primary, where the plan says so."""

from collections.abc import Iterable

from rpolab.protections.base import Protection
from rpolab.protections.cdp import Cdp
from rpolab.protections.kept_copy import KeptCopy
from rpolab.protections.promoting import Promoting
from sim.kernel import Kernel

LIMIT_NS = 120_000_000_000
"""A promotion is over by then: the engine gives up asking long before."""
SLICE_NS = 1_000_000_000


def promote(kernel: Kernel, protections: Iterable[Protection]) -> None:
    """Promote the copy with the newest point of each protection that has a witness, and wait."""
    begun: list[Promoting] = []
    for protection in protections:
        if isinstance(protection, Cdp) and protection.promoting is not None:
            up = [copy for copy in protection.copies if copy.target.session is not None]
            if up:
                best = max(up, key=_newest_sequence)
                protection.promoting.begin(best, protection.copies.index(best))
                begun.append(protection.promoting)
    limit_ns = kernel.now_ns + LIMIT_NS
    while kernel.now_ns < limit_ns and not all(promoting.is_over for promoting in begun):
        kernel.run(kernel.now_ns + SLICE_NS)


def _newest_sequence(copy: KeptCopy) -> int:
    return copy.journal.durable.sequence
