"""Which databases were attached when a generation of the log began: the list in its header.

A log's header is made when the log before it is full, which may be long after its first record
was appended; so the list is kept by position (ese-format.md G, ATTACHINFO).
"""

from dataclasses import dataclass

from emulators.ese.formats.values import AttachInfo, Lgpos


@dataclass(slots=True)
class _Stay:
    info: AttachInfo
    detached: Lgpos | None = None


class AttachList:
    """The attachments of one log stream, as its records tell them."""

    def __init__(self) -> None:
        self._stays: list[_Stay] = []

    def attach(self, info: AttachInfo) -> None:
        """Note the record that attached a database, at `info.lgpos_attach`."""
        self._stays.append(_Stay(info))

    def detach(self, dbid: int, lgpos: Lgpos) -> None:
        """Note the record that detached a database."""
        stay = next(s for s in self._stays if s.info.dbid == dbid and s.detached is None)
        stay.detached = lgpos

    def at(self, generation: int) -> tuple[AttachInfo, ...]:
        """Return what was attached when a generation began; older ones are not asked for again."""
        start = Lgpos(generation, 0, 0)
        self._stays = [s for s in self._stays if s.detached is None or s.detached >= start]
        return tuple(stay.info for stay in self._stays if stay.info.lgpos_attach < start)
