"""The settings of a storage group that Exchange gives to ESE."""

from dataclasses import dataclass
from enum import IntEnum

from emulators.ese.formats.format import EXCHANGE_2007, SECTOR_BYTES, Format

IDLE_ROLL_NS = 15 * 60 * 1_000_000_000
CHECKPOINT_DEPTH_BYTES = 20_971_520
DEPTH_STAND_ALONE = 1
DEPTH_CCR_SP1 = 10


class MountDial(IntEnum):
    """AutoDatabaseMountDial of a CCR cluster: how many lost logs a mount may accept (A9)."""

    LOSSLESS = 0
    GOOD_AVAILABILITY = 3
    BEST_AVAILABILITY = 6


def waypoint_depth_of(file_format: Format, *, dial: MountDial | None, service_pack: int) -> int:
    """Return the depth of lost log resilience of an active copy (exchange.md 1.3, LLR07).

    Args:
        file_format: 2003 has no waypoint, so its depth is 0.
        dial: of the CCR cluster; None for a stand-alone server, LCR, a single copy cluster and
            the source of SCR, whose depth is 1.
        service_pack: of Exchange 2007; up to the first one the depth follows the dial.
    """
    if not file_format.has_waypoint:
        return 0
    if dial is None:
        return DEPTH_STAND_ALONE
    return DEPTH_CCR_SP1 if service_pack >= 1 else dial + 1


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of one storage group.

    Args:
        prefix: base name of its logs ('E00' for the first group, exchange.md F6).
        file_format: sizes and versions of its files.
        waypoint_depth: closed generations that may be lost without harm to the database: 1 on a
            stand-alone server, 10 on CCR SP1 (exchange.md 1.3); 2003 has none, whatever is set.
        checkpoint_depth_bytes: how far the checkpoint may trail the log's tip (F11).
        log_backlog_bytes_max: log records that may wait for the disk before senders wait too;
            9,000 sectors (F10).
        unflushed_pages_max: pages after whose writes a database is flushed before more are begun
            (in the place of ESE's JET_paramOutstandingIOMax); None for all that may go together.
        database_bytes_max: how large a database may be (exchange.md 5.1); None without a limit.
        circular_logging: whether logs that no database requires are deleted at each roll (F15).
        generation_first: where the log stream begins on empty volumes: 1, or another when the
            sequence is to go on above that of an earlier life (F12).
    """

    prefix: str = "E00"
    file_format: Format = EXCHANGE_2007
    waypoint_depth: int = DEPTH_STAND_ALONE
    checkpoint_depth_bytes: int = CHECKPOINT_DEPTH_BYTES
    log_backlog_bytes_max: int = 9_000 * SECTOR_BYTES
    unflushed_pages_max: int | None = None
    database_bytes_max: int | None = None
    circular_logging: bool = False
    generation_first: int = 1

    @property
    def checkpoint_depth_generations(self) -> int:
        """Checkpoint depth less what the waypoint holds back, at least a fifth of it (1.2)."""
        nominal = self.checkpoint_depth_bytes // self.file_format.log_bytes
        depth = self.waypoint_depth if self.file_format.has_waypoint else 0
        return max(nominal - depth, nominal // 5, 1)

    @property
    def idle_roll_ns(self) -> int | None:
        """Time after which a part-filled log is closed: 15 minutes by depth (1.3).

        None for 2003, which leaves it open.
        """
        if not self.file_format.has_waypoint:
            return None
        return IDLE_ROLL_NS // max(self.waypoint_depth, 1)

    def required_at(self, generation: int) -> int:
        """Return the newest generation that a database requires while another is written.

        The depth counts back from `generation`; without a waypoint it is required itself (1.2).
        """
        if not self.file_format.has_waypoint:
            return generation
        return generation - max(self.waypoint_depth, 1)
