"""Deleting the logs that a backup has made superfluous (exchange.md 4.8).

Fault model: the power may go between any two deletions. The lowest log goes first, so that what is
left is one sequence at every instant. A log is deleted only when neither soft recovery (checkpoint
and headers), nor the next incremental backup, nor a copy of the group that has not received it
needs it.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.format import Format, archive_generation, archive_name
from sim.volume import Volume

Process = Generator[Any, Any, None]


@dataclass(frozen=True, slots=True)
class Truncation:
    """The generations to delete, and the reason why some that could go must stay (-616)."""

    generations: tuple[int, ...]
    warning: EseError | None


def plan_truncation(
    archives: Iterable[int],
    *,
    required_from: int,
    generation_high: int,
    copies_need_from: int | None,
) -> Truncation:
    """Return what to delete: [lowest, min(checkpoint generation, generation_high + 1)).

    Args:
        archives: generations that are there as closed logs.
        required_from: the first generation that recovery would ask for; the checkpoint's.
        generation_high: the newest log in the backup.
        copies_need_from: the first generation that a copy of the group has not received yet, if
            there are copies (exchange.md C14).
    """
    end = min(required_from, generation_high + 1)
    unwanted = tuple(sorted(generation for generation in archives if generation < end))
    if copies_need_from is None or copies_need_from >= end:
        return Truncation(unwanted, None)
    where = f"generations {copies_need_from}-{end - 1} are kept"
    warning = ese_error(-616, where, "let the copies catch up; the next backup deletes them")
    return Truncation(tuple(each for each in unwanted if each < copies_need_from), warning)


def archives_on(volume: Volume, prefix: str, log_format: Format) -> list[int]:
    """Return the generations of the closed logs on a volume, sorted."""
    found = (archive_generation(name, prefix, log_format) for name in volume.names())
    return sorted(generation for generation in found if generation is not None)


def truncate(
    volume: Volume, prefix: str, log_format: Format, generations: Iterable[int]
) -> Process:
    """Delete closed logs, the lowest first."""
    for generation in generations:
        yield volume.delete(archive_name(prefix, generation, log_format))
