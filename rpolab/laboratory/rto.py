"""The steps of a recovery and how long each takes (exchange.md 6.3).

What the run did itself (making the image, verifying it) is charged with the copy's disk. What it
cannot measure is a constant from a source or an assumption; each has one row in the table here,
and the report prints the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from emulators.ese.file_set import FileCounts
from reports import Assumption, RtoStep, seconds
from rpolab.laboratory.opening import Opened
from scenarios import Disk, RtoAssumptions, spell_duration

Basis: TypeAlias = Literal["measured", "sourced", "assumption"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS

NO_SOURCE = "no public source"
"""The figure is this project's choice within the range that exchange.md 6.2 gives."""
REPLAY_LOG_NS = SECOND_NS
REPLAY_START_NS = 15 * SECOND_NS
REPLAY_SOURCE = NO_SOURCE
"""Exchange 2007 takes 0.3 to 3 s a log and 5 to 30 s to start (exchange.md 2.5)."""
VERIFY_SOURCE = "pages read and checked, at the speed of the copy's disk"
IMAGE_SOURCE = "journal read and files written, at the speed of the copy's disks"
PROMOTION_SOURCE = "the engine's promotion, asked of the witness"
MOUNT_NS = 40 * SECOND_NS
MOUNT_SOURCE = NO_SOURCE
"""20 to 60 s to start the store and mount a clean database; here once for each storage group."""
REHOME_MAILBOXES_S = 15
REHOME_SOURCE = NO_SOURCE
"""Move-Mailbox -ConfigurationOnly does 10 to 20 mailboxes a second."""
CONVERGENCE_NS = 45 * SECOND_NS
CONVERGENCE_SOURCE = "infotechninja"
"""A directory site converges in 15 to 45 s (exchange.md 6.2)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A length of time that no run measures."""

    key: str
    name: str
    default_ns: int
    basis: Basis
    source: str


FIGURES = (
    Figure("detect", "detect the disaster", 5 * MINUTE_NS, "assumption", NO_SOURCE),
    Figure("decide", "decide to fail over", 30 * MINUTE_NS, "assumption", NO_SOURCE),
    Figure("fence", "fence the old server", MINUTE_NS, "assumption", NO_SOURCE),
    Figure("directory", "directory converges", CONVERGENCE_NS, "sourced", CONVERGENCE_SOURCE),
    Figure("dns", "DNS expires", 300 * SECOND_NS, "sourced", "TechNet bb676687"),
    Figure("clients", "clients reconnect", 60 * SECOND_NS, "assumption", NO_SOURCE),
)


def rto_steps(
    opened: Sequence[Opened],
    image_bytes: int,
    disk: Disk,
    mailboxes: int,
    own: RtoAssumptions,
    promotion_ns: int | None = None,
) -> tuple[RtoStep, ...]:
    """Return the steps of one recovery in order; storage groups are opened one after the other.

    Args:
        opened: what opening each storage group of the image took.
        image_bytes: bytes of the image.
        disk: the disks of the copy's site.
        mailboxes: how many must be pointed at the new server.
        own: the operator's figures, which go before the table's.
        promotion_ns: how long the copy's promotion took, which fences the old server; None where
            somebody has to do that by hand.
    """
    chosen = {figure.key: _chosen(figure, own) for figure in FIGURES}
    logs = sum(len(group.report.generations) for group in opened)
    replay_ns = len(opened) * REPLAY_START_NS + logs * REPLAY_LOG_NS
    replay_ns += sum(_disk_ns(group.replay, disk) for group in opened)
    verify_ns = sum(_transfer_ns(group.verified_bytes, disk) for group in opened)
    rehome_ns = mailboxes * SECOND_NS // REHOME_MAILBOXES_S
    directory = chosen["directory"]
    return (
        chosen["detect"],
        chosen["decide"],
        chosen["fence"] if promotion_ns is None else _promotion(promotion_ns),
        _step("make the image", 2 * _transfer_ns(image_bytes, disk), "measured", IMAGE_SOURCE),
        _step("verify", verify_ns, "measured", VERIFY_SOURCE),
        _step(f"replay {logs} logs", replay_ns, "assumption", REPLAY_SOURCE),
        _step("mount", len(opened) * MOUNT_NS, "assumption", MOUNT_SOURCE),
        _step("point mailboxes at it", rehome_ns, "assumption", REHOME_SOURCE),
        directory,
        chosen["dns"],
        chosen["clients"],
    )


def assumptions(own: RtoAssumptions) -> list[Assumption]:
    """Return every figure that a recovery's length rests on, for the report's table."""
    rows = [
        Assumption(
            name=figure.name,
            value=spell_duration(_length_ns(figure, own)),
            basis="assumption" if _own(figure, own) is not None else figure.basis,
            source=_source(figure, own),
        )
        for figure in FIGURES
    ]
    rows += [
        Assumption(
            name="replay",
            value=f"{spell_duration(REPLAY_LOG_NS)} a log after {spell_duration(REPLAY_START_NS)}",
            basis="assumption",
            source=REPLAY_SOURCE,
        ),
        Assumption(
            name="mount",
            value=spell_duration(MOUNT_NS),
            basis="assumption",
            source=MOUNT_SOURCE,
        ),
        Assumption(
            name="point mailboxes at it",
            value=f"{REHOME_MAILBOXES_S} a second",
            basis="assumption",
            source=REHOME_SOURCE,
        ),
    ]
    return rows


def _promotion(length_ns: int) -> RtoStep:
    return _step("fence by a new epoch", length_ns, "measured", PROMOTION_SOURCE)


def _chosen(figure: Figure, own: RtoAssumptions) -> RtoStep:
    stated = _own(figure, own)
    if stated is not None:
        return _step(figure.name, stated, "assumption", _source(figure, own))
    return _step(figure.name, figure.default_ns, figure.basis, figure.source)


def _own(figure: Figure, own: RtoAssumptions) -> int | None:
    stated: int | None = getattr(own, f"{figure.key}_ns")
    return stated


def _length_ns(figure: Figure, own: RtoAssumptions) -> int:
    stated = _own(figure, own)
    return figure.default_ns if stated is None else stated


def _source(figure: Figure, own: RtoAssumptions) -> str:
    return figure.source if _own(figure, own) is None else "stated in the scenario"


def _step(name: str, length_ns: int, basis: Basis, source: str) -> RtoStep:
    return RtoStep(step=name, seconds=seconds(length_ns), basis=basis, source=source)


def _transfer_ns(moved_bytes: int, disk: Disk) -> int:
    return disk.latency_ns + moved_bytes * SECOND_NS // disk.throughput_bytes_s


def _disk_ns(counts: FileCounts, disk: Disk) -> int:
    """Return what the operations of a replay cost on a disk with one queue."""
    operations = sum(counts.operations.get(kind, 0) for kind in ("read", "write", "flush"))
    moved = sum(counts.bytes_moved.get(kind, 0) for kind in ("read", "write"))
    return operations * disk.latency_ns + moved * SECOND_NS // disk.throughput_bytes_s
