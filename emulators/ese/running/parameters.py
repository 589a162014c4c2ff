"""The settings of a storage group that Exchange gives to ESE."""

from dataclasses import dataclass

from emulators.ese.formats.format import EXCHANGE_2007, SECTOR_BYTES, Format

IDLE_ROLL_NS = 15 * 60 * 1_000_000_000
CHECKPOINT_DEPTH_BYTES = 20_971_520


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of one storage group.

    Args:
        prefix: base name of its logs ('E00' for the first group, exchange.md F6).
        file_format: sizes and versions of its files.
        waypoint_depth: closed generations that may be lost without harm to the database: 1 on a
            stand-alone server, 10 on CCR SP1 (exchange.md 1.3).
        checkpoint_depth_bytes: how far the checkpoint may trail the log's tip (F11).
        log_backlog_bytes_max: log records that may wait for the disk before senders wait too;
            9,000 sectors (F10).
        circular_logging: whether logs that no database requires are deleted at each roll (F15).
        generation_first: where the log stream begins on empty volumes: 1, or another when the
            sequence is to go on above that of an earlier life (F12).
    """

    prefix: str = "E00"
    file_format: Format = EXCHANGE_2007
    waypoint_depth: int = 1
    checkpoint_depth_bytes: int = CHECKPOINT_DEPTH_BYTES
    log_backlog_bytes_max: int = 9_000 * SECTOR_BYTES
    circular_logging: bool = False
    generation_first: int = 1

    @property
    def checkpoint_depth_generations(self) -> int:
        """Checkpoint depth less what the waypoint holds back, at least a fifth of it (1.2)."""
        nominal = self.checkpoint_depth_bytes // self.file_format.log_bytes
        return max(nominal - self.waypoint_depth, nominal // 5, 1)

    @property
    def idle_roll_ns(self) -> int:
        """Time after which a part-filled log is closed: 15 minutes by depth (1.3)."""
        return IDLE_ROLL_NS // max(self.waypoint_depth, 1)
